package webhook_test

import (
	"net/http"
	"sync"
	"testing"

	"stockyard/service"
)

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
