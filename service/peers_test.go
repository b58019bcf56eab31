package service_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"stockyard/service"
	"stockyard/service/inventory"
)

func TestSameSKUTwiceInOneCommandIsCountedTogether(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc)
		if _, err := y.pods[1].Reserve(t.Context(), y.fresh(), reserve(sku, 6, nyc, nyc)); !isShort(err) {
			t.Errorf("12 of 10 units in two lines: %v", err)
		}
		if _, err := y.pods[1].Reserve(t.Context(), y.fresh(), reserve(sku, 6, "", "")); !isShort(err) {
			t.Errorf("12 of 10 units in two sourced lines: %v", err)
		}
		if _, err := y.pods[1].Move(t.Context(), y.fresh(), moveAll("sell", nyc, 6, sku, sku)); !isShort(err) {
			t.Errorf("12 of 10 units sold in two lines: %v", err)
		}
		y.wants(t, nyc, sku, 10, 0, 0, 0)
		y.must(t)(y.pods[1].Reserve(t.Context(), y.fresh(), reserve(sku, 5, nyc, nyc)))
		y.wants(t, nyc, sku, 10, 10, 0, 0)
	})
}

func TestSameSKUTwiceInOneBatchIsCountedTogether(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc)
		twice := []service.ReservationInput{reserve(sku, 6, nyc), reserve(sku, 6, "")}
		outcomes, err := y.pods[2].ReserveBatch(t.Context(), y.fresh(), service.Abort, twice)
		if err != nil || !isShort(outcomes[1].Err) || !errors.Is(outcomes[0].Err, service.ErrAborted) {
			t.Errorf("all or none: %s, %v", wordsOf(outcomes), err)
		}
		y.wants(t, nyc, sku, 10, 0, 0, 0)
		outcomes, err = y.pods[2].ReserveBatch(t.Context(), y.fresh(), service.Continue, twice)
		if err != nil || (outcomes[0].Err == nil) == (outcomes[1].Err == nil) || !isShort(outcomes[0].Err) && !isShort(outcomes[1].Err) {
			t.Errorf("each by itself: %s, %v", wordsOf(outcomes), err)
		}
		y.wants(t, nyc, sku, 10, 6, 0, 0)
	})
}

func TestWrongLocationFulfilmentCorruptsNeitherSite(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 5, nyc, lon)
		id := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), reserve(sku, 5, nyc))).Reservation.ID.String()
		y.must(t)(y.pods[1].Confirm(t.Context(), y.fresh(), id, service.StepInput{}))
		elsewhere := service.StepInput{Lines: []service.SelectionInput{{SKU: sku, Location: lon}}}
		if _, err := y.pods[1].Fulfil(t.Context(), y.fresh(), id, elsewhere); refusalOf(err) != inventory.Conflict {
			t.Errorf("shipped from a place that promised nothing: %v", err)
		}
		y.wants(t, nyc, sku, 5, 0, 5, 0)
		y.wants(t, lon, sku, 5, 0, 0, 0)
	})
}

// Ten at a time release or ship 3 of 7 units: two can, nobody gets more than is promised.
func TestReleasingMoreThanIsHeldIsImpossible(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 7, nyc)
		id := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), reserve(sku, 7, nyc))).Reservation.ID.String()
		y.must(t)(y.pods[0].Confirm(t.Context(), y.fresh(), id, service.StepInput{}))
		three := int64(3)
		part := service.StepInput{Lines: []service.SelectionInput{{SKU: sku, Quantity: &three}}}
		var released, shipped atomic.Int64
		atOnce(10, func(i int) {
			step, done := y.pods[i%3].Release, &released
			if i%2 == 0 {
				step, done = y.pods[i%3].Fulfil, &shipped
			}
			_, err := step(t.Context(), y.fresh(), id, part)
			switch {
			case err == nil:
				done.Add(1)
			case refusalOf(err) != inventory.Conflict:
				t.Error(err)
			}
		})
		if released.Load()+shipped.Load() != 2 {
			t.Errorf("%d released and %d shipped 3 units each of 7", released.Load(), shipped.Load())
		}
		y.wants(t, nyc, sku, 7-3*shipped.Load(), 0, 1, 0)
	})
}

// Promised and derived quantities are proven equal while everybody writes, not after a script ran.
func TestPromisedAndDerivedQuantitiesNeverDriftApart(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := []string{y.product(t, 40, sites...), y.product(t, 40, sites...)}
		done := make(chan struct{})
		var checks int
		var checker sync.WaitGroup
		checker.Go(func() {
			for {
				y.Verify(t)
				checks++
				select {
				case <-done:
					return
				default:
				}
			}
		})
		atOnce(9, func(i int) {
			for n := range y.size(25, 3) {
				y.liveThrough(t, y.pods[(i+n)%3], i*100+n, skus[n%2])
			}
		})
		close(done)
		checker.Wait()
		t.Logf("verified %d times meanwhile", checks)
	})
}

