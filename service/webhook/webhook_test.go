package webhook_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/secrets"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
	"stockyard/service/webhook/signature"
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

// An endpoint that answers nothing, and one that isn't there, delay no other; they have everything
// once they are back, though more waits for them than may lie in the database at once.
func TestADeadEndpointDelaysNoOther(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 2)
		dead, healthy := receive(t, nil), receive(t, nil)
		hang := make(chan struct{})
		hanging := receive(t, func(*message) int { <-hang; return 0 })
		var once sync.Once
		release := func() { once.Do(func() { close(hang) }) }
		defer release()
		dead.becomes(func(*message) int { return 0 })
		o := quick()
		o.Outstanding = 300
		y.dispatch(t, y.URLs[0], o)
		late, gone := y.put(t, hanging.URL, skus), y.put(t, dead.URL, skus)
		y.put(t, healthy.URL, skus)
		y.write(t, skus, 4, 150)
		eventually(t, "the healthy one has everything", func() bool { return healthy.hasAll(t, y, skus) })
		healthy.inOrder(t)
		for _, w := range []service.WebhookAnswer{late, gone} {
			if n := len(y.deliveries(t, w, "")); n > 300 {
				t.Errorf("%d deliveries lie in the database", n)
			}
		}
		eventually(t, "the dead one is seen to be failing", func() bool {
			w, err := y.pod.Webhook(t.Context(), tester, gone.Name)
			return err == nil && w.FailingSince != nil && w.Active
		})
		hanging.becomes(nil)
		dead.becomes(nil)
		release()
		for name, r := range map[string]*receiver{"hanging": hanging, "dead": dead} {
			eventually(t, "the "+name+" one has everything", func() bool { return r.hasAll(t, y, skus) })
			r.inOrder(t)
		}
		eventually(t, "the dead one is well", func() bool {
			w, err := y.pod.Webhook(t.Context(), tester, gone.Name)
			return err == nil && w.FailingSince == nil
		})
	})
}

// A level whose message is refused waits; others go on.
func TestARefusedMessageHoldsUpItsLevelAlone(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 2)
		r := receive(t, func(m *message) int {
			if m.event.Data.SKU == skus[0] && m.event.Data.Version == 2 {
				return http.StatusUnprocessableEntity
			}
			return http.StatusOK
		})
		y.put(t, r.URL, skus)
		y.dispatch(t, y.URLs[0], quick())
		for range 5 {
			y.move(t, "receive", sites[0], skus[0], 1)
			y.move(t, "receive", sites[0], skus[1], 1)
		}
		eventually(t, "the other level has come", func() bool { return r.hasAll(t, y, skus[1:]) })
		if got := r.levels()[sites[0]+"/"+skus[0]]; len(got) > 1 {
			t.Errorf("of the level whose second message is refused came %v", got)
		}
		r.becomes(nil)
		eventually(t, "all has come", func() bool { return r.hasAll(t, y, skus) })
		r.inOrder(t)
	})
}

// A level of which hundreds of messages wait leaves the others their turn.
func TestALevelWithABacklogDelaysNoOther(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 2)
		hold := make(chan struct{})
		r := receive(t, func(*message) int { <-hold; return http.StatusOK })
		w := y.put(t, r.URL, skus)
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				for range 16 {
					y.move(t, "receive", sites[0], skus[0], 1)
				}
			})
		}
		all.Wait()
		y.move(t, "receive", sites[0], skus[1], 1)
		y.dispatch(t, y.URLs[0], quick())
		eventually(t, "everything waits", func() bool { return len(y.deliveries(t, w, "pending")) == 641 })
		close(hold)
		eventually(t, "the other level has come", func() bool { return r.hasAll(t, y, skus[1:]) })
		if taken, _ := r.got(); len(taken) > 200 {
			t.Errorf("the other level came after %d messages", len(taken)-1)
		}
		eventually(t, "all has come", func() bool { return r.hasAll(t, y, skus) })
		r.inOrder(t)
	})
}

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

// While a secret is changed, messages are signed with both; then with the new one alone.
func TestSecretsRotateWithOverlap(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		r := receive(t, nil)
		w := y.put(t, r.URL, skus)
		first, second := secretOf(t, w.Secret), signature.New()
		y.dispatch(t, y.URLs[0], quick())
		signed := func(n int, by ...signature.Secret) {
			t.Helper()
			y.move(t, "receive", sites[0], skus[0], 1)
			eventually(t, "it has come", func() bool { taken, _ := r.got(); return len(taken) == n })
			taken, _ := r.got()
			m := taken[n-1]
			if got := len(strings.Fields(m.header.Get("webhook-signature"))); got != len(by) {
				t.Errorf("%d signatures, not %d", got, len(by))
			}
			for _, s := range by {
				if err := s.Verify(m.header, m.body, time.Now()); err != nil {
					t.Error(err)
				}
			}
			// What a change of the webhook cuts off before it is written down comes again.
			eventually(t, "it is delivered", func() bool { return len(y.deliveries(t, w, "delivered")) == n })
		}
		signed(1, first)
		in := service.WebhookInput{URL: r.URL, Filter: service.WebhookFilter{SKUs: skus}}
		if got := y.change(t, w.Name, in); got.Secret != "" || got.OldSecretUntil != nil {
			t.Errorf("without a secret in it, a PUT shows %+v", got)
		}
		signed(2, first)
		in.Secret = second.Reveal()
		for range 2 { // the same again changes nothing
			if got := y.change(t, w.Name, in); got.Secret != "" || got.OldSecretUntil == nil || got.OldSecretUntil.Sub(got.UpdatedAt) > service.SecretOverlap {
				t.Errorf("put with another secret: %+v", got)
			}
		}
		signed(3, second, first)
		third := signature.New()
		in.Secret = third.Reveal()
		y.change(t, w.Name, in)
		signed(4, third, second, first)
		in.Secret = second.Reveal() // back again
		y.change(t, w.Name, in)
		signed(5, second, third, first)
		y.Exec(t, "UPDATE webhooks SET old_secret_until = now() - '1s'::interval WHERE name = '"+w.Name+"'")
		signed(6, second)
	})
}

