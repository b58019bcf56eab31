package webhook_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// A receiver that fails at random, while pods that send are cut off and take over from each other,
// ends with every event of every level, in order, none missing.
func TestAReceiverThatFailsAtRandomGetsEverything(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 3)
		var w service.WebhookAnswer
		stuck := make(chan struct{})
		r := receive(t, func(m *message) int {
			if err := secretOf(t, w.Secret).Verify(m.header, m.body, time.Now()); err != nil {
				t.Error(err)
			}
			switch rand.IntN(24) {
			case 0, 1:
				return http.StatusInternalServerError
			case 2, 3:
				return http.StatusTooManyRequests
			case 4, 5:
				return 0
			case 6, 7:
				return http.StatusUnprocessableEntity
			case 8: // slower than anybody waits for
				select {
				case <-stuck:
				case <-time.After(800 * time.Millisecond):
				}
			}
			return http.StatusOK
		})
		defer close(stuck)
		w = y.put(t, r.URL, skus)
		o := quick()
		o.Timeout = 400 * time.Millisecond
		var proxies []*storetest.Proxy
		for i := range 2 {
			proxies = append(proxies, storetest.NewProxy(t, y.URLs[i]))
			y.dispatch(t, proxies[i].URL, o)
		}
		var writing sync.WaitGroup
		writing.Go(func() { y.write(t, skus, 4, 40) })
		for pod := range 4 { // whoever sends is cut off, until something comes from the other
			victim := proxies[pod%2]
			victim.Refuse(true)
			victim.Cut()
			_, before := r.got()
			moved := 0
			eventually(t, "the other pod sends", func() bool {
				_, now := r.got()
				if moved < now-before+10 { // it never runs out of something to send, and is not snowed under
					y.move(t, "receive", sites[0], skus[0], 1)
					moved++
				}
				return now > before+5
			})
			victim.Refuse(false)
		}
		writing.Wait()
		eventually(t, "everything has come", func() bool { return r.hasAll(t, y, skus) })
		r.inOrder(t)
		eventually(t, "nothing waits", func() bool { return len(y.deliveries(t, w, "pending")) == 0 })
		if parked := y.deliveries(t, w, "parked"); len(parked) > 0 {
			t.Errorf("%d are parked", len(parked))
		}
	})
}

// 410 switches a webhook off, and nobody sends to one that isn't active; both get what they missed
// once they are put again.
func TestWhatIsSwitchedOffGoesOnWhereItWas(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		r := receive(t, func(*message) int { return http.StatusGone })
		w := y.put(t, r.URL, skus)
		y.dispatch(t, y.URLs[0], quick())
		y.move(t, "receive", sites[0], skus[0], 1)
		eventually(t, "it is switched off", func() bool {
			got, err := y.pod.Webhook(t.Context(), tester, w.Name)
			return err == nil && !got.Active && got.SwitchedOff != "" && got.Version == w.Version+1
		})
		y.move(t, "receive", sites[0], skus[0], 1)
		r.becomes(nil)
		off := false
		in := service.WebhookInput{URL: r.URL, Filter: service.WebhookFilter{SKUs: skus}, Active: &off}
		if got := y.change(t, w.Name, in); got.Active || got.SwitchedOff != "" {
			t.Errorf("put as not active: %+v", got)
		}
		y.move(t, "receive", sites[0], skus[0], 1)
		_, calls := r.got()
		if calls != 1 {
			t.Errorf("%d calls while it was off", calls)
		}
		in.Active = nil
		y.change(t, w.Name, in)
		eventually(t, "everything has come", func() bool { return r.hasAll(t, y, skus) })
		r.inOrder(t)
	})
}

// What a round finds of a webhook that was put meanwhile is not held against it.
func TestAWebhookThatIsPutBeginsAnew(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		put := y.put(t, "https://example.com/hooks", y.products(t, 1))
		lease, ok, err := y.TakeLease(t.Context(), y.Topology.Primary, "test-"+put.Name, "test", time.Minute)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		w, err := y.Webhook(t.Context(), y.Topology.Primary, put.Name)
		if err != nil {
			t.Fatal(err)
		}
		fails := func(version, want int64) {
			t.Helper()
			as := w
			as.Version = version
			if _, ok, err := y.RecordRound(t.Context(), lease, as, store.Round{Failures: 5, Pause: time.Hour}); err != nil || !ok {
				t.Fatal(ok, err)
			}
			if now, err := y.Webhook(t.Context(), y.Topology.Primary, put.Name); err != nil || now.Failures != want {
				t.Errorf("a round at version %d leaves %d failures, %v; want %d", version, now.Failures, err, want)
			}
		}
		fails(w.Version-1, 0)
		fails(w.Version, 5)
	})
}

// A message is a CloudEvent, and says the same each time that it is sent.
func TestMessagesAreCloudEvents(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		var mu sync.Mutex
		var bodies []string
		r := receive(t, func(m *message) int {
			mu.Lock()
			defer mu.Unlock()
			bodies = append(bodies, string(m.body))
			if len(bodies) == 1 {
				return http.StatusServiceUnavailable
			}
			return http.StatusAccepted
		})
		name := y.put(t, r.URL, skus).Name
		y.change(t, name, service.WebhookInput{URL: r.URL, Filter: service.WebhookFilter{SKUs: skus, Kinds: []string{"sell"}, Locations: sites[:1]}})
		y.dispatch(t, y.URLs[0], quick())
		for _, site := range sites {
			y.move(t, "receive", site, skus[0], 5)
			y.move(t, "sell", site, skus[0], 1)
		}
		y.move(t, "sell", sites[0], skus[0], 1)
		eventually(t, "both sales have come", func() bool { taken, _ := r.got(); return len(taken) == 2 })
		mu.Lock()
		defer mu.Unlock()
		if len(bodies) != 3 || bodies[0] != bodies[1] {
			t.Errorf("the receiver saw %q", bodies)
		}
		taken, _ := r.got()
		e, h := taken[0].event, taken[0].header
		at, err := time.Parse(time.RFC3339Nano, e.Time)
		if e.SpecVersion != "1.0" || e.Type != "com.stockyard.stock.sell.v1" || e.Source != "urn:stockyard:"+y.Topology.Primary ||
			e.Subject != sites[0]+"/"+skus[0] || e.Sequence != "0000000000000000002" || e.ID != h.Get("webhook-id") || err != nil || time.Since(at) > time.Hour ||
			e.Data.Version != 2 || e.Data.Kind != "sell" || h.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" {
			t.Errorf("sent as %+v with %v", e, h)
		}
	})
}

// Where private addresses aren't allowed, none is connected to, whoever put the webhook.
func TestPrivateEndpointsAreNotSentTo(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		r := receive(t, nil)
		w := y.put(t, strings.Replace(r.URL, "127.0.0.1", "localhost", 1), skus)
		o := quick()
		o.AllowPrivate = false
		y.dispatch(t, y.URLs[0], o)
		y.move(t, "receive", sites[0], skus[0], 1)
		eventually(t, "it is seen to be refused", func() bool {
			waiting := y.deliveries(t, w, "pending")
			return len(waiting) == 1 && strings.Contains(waiting[0].LastError, "private network")
		})
		if _, calls := r.got(); calls > 0 {
			t.Error("it was sent")
		}
	})
}
