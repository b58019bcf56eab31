package service_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// lease takes the right to expire holds of a region.
func (y *yard) lease(t *testing.T, region int, holder string, life time.Duration) store.Lease {
	t.Helper()
	lease, ok, err := y.TakeLease(t.Context(), y.Topology.Regions[region].Name, "expiry-"+y.run+holder, holder, life)
	if err != nil || !ok {
		t.Fatalf("no lease: %t, %v", ok, err)
	}
	return lease
}

// hold reserves units for a second, the shortest that a hold lasts.
func (y *yard) hold(t *testing.T, sku string, units int64, at ...string) inventory.ID {
	t.Helper()
	in := reserve(sku, units, at...)
	in.ExpiresIn = "1s"
	return y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), in)).Reservation.ID
}

// lapsed waits until holds are over by the database's clock, whether or not they were tidied away.
func (y *yard) lapsed(t *testing.T, ids ...inventory.ID) {
	t.Helper()
	for _, id := range ids {
		eventually(t, "the hold lapses", func() bool {
			r, _, err := y.pods[0].Reservation(t.Context(), tester, id.String())
			return err == nil && r.Status == inventory.StatusExpired
		})
	}
}

func (y *yard) availability(t *testing.T, skus []string) []service.Availability {
	t.Helper()
	all, _, err := y.pods[0].AvailabilityOf(t.Context(), tester, skus, "", "", service.Freshness{})
	if err != nil || len(all) != len(skus) {
		t.Fatalf("%d answers for %d SKUs, %v", len(all), len(skus), err)
	}
	return all
}

// expireAll runs the expiry worker's work until nothing of the test's is left to do. Holds of other
// tests may be among it.
func (y *yard) expireAll(t *testing.T) {
	t.Helper()
	for region := range y.pods {
		lease := y.lease(t, region, "tidy", time.Minute)
		if _, _, err := y.pods[region].ExpireLapsed(t.Context(), lease, 1000); err != nil {
			t.Error(err)
		}
	}
}

func TestHoldBlocksNeitherItsOwnShopperNorAnybodyAfterItExpired(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 2, nyc)
		own := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), reserve(sku, 2, nyc))).Reservation.ID.String()
		y.must(t)(y.pods[1].Confirm(t.Context(), y.fresh(), own, service.StepInput{}))
		y.must(t)(y.pods[1].Fulfil(t.Context(), y.fresh(), own, service.StepInput{}))

		y.receive(t, nyc, sku, 2)
		y.lapsed(t, y.hold(t, sku, 2, nyc))
		if l := y.level(t, nyc, sku); l.Available != 2 || l.Held != 0 {
			t.Errorf("an expired hold is counted: %+v", l)
		}
		for _, skus := range [][]string{{sku}, {sku, sku, sku}} { // however often somebody asks
			for _, a := range y.availability(t, skus) {
				if a.Available != 2 || a.ByLocation[0].Available != 2 {
					t.Errorf("asked for %d times, an expired hold is counted: %+v", len(skus), a)
				}
			}
		}
		y.must(t)(y.pods[2].Reserve(t.Context(), y.fresh(), reserve(sku, 1, nyc)))
		y.must(t)(y.pods[2].Move(t.Context(), y.fresh(), move("sell", nyc, sku, 1)))
		y.wants(t, nyc, sku, 1, 1, 0, 0)
	})
}

// The worker, a buyer who wants the units and the late shopper come at the same moment: the units
// go to exactly one of the latter two, and are given up once.
func TestConfirmRacesWithExpiryExactlyOneWins(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		leases := make([]store.Lease, 2)
		for i := range leases {
			leases[i] = y.lease(t, i, "racer", time.Minute)
		}
		skus := make([]string, y.size(8, 4))
		ids := make([]inventory.ID, len(skus))
		for i := range skus {
			skus[i] = y.product(t, 2, nyc, lon)
		}
		for i, sku := range skus {
			ids[i] = y.hold(t, sku, 2, nyc, lon)
		}
		y.lapsed(t, ids...)
		won := map[string]int{}
		for i, sku := range skus {
			var confirm, buy error
			atOnce(3, func(n int) {
				switch n {
				case 0:
					_, confirm = y.pods[0].Confirm(t.Context(), y.fresh(), ids[i].String(), service.StepInput{})
				case 1:
					_, buy = y.pods[1].Reserve(t.Context(), y.fresh(), reserve(sku, 2, lon))
				case 2:
					if _, _, err := y.pods[2].ExpireLapsed(t.Context(), leases[0], 1000); err != nil {
						t.Error(err)
					}
				}
			})
			switch {
			case confirm == nil && isShort(buy):
				won["the shopper"]++
				y.wants(t, nyc, sku, 2, 0, 2, 0)
				y.wants(t, lon, sku, 2, 0, 2, 0)
			case refusalOf(confirm) == inventory.ReservationExpired && buy == nil:
				won["the buyer"]++
				y.wants(t, nyc, sku, 2, 0, 0, 0)
				y.wants(t, lon, sku, 2, 2, 0, 0)
			default:
				t.Errorf("confirm: %v; buyer: %v", confirm, buy)
			}
		}
		t.Log(won)
	})
}

