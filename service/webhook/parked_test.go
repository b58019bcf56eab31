package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"stockyard/service/inventory"
)

// Messages that are refused and those behind them take the room of others until they are parked, and no longer.
func TestRefusedMessagesAreParkedWhereTheyTakeTheRoom(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 2)
		r := receive(t, func(m *message) int {
			if m.event.Data.SKU == skus[0] {
				return http.StatusUnprocessableEntity
			}
			return http.StatusOK
		})
		w := y.put(t, r.URL, skus)
		o := quick()
		o.Outstanding = 300
		y.dispatch(t, y.URLs[0], o)
		y.write(t, skus[:1], 16, 10)
		for range 3 {
			y.move(t, "receive", sites[0], skus[1], 1)
		}
		eventually(t, "the other level has come", func() bool { return r.hasAll(t, y, skus[1:]) })
		r.inOrder(t)
		eventually(t, "there is room again", func() bool { return len(y.deliveries(t, w, "pending")) <= 300-256 })
		for _, d := range y.deliveries(t, w, "parked") {
			if d.LastStatus != 422 || !strings.Contains(d.LastError, "parked early") {
				t.Fatalf("parked: %+v", d)
			}
		}
	})
}

// What is given up is seen as parked, with the reason, and comes when it is asked for again.
func TestWhatIsGivenUpIsParkedAndCanBeHadAgain(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		r := receive(t, func(*message) int { return http.StatusBadRequest })
		w := y.put(t, r.URL, skus)
		o := quick()
		o.Backoff.GiveUp = time.Nanosecond
		y.dispatch(t, y.URLs[0], o)
		y.move(t, "receive", sites[0], skus[0], 1)
		eventually(t, "it is parked", func() bool { return len(y.deliveries(t, w, "parked")) == 1 })
		d := y.deliveries(t, w, "parked")[0]
		if d.LastStatus != 400 || !strings.Contains(d.LastError, "400 Bad Request") || d.Attempts != 1 || d.NextAttemptAt != nil {
			t.Errorf("parked: %+v", d)
		}
		r.becomes(nil)
		again, err := y.pod.Redeliver(t.Context(), tester, w.Name, d.ID)
		if err != nil || again.Status != "pending" || again.ID != d.ID {
			t.Fatalf("%+v, %v", again, err)
		}
		eventually(t, "it has come", func() bool { return r.hasAll(t, y, skus) })
		eventually(t, "it is delivered", func() bool { return len(y.deliveries(t, w, "delivered")) == 1 })
		taken, _ := r.got()
		if taken[0].header.Get("webhook-id") != d.ID {
			t.Errorf("sent as %v", taken[0].header)
		}
		// One that was delivered comes again, too.
		if _, err := y.pod.Redeliver(t.Context(), tester, w.Name, d.ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it has come again", func() bool { taken, _ := r.got(); return len(taken) == 2 })
		for _, id := range []string{"0b9f2c5e-6d1a-4c1e-9b6e-2f4f6d1b7a10", "x", strings.ToUpper(d.ID)} {
			var refusal *inventory.Refusal
			if _, err := y.pod.Redeliver(t.Context(), tester, w.Name, id); !errors.As(err, &refusal) {
				t.Errorf("%q: %v", id, err)
			}
		}
	})
}

// What is asked for again while its last attempt is under way isn't given up by what comes of that.
func TestWhatIsAskedForAgainWhileItIsSentIsSentAgain(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		r := receive(t, nil)
		w := y.put(t, r.URL, skus)
		r.becomes(func(m *message) int {
			if _, err := y.pod.Redeliver(context.WithoutCancel(t.Context()), tester, w.Name, m.header.Get("webhook-id")); err != nil {
				t.Error(err)
			}
			r.becomes(nil)
			return http.StatusBadRequest
		})
		o := quick()
		o.Backoff.GiveUp = time.Nanosecond
		y.dispatch(t, y.URLs[0], o)
		y.move(t, "receive", sites[0], skus[0], 1)
		eventually(t, "it has come", func() bool { return r.hasAll(t, y, skus) })
		eventually(t, "it is delivered", func() bool { return len(y.deliveries(t, w, "delivered")) == 1 })
	})
}