// A pod that hasn't the key of a secret doesn't replace it unasked: the others have.
func TestASecretThatAPodCannotOpenStays(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		w := y.put(t, "https://example.com/hooks", y.products(t, 1))
		others, err := secrets.New()
		if err != nil {
			t.Fatal(err)
		}
		pod := service.New(y.Store, service.Options{
			Region: y.Topology.Primary, Topology: y.Topology,
			Webhooks: service.WebhookOptions{Secrets: others, From: func(context.Context) (string, error) { return "", nil }},
		})
		t.Cleanup(pod.Close)
		in := service.WebhookInput{URL: "https://example.com/elsewhere"}
		var refusal *inventory.Refusal
		if _, _, err := pod.PutWebhook(t.Context(), tester, w.Name, in, service.Precondition{}); !errors.As(err, &refusal) || refusal.Kind != inventory.Conflict {
			t.Errorf("without a secret: %v", err)
		}
		if now, err := y.pod.Webhook(t.Context(), tester, w.Name); err != nil || now.Version != w.Version {
			t.Errorf("it has become %+v, %v", now, err)
		}
		in.Secret = signature.New().Reveal()
		if _, _, err := pod.PutWebhook(t.Context(), tester, w.Name, in, service.Precondition{}); err != nil {
			t.Errorf("with a secret: %v", err)
		}
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

// Once keys were rotated, secrets are sealed with the newest one, and the older ones may go.
func TestSecretsAreSealedWithTheNewestKey(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		w := y.put(t, "http://127.0.0.1:1/", y.products(t, 1))
		sealed := func() []byte {
			t.Helper()
			got, err := y.Webhook(t.Context(), y.Topology.Primary, w.Name)
			if err != nil {
				t.Fatal(err)
			}
			return got.Secret
		}
		rotated, err := y.keys.Rotate()
		if err != nil {
			t.Fatal(err)
		}
		if rotated.Fresh(sealed()) {
			t.Fatal("it is sealed with a key that wasn't there")
		}
		y.keys = rotated
		y.dispatch(t, y.URLs[0], quick())
		eventually(t, "it is sealed with the newest key", func() bool { return rotated.Fresh(sealed()) })
		if text, err := rotated.Open(service.WebhookOwner(w.Name), sealed()); err != nil || string(text) != w.Secret {
			t.Errorf("it opens as another secret: %v", err)
		}
	})
}

// A webhook that is deleted takes its deliveries along; one of its name begins anew.
func TestWhatADeletedWebhookLeavesIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		dead := receive(t, func(*message) int { return 0 })
		w := y.put(t, dead.URL, skus)
		stop := y.dispatch(t, y.URLs[0], quick())
		y.move(t, "receive", sites[0], skus[0], 1)
		eventually(t, "something waits", func() bool { return len(y.deliveries(t, w, "pending")) == 1 })
		before, err := y.Webhook(t.Context(), y.Topology.Primary, w.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := y.pod.DeleteWebhook(t.Context(), tester, w.Name, service.Precondition{}); err != nil {
			t.Fatal(err)
		}
		y.change(t, w.Name, service.WebhookInput{URL: dead.URL, Filter: service.WebhookFilter{SKUs: skus}})
		if n := len(y.deliveries(t, w, "")); n > 0 {
			t.Errorf("the new one has %d deliveries of the old one", n)
		}
		stop()
		y.dispatch(t, y.URLs[0], quick())
		eventually(t, "its deliveries are gone", func() bool {
			left, err := y.Deliveries(t.Context(), store.DeliveryFilter{Region: before.Region, Webhook: before.UUID, Before: time.Now().Add(time.Hour), Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return len(left) == 0
		})
	})
}

// What is done with is deleted after a while.
func TestWhatIsDoneWithIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		r := receive(t, nil)
		w := y.put(t, r.URL, skus)
		o := quick()
		stop := y.dispatch(t, y.URLs[0], o)
		y.move(t, "receive", sites[0], skus[0], 1)
		eventually(t, "it is delivered", func() bool { return len(y.deliveries(t, w, "delivered")) == 1 })
		stop()
		o.KeepDelivered = time.Nanosecond
		y.dispatch(t, y.URLs[0], o)
		eventually(t, "it is gone", func() bool { return len(y.deliveries(t, w, "")) == 0 })
	})
}