// As its time runs out a hold is released by its shopper and expired by two pods' workers.
func TestHoldEndsInOneWayOnly(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		units := int64(y.size(12, 6))
		sku := y.product(t, units, nyc)
		lease := y.lease(t, 0, "ends", time.Minute)
		ids := make([]inventory.ID, units)
		for i := range ids {
			ids[i] = y.hold(t, sku, 1, nyc)
		}
		atOnce(int(units)+2, func(i int) {
			if i < 2 {
				eventually(t, "every hold ends", func() bool {
					_, _, err := y.pods[i].ExpireLapsed(t.Context(), lease, 1000)
					if err != nil {
						t.Error(err)
					}
					return y.open(t, ids) == 0
				})
				return
			}
			r, _, err := y.pods[2].Reservation(t.Context(), tester, ids[i-2].String())
			if err != nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Until(*r.ExpiresAt) - time.Duration(i)*2*time.Millisecond)
			_, err = y.pods[2].Release(t.Context(), y.fresh(), r.ID.String(), service.StepInput{})
			if err != nil && refusalOf(err) != inventory.Conflict {
				t.Error(err)
			}
		})
		y.wants(t, nyc, sku, units, 0, 0, 0)
	})
}

// open is how many reservations are held, as their rows say.
func (y *yard) open(t *testing.T, ids []inventory.ID) (n int) {
	for _, id := range ids {
		r, err := y.Reservation(t.Context(), id)
		if err != nil {
			t.Error(err)
		}
		if r.Status == inventory.StatusHeld {
			n++
		}
	}
	return n
}

func TestWorkerTidiesLapsedHolds(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a, b := y.product(t, 9, sites...), y.product(t, 9, sites...)
		near := y.hold(t, a, 1, nyc)
		several := y.hold(t, b, 2, nyc, lon, sin, nyc) // several lines, over all regions
		far := y.hold(t, a, 3, sin)
		live := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), reserve(a, 4, nyc))).Reservation.ID
		y.lapsed(t, near, several, far)
		if !several.Spans() {
			t.Error("the id doesn't say that its lines lie in several regions")
		}
		y.expireAll(t)
		y.expireAll(t)
		for _, want := range []struct {
			site, sku string
			held      int64
			events    []inventory.Kind
		}{
			{nyc, a, 4, []inventory.Kind{"receive", "reserve", "reserve", "expire"}},
			{sin, a, 0, []inventory.Kind{"receive", "reserve", "expire"}},
			{nyc, b, 0, []inventory.Kind{"receive", "reserve", "reserve", "expire", "expire"}},
			{lon, b, 0, []inventory.Kind{"receive", "reserve", "expire"}},
			{sin, b, 0, []inventory.Kind{"receive", "reserve", "expire"}},
		} {
			y.wants(t, want.site, want.sku, 9, want.held, 0, 0)
			if got := y.kinds(t, want.site, want.sku); fmt.Sprint(got) != fmt.Sprint(want.events) {
				t.Errorf("%s at %s: events %v, want %v", want.sku, want.site, got, want.events)
			}
		}
		y.wantStored(t, several, inventory.StatusExpired)
		y.wantStored(t, far, inventory.StatusExpired)
		y.wantStored(t, live, inventory.StatusHeld)
	})
}

// kinds lists what happened to a level, as the ledger has it.
func (y *yard) kinds(t *testing.T, site, sku string) (kinds []inventory.Kind) {
	t.Helper()
	region := y.level(t, site, sku).Region
	events, err := y.Events(t.Context(), inventory.LevelKey{Region: region, SKU: sku, Location: site}, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// wantStored looks at the status in the row, not at the one that follows from the time.
func (y *yard) wantStored(t *testing.T, id inventory.ID, want inventory.Status) {
	t.Helper()
	r, err := y.Reservation(t.Context(), id)
	if err != nil || r.Status != want {
		t.Errorf("reservation %s is stored as %q, %v; want %q", id, r.Status, err, want)
	}
}

// Units that a buyer's command took over from a lapsed hold are not given up again by the worker.
func TestLazilyExpiredLinesAndTheWorkerDontDouble(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 3, nyc, lon)
		id := y.hold(t, sku, 3, nyc, lon)
		y.lapsed(t, id)
		lease := y.lease(t, 0, "doubles", time.Minute)
		atOnce(6, func(i int) {
			var err error
			if i%2 == 0 {
				_, err = y.pods[i%3].Reserve(t.Context(), y.fresh(), reserve(sku, 1, nyc))
			} else {
				_, _, err = y.pods[i%3].ExpireLapsed(t.Context(), lease, 1000)
			}
			if err != nil {
				t.Error(err)
			}
		})
		y.expireAll(t)
		y.wants(t, nyc, sku, 3, 3, 0, 0)
		y.wants(t, lon, sku, 3, 0, 0, 0)
		y.wantStored(t, id, inventory.StatusExpired)
		for _, site := range []string{nyc, lon} {
			expired := 0
			for _, kind := range y.kinds(t, site, sku) {
				if kind == inventory.KindExpire {
					expired++
				}
			}
			if expired != 1 {
				t.Errorf("the hold at %s expired %d times", site, expired)
			}
		}
	})
}

func TestWorkUnderAnOldLeaseIsRefused(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 2, nyc)
		id := y.hold(t, sku, 2, nyc)
		y.lapsed(t, id)
		stale := y.lease(t, 0, "first", time.Millisecond)
		var lease store.Lease
		eventually(t, "another takes the lease over", func() bool {
			var ok bool
			var err error
			lease, ok, err = y.TakeLease(t.Context(), stale.Region, stale.Name, "second", time.Minute)
			return ok && err == nil
		})
		if _, _, err := y.pods[0].ExpireLapsed(t.Context(), stale, 1000); !errors.Is(err, service.ErrFenced) {
			t.Errorf("the one before went on: %v", err)
		}
		y.wantStored(t, id, inventory.StatusHeld)
		if _, _, err := y.pods[1].ExpireLapsed(t.Context(), lease, 1000); err != nil {
			t.Error(err)
		}
		y.wantStored(t, id, inventory.StatusExpired)
	})
}
