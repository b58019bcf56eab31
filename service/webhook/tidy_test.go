package webhook_test

import (
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/store"
)

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
