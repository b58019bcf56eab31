package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// quick is the smallest benchmark on the servers that the tests have.
func quick(t *testing.T, kind devdb.Kind) options {
	t.Helper()
	urls := storetest.Fresh(t, kind)
	o := options{
		Clients: []int{1, 2}, Pattern: []string{"hot", "uniform"}, Rounds: 1, Duration: time.Second, SKUs: 50, EventLevels: 10, SizeClients: 2,
		Verify: true, On: []devdb.Kind{kind}, Out: t.TempDir(),
	}
	if kind == devdb.CockroachDB { // which takes its time
		o.CockroachURL, o.Clients = urls, []int{1}
	} else {
		o.PostgresURL = urls[0]
	}
	return o
}

func onEach(t *testing.T, test func(t *testing.T, o options)) {
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) { test(t, quick(t, kind)) })
	}
}

func TestEverythingIsMeasured(t *testing.T) {
	onEach(t, func(t *testing.T, o options) {
		wants := []string{"hot      REST / best plain way", "uniform  gRPC / REST", "rest: p99 at half of its peak", "cost of a reservation", "verify: clean"}
		if o.On[0] == devdb.PostgreSQL { // making a database takes CockroachDB seconds
			o.Levels, o.Events = []int64{20, 40}, []int64{20, 60}
			wants = append(wants, "40 levels", "60 events")
		}
		if err := run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(o.Out, "bench.json"))
		if err != nil {
			t.Fatal(err)
		}
		var got results
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Databases) != 1 || !got.Databases[0].Verified || got.Machine.Cores == 0 {
			t.Fatalf("%s", raw)
		}
		if strings.Contains(string(raw), "://") {
			t.Errorf("there is a connection string in %s", raw)
		}
		d := got.Databases[0]
		for _, w := range ways {
			for _, pattern := range o.Pattern {
				for _, clients := range o.Clients {
					c := d.find(w.name, pattern, clients)
					if c == nil || len(c.Rounds) != 1 || c.Median.PerSecond <= 0 || c.Median.P50 <= 0 || c.Median.P99 < c.Median.P50 || c.Median.Failed > 0 {
						t.Errorf("%s, %s, %d clients: %+v", w.name, pattern, clients, c)
						continue
					}
					if k := c.Median.Cost; w.plain != (k == cost{}) || !w.plain && (k.PodMicros <= 0 || k.Batch < 1 || k.RoundTrips <= 0) ||
						!w.plain && o.On[0] == devdb.PostgreSQL && k.WALBytes <= 0 {
						t.Errorf("%s, %s, %d clients cost %+v", w.name, pattern, clients, k)
					}
				}
			}
		}
		if len(d.Open) != 2 || len(d.Sizes) != len(o.Levels)+len(o.Events) {
			t.Errorf("open loops %+v, sizes %+v", d.Open, d.Sizes)
		}
		for _, size := range d.Sizes {
			if size.Median.PerSecond <= 0 || size.PlainMedian.PerSecond <= 0 || size.Median.Failed+size.PlainMedian.Failed > 0 {
				t.Errorf("%d levels, %d events: %+v; plain %+v", size.Levels, size.Events, size.Median, size.PlainMedian)
			}
		}
		text, err := os.ReadFile(filepath.Join(o.Out, "bench.txt"))
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%v; there is no %q in\n%s", err, want, text)
			}
		}
		svg, err := os.ReadFile(filepath.Join(o.Out, string(o.On[0])+".svg"))
		if err != nil || !wellFormed(string(svg)) || strings.Count(string(svg), "<circle") != len(ways)*len(o.Pattern)*len(o.Clients)*2 {
			t.Errorf("%v\n%s", err, svg)
		}
	})
}

func wellFormed(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// What is interrupted takes along its pods and databases.
func TestInterruptedLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, o options) {
		o.Duration, o.Warmup = time.Hour, time.Second
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
		binary, err := build(ctx, &o, dir)
		if err != nil {
			t.Fatal(err)
		}
		server, err := startServer(ctx, &o, o.On[0], dir)
		if err != nil {
			t.Fatal(err)
		}
		var sys *system
		m := &measurement{options: &o, result: &result{}, way: []way{{
			name:  "interrupted",
			setup: func(_ context.Context, s *system, _ *options) error { sys = s; return nil },
			run: func(ctx context.Context, s *system, j job) (sample, error) {
				time.AfterFunc(300*time.Millisecond, cancel)
				return rest.run(ctx, s, j)
			},
		}}}
		if err := m.compare(ctx, server, binary, "", dir); err == nil || ctx.Err() == nil {
			t.Fatalf("it went on: %v", err)
		}
		if sys == nil || len(sys.ends) > 0 {
			t.Fatalf("%+v", sys)
		}
		if err := execute(t.Context(), sys.database, "SELECT count(*) FROM stock_levels"); err == nil {
			t.Error("its database is still there")
		}
		if conn, err := net.Dial("tcp", sys.grpc); err == nil {
			conn.Close()
			t.Error("its pod still listens")
		}
	})
}

func TestWrongFlagsAreNamed(t *testing.T) {
	t.Parallel()
	o := options{
		Clients: []int{0}, Way: []string{"prayer"}, Rounds: -1, Duration: 1, Warmup: -1, SKUs: -1, EventLevels: 10,
		Levels: []int64{1}, Events: []int64{9}, On: []devdb.Kind{"sqlite"}, SizeClients: 1,
	}
	err := o.settle()
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, flag := range []string{"--clients", "--way", "--rounds", "--duration", "--warmup", "--skus", "--levels", "--events", "--on"} {
		if !strings.Contains(err.Error(), flag+" ") && !strings.Contains(err.Error(), flag+",") {
			t.Errorf("%s isn't named in: %v", flag, err)
		}
	}
}

func TestPgBenchLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, lines := range map[string]string{
		// Its first is through at 100.0; the warm-up ends at 101.0, what is measured at 103.0.
		"log.1":   "0 0 500000 0 100 000000\n0 1 500000 0 101 000000\n0 2 300000 0 101 300000 0\n",
		"log.1.1": "1 0 1000 0 102 999999\n1 1 failed 0 102 0 3\n1 2 900000 0 103 0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	logs, err := readLogs(dir)
	if err != nil || logs.begun() != 100*time.Second {
		t.Fatalf("%v; begun at %s", err, logs.begun())
	}
	got := logs.count(101*time.Second, 2*time.Second)
	if want := (sample{PerSecond: 1.5, P50: 300, P99: 500, Failed: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := logs.count(200*time.Second, time.Second); got != (sample{Failed: 1}) {
		t.Errorf("when nothing ended: %+v", got)
	}
}

func TestMedians(t *testing.T) {
	t.Parallel()
	got := median([]sample{{PerSecond: 9, P50: 1, P99: 5, Failed: 1}, {PerSecond: 1, P50: 3, P99: 0}, {PerSecond: 2, P50: 2, P99: 7, Failed: 2}})
	if want := (sample{PerSecond: 2, P50: 2, P99: 6, Failed: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
