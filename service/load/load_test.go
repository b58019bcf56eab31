package load_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"stockyard/service/auth"
	"stockyard/service/client"
	"stockyard/service/load"
	"stockyard/service/store/storetest"
)

func TestEveryScenarioByEveryDoor(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		pods := []*pod{start(t, db, 0, auth.Anonymous{}, nil), start(t, db, 1, auth.Anonymous{}, nil)}
		rates := 0.0
		for _, scenario := range load.Scenarios() {
			for _, door := range []string{"rest", "grpc"} {
				p := plan(scenario, pods...)
				if door == "grpc" {
					p.GRPC = []string{pods[0].grpc, pods[1].grpc}
				}
				r, err := run(t, p)
				if err != nil {
					t.Fatalf("%s over %s: %v", scenario, door, err)
				}
				check(t, r, door, scenario)
				rates += r.Total.PerSecond
			}
		}
		if rates <= 0 { // one by itself may have no answer within its time
			t.Error("no load has a rate")
		}
		db.Verify(t)
	})
}

func check(t *testing.T, r load.Report, door, scenario string) {
	t.Helper()
	if r.Door != door || r.Loop != "closed" || r.Total.OK == 0 || r.Total.Failed != 0 || r.Total.PerSecond < 0 {
		t.Errorf("%s over %s: %+v", scenario, door, r.Total)
	}
	if l := r.Total.Latency; l.Mean <= 0 || l.P50 > l.P90 || l.P90 > l.P99 || l.P99 > l.P999 || l.P999 > l.Max || l.Max > 60_000 {
		t.Errorf("%s over %s: latencies %+v", scenario, door, l)
	}
	var ok int64
	var kinds []string
	for _, o := range r.Operations {
		ok += o.OK
		kinds = append(kinds, o.Operation)
	}
	if ok != r.Total.OK {
		t.Errorf("%s over %s: kinds add up to %d of %d", scenario, door, ok, r.Total.OK)
	}
	if (scenario == "mixed") != slices.Contains(kinds, "availability") || !slices.Contains(kinds, "reserve") {
		t.Errorf("%s over %s: ran %v", scenario, door, kinds)
	}
	if want := map[bool]int{true: 1, false: 40}[scenario == "hot"]; r.Proof.Levels != want || r.Proof.Wrong != 0 || r.Proof.Unknown != 0 {
		t.Errorf("%s over %s: proof of %d levels: %+v", scenario, door, want, r.Proof)
	}
	if r.Generator.CPU <= 0 || r.Generator.MicrosPerRequest <= 0 || r.Generator.Share <= 0 {
		t.Errorf("%s over %s: its cost: %+v", scenario, door, r.Generator)
	}
}

func TestWhatIsScarceIsGivenOutOnce(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		pod := start(t, db, 0, auth.Anonymous{}, nil)
		p := plan("hot", pod)
		p.Stock, p.Duration = 30, time.Second
		for round := range 2 { // the second one finds what the first one left, and sets the stock again
			r, err := run(t, p)
			if err != nil {
				t.Fatal(err)
			}
			if r.Total.OK != 30 || r.Total.Refused == 0 {
				t.Errorf("round %d gave out %d of 30, and refused %d times", round, r.Total.OK, r.Total.Refused)
			}
		}
		db.Verify(t)
	})
}

func TestPreparedStockIsLeftAlone(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		pod := start(t, db, 0, auth.Anonymous{}, nil)
		p := plan("uniform", pod)
		if _, err := run(t, p); err != nil {
			t.Fatal(err)
		}
		p.Prepared, p.Stock = true, 5 // which would refuse, were it set
		r, err := run(t, p)
		if err != nil || r.Total.Refused > 0 {
			t.Errorf("%v; %+v", err, r.Total)
		}
		p.Unproven = true
		if r, err := run(t, p); err != nil || !r.Proof.Skipped || r.Total.OK == 0 {
			t.Errorf("%v; %+v", err, r)
		}
		p.Prefix = "nobody-made-these"
		if r, err := run(t, p); err == nil || r.Total.Failed == 0 || !strings.Contains(err.Error(), "no operation was answered") {
			t.Errorf("products that aren't there: %v; %+v", err, r.Total)
		}
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		who := tokens{"good": auth.System("load")}
		pod := start(t, db, 0, who, nil)
		p := plan("hot", pod)
		if _, err := run(t, p); !client.IsProblem(err, "unauthenticated") {
			t.Errorf("without a token: %v", err)
		}
		p.Token = "good"
		for _, p.GRPC = range [][]string{nil, {pod.grpc}} {
			if r, err := run(t, p); err != nil || r.Total.Failed > 0 {
				t.Errorf("with a token: %v; %+v", err, r.Failures)
			}
		}
	})
}

func TestEndedEarly(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		pod := start(t, db, 0, auth.Anonymous{}, nil)
		for _, rate := range []float64{0, 100} {
			p := plan("uniform", pod)
			p.Duration, p.Rate = time.Hour, rate
			ctx, cancel := context.WithCancel(t.Context())
			p.Progress = cancelAt{"clients for", func() { time.AfterFunc(300*time.Millisecond, cancel) }}
			r, err := load.Run(ctx, p)
			if err != nil || !r.Early || r.Total.OK == 0 || r.Proof.Levels != p.SKUs || r.Seconds > 60 {
				t.Errorf("%v; %+v", err, r)
			}
		}
	})
}

// cancelAt does something when it reads a text.
type cancelAt struct {
	text string
	then func()
}

func (c cancelAt) Write(b []byte) (int, error) {
	if strings.Contains(string(b), c.text) {
		c.then()
	}
	return len(b), nil
}
