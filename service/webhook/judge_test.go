package webhook

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stockyard/service/store"
)

// Pauses lie between nothing and a bound that doubles from the first to the longest.
func TestPausesGrowAndAreRandom(t *testing.T) {
	b := Backoff{First: 5 * time.Second, Most: 6 * time.Hour, GiveUp: 72 * time.Hour}
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.Int64Range(1, 1<<62).Draw(t, "failures")
		bound := 6 * time.Hour
		if failures <= 12 {
			bound = 5 * time.Second << (failures - 1)
		}
		if got := b.pause(failures); got <= 0 || got > bound {
			t.Fatalf("%s after %d failures, the bound is %s", got, failures, bound)
		}
	})
	seen := map[time.Duration]bool{}
	for range 10 {
		seen[b.pause(10)] = true
	}
	if len(seen) < 2 {
		t.Error("pauses aren't random")
	}
}

func TestAnswersAreJudged(t *testing.T) {
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	for status, want := range map[int]verdict{
		200: {delivered: true}, 204: {delivered: true}, 299: {delivered: true},
		301: {endpoint: true}, 307: {endpoint: true}, 400: {}, 409: {}, 413: {}, 422: {},
		401: {endpoint: true}, 403: {endpoint: true}, 404: {endpoint: true}, 408: {endpoint: true}, 429: {endpoint: true},
		410: {endpoint: true, gone: true}, 500: {endpoint: true}, 503: {endpoint: true},
	} {
		got := judge(&http.Response{StatusCode: status, Header: http.Header{}}, now)
		if got.delivered != want.delivered || got.endpoint != want.endpoint || got.gone != want.gone || got.code != status || (got.why == "") != want.delivered {
			t.Errorf("%d is judged %+v", status, got)
		}
	}
	for header, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "Fri, 27 Nov 2026 08:01:00 GMT": time.Minute, "Fri, 27 Nov 2026 07:00:00 GMT": 0, "soon": 0, "-1": 0, "99999999999999999999": 0,
	} {
		got := judge(&http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {header}}}, now)
		if got.after != want {
			t.Errorf("Retry-After %q is %s", header, got.after)
		}
	}
}

// What is written after a round: who is tried again and when, what is parked, how the endpoint does.
func TestRoundsAreDecided(t *testing.T) {
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	b := Backoff{First: 5 * time.Second, Most: 6 * time.Hour, GiveUp: 72 * time.Hour}
	fresh := store.Delivery{TriedFrom: now}
	taken, refused, down := verdict{delivered: true, code: 200}, verdict{code: 422, why: "x"}, verdict{endpoint: true, code: 503, why: "x"}
	sick := store.Webhook{Failures: 3}

	if r := b.decide(sick, []tried{{fresh, down}, {fresh, taken}}, now); r.Failures != 0 || r.Pause != 0 || r.Overdue != 0 ||
		r.Attempts[0].Status != store.DeliveryPending || r.Attempts[1].Status != store.DeliveryDelivered {
		t.Errorf("some taken: %+v", r)
	}
	if r := b.decide(sick, []tried{{fresh, refused}}, now); r.Failures != 0 || r.Pause != 0 {
		t.Errorf("a refused message is no failure of the endpoint: %+v", r)
	}
	if r := b.decide(sick, []tried{{fresh, down}}, now); r.Failures != 4 || r.Pause <= 0 || r.Pause > 40*time.Second || r.Overdue != b.GiveUp {
		t.Errorf("none taken: %+v", r)
	}
	if r := b.decide(sick, nil, now); r.Failures != 3 || r.Overdue != 0 {
		t.Errorf("none tried: %+v", r)
	}
	asked := down
	asked.after = time.Hour
	if r := b.decide(store.Webhook{}, []tried{{fresh, asked}, {fresh, taken}}, now); r.Pause != time.Hour || r.Failures != 0 || r.Attempts[0].Pause < time.Hour {
		t.Errorf("asked to come back in an hour: %+v", r)
	}
	asked.after = 1000 * time.Hour
	if r := b.decide(store.Webhook{}, []tried{{fresh, asked}}, now); r.Pause != b.GiveUp || r.Attempts[0].Pause != b.GiveUp {
		t.Errorf("asked to come back in 1000 hours: %+v", r)
	}
	old, late := fresh, fresh
	old.TriedFrom, late.TriedFrom, late.Attempts = now.Add(-72*time.Hour), now.Add(-72*time.Hour+time.Second), 20
	if r := b.decide(store.Webhook{}, []tried{{old, refused}, {late, refused}}, now); r.Attempts[0].Status != store.DeliveryParked ||
		r.Attempts[1].Status != store.DeliveryPending || r.Attempts[1].Pause > time.Second {
		t.Errorf("after three days: %+v", r)
	}
	if r := b.decide(store.Webhook{}, []tried{{fresh, verdict{endpoint: true, gone: true, code: 410, why: "x"}}}, now); r.SwitchOff == "" {
		t.Errorf("gone: %+v", r)
	}
}