// liveThrough takes a reservation through one of the lives it can have, on several sites.
func (y *yard) liveThrough(t *testing.T, pod *service.Service, n int, sku string) {
	ctx := t.Context()
	o, err := pod.Reserve(ctx, y.fresh(), reserve(sku, int64(1+n%3), sites[n%3], sites[(n+1)%3]))
	if err != nil {
		if !isShort(err) {
			t.Error(err)
		}
		return
	}
	id, all := o.Reservation.ID.String(), service.StepInput{}
	steps := [][]func(context.Context, service.Caller, string, service.StepInput) (service.Outcome, error){
		{pod.Release},
		{pod.Confirm, pod.Release},
		{pod.Confirm, pod.Fulfil},
	}[n%3]
	for _, step := range steps {
		if _, err := step(ctx, y.fresh(), id, all); err != nil {
			t.Error(err)
		}
	}
	for _, kind := range []string{"quarantine", "restore", "return"} {
		if _, err := pod.Move(ctx, y.fresh(), move(kind, sites[n%3], sku, 1)); err != nil && refusalOf(err) == "" {
			t.Error(err)
		}
	}
}

// The shop counts at a version, sells on, and the count arrives among the sales.
func TestAbsoluteCountDoesNotCountSalesTwice(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku, sales := y.product(t, 100, nyc), int64(y.size(40, 15))
		y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), move("sell", nyc, sku, 10)))
		seen := y.level(t, nyc, sku).Version
		atOnce(int(sales)+1, func(i int) {
			if i > 0 {
				if _, err := y.pods[i%3].Move(t.Context(), y.fresh(), move("sell", nyc, sku, 1)); err != nil {
					t.Error(err)
				}
				return
			}
			counted := move("count", nyc, sku, 85) // the books said 90
			counted.AsOfVersion = &seen
			if _, err := y.pods[0].Move(t.Context(), y.fresh(), counted); err != nil {
				t.Error(err)
			}
		})
		y.wants(t, nyc, sku, 85-sales, 0, 0, 0)
	})
}

func TestCountingStockThatHasReservationsIsAllowed(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc)
		id := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), reserve(sku, 6, nyc))).Reservation.ID.String()
		y.must(t)(y.pods[1].Move(t.Context(), y.fresh(), move("count", nyc, sku, 8)))
		y.wants(t, nyc, sku, 8, 6, 0, 0)
		// Fewer are found than are promised: what can't be refused becomes shortfall, openly.
		o := y.must(t)(y.pods[2].Move(t.Context(), y.fresh(), move("count", nyc, sku, 4)))
		y.wants(t, nyc, sku, 6, 6, 0, 2)
		if len(o.Movement.Warnings) == 0 {
			t.Error("the count doesn't say that two units are short")
		}
		y.must(t)(y.pods[0].Release(t.Context(), y.fresh(), id, service.StepInput{}))
		y.must(t)(y.pods[1].Move(t.Context(), y.fresh(), move("count", nyc, sku, 4)))
		y.wants(t, nyc, sku, 4, 0, 0, 0)
	})
}

// A paid order whose stock is gone: the refusal says what is missing, the order is found under its
// reference, and what left all the same is a shortfall on the level and in the ledger.
func TestRefusedOrderIsVisible(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 3, nyc)
		in := reserve(sku, 3, nyc)
		in.ExpiresIn, in.OrderReference = "1s", y.run+"-order"
		placed := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), in)).Reservation
		y.lapsed(t, placed.ID)
		y.must(t)(y.pods[1].Move(t.Context(), y.fresh(), move("sell", nyc, sku, 2)))

		caller := y.fresh()
		_, err := y.pods[2].Confirm(t.Context(), caller, placed.ID.String(), service.StepInput{})
		wantGone(t, err, sku)
		_, err = y.pods[0].Confirm(t.Context(), caller, placed.ID.String(), service.StepInput{})
		wantGone(t, err, sku) // also when asked again

		list, err := y.pods[1].Reservations(t.Context(), tester, service.ReservationsQuery{OrderReference: in.OrderReference}, service.Page{Size: 10})
		if err != nil || len(list.Items) != 1 || list.Items[0].Status != inventory.StatusExpired {
			t.Errorf("the order is listed as %+v, %v", list.Items, err)
		}

		yes, sold := true, move("sell", nyc, sku, 4)
		sold.AllowShortfall = &yes
		o := y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), sold))
		if len(o.Movement.Warnings) != 1 {
			t.Errorf("warnings: %q", o.Movement.Warnings)
		}
		y.wants(t, nyc, sku, 0, 0, 0, 3)
		if l := y.level(t, nyc, sku); l.Available != -3 {
			t.Errorf("available is %d", l.Available)
		}
	})
}

func wantGone(t *testing.T, err error, sku string) {
	t.Helper()
	refusal := refusal(err)
	if refusal == nil || refusal.Kind != inventory.ReservationExpired || len(refusal.Shortages) != 1 {
		t.Fatalf("confirmed what is gone: %v", err)
	}
	if s := refusal.Shortages[0]; s.SKU != sku || s.Location != nyc || s.Requested != 3 || s.Available != 1 {
		t.Errorf("the shortage is %+v", s)
	}
}

// A hold is a row, not a lock: while its payment runs, for however long, others buy beside it.
func TestNoRowIsLockedWhileAPaymentRuns(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc)
		id := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), reserve(sku, 5, nyc))).Reservation.ID.String()
		release := y.block(t, nyc, sku) // gets the row at once, although the payment runs
		release()
		y.must(t)(y.pods[1].Move(t.Context(), y.fresh(), move("sell", nyc, sku, 5)))
		y.must(t)(y.pods[0].Confirm(t.Context(), y.fresh(), id, service.StepInput{}))
		y.wants(t, nyc, sku, 5, 0, 5, 0)
	})
}
