package worker_test

import (
	"crypto/rand"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
	"stockyard/service/worker"
)

// Holds lapse while the pod that tidies them is cut off: another goes on, and each is given up once.
func TestExpiryWorkerTidiesWhicheverPodLives(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := &pods{DB: db}
		const holds = 20
		var found [2]atomic.Int64
		var proxies [2]*storetest.Proxy
		var services [2]*service.Service
		for i := range services {
			st, proxy := p.open(t)
			proxies[i] = proxy
			services[i] = service.New(st, service.Options{Region: region, Topology: db.Topology})
			t.Cleanup(services[i].Close)
			start(t, st, 500*time.Millisecond, worker.Expiry(services[i], 50*time.Millisecond, func(n int, _ time.Duration) {
				found[i].Add(int64(n))
			}))
		}
		sku := rand.Text()
		stockUp(t, services[0], sku, holds)
		lapse := func(s *service.Service) {
			var ids []inventory.ID
			one := int64(1)
			for range holds {
				o, err := s.Reserve(t.Context(), service.Caller{Principal: auth.Nobody, Key: rand.Text()}, service.ReservationInput{
					ExpiresIn: "1s", Lines: []service.ReservationLineInput{{SKU: sku, Quantity: &one, Location: "NYC"}},
				})
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, o.Reservation.ID)
			}
			eventually(t, "all holds are tidied away", func() bool {
				for _, id := range ids {
					if r, err := db.Reservation(t.Context(), id); err != nil || r.Status != inventory.StatusExpired {
						return false
					}
				}
				return true
			})
		}
		lapse(services[0])
		victim := 0
		if found[1].Load() > 0 {
			victim = 1
		}
		proxies[victim].Refuse(true)
		proxies[victim].Cut()
		lapse(services[1-victim])
		if found[1-victim].Load() == 0 {
			t.Error("the pod that was left tidied nothing")
		}
		l, _, err := services[1-victim].Level(t.Context(), service.Caller{Principal: auth.Nobody}, "NYC", sku, service.Freshness{})
		if err != nil || l.Held != 0 || l.OnHand != holds || l.Version != 1+4*holds {
			t.Errorf("%+v, %v", l, err)
		}
		db.Verify(t)
	})
}

func stockUp(t *testing.T, s *service.Service, sku string, units int64) {
	t.Helper()
	_, _, err := s.PutLocation(t.Context(), service.Caller{Principal: auth.Nobody}, inventory.Location{Name: "NYC", Title: "NYC", Region: region, Kind: "store", Country: "US"}, service.Precondition{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.PutProduct(t.Context(), service.Caller{Principal: auth.Nobody}, inventory.Product{SKU: sku, Name: sku}, service.Precondition{}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Move(t.Context(), service.Caller{Principal: auth.Nobody, Key: rand.Text()}, service.MovementInput{
		Kind: "receive", Lines: []service.MovementLineInput{{Location: "NYC", SKU: sku, Quantity: &units}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
