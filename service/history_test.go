package service_test

import (
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
)

// ledger gives all events of a level.
func (y *yard) ledger(t *testing.T, site, sku string) []service.EventAnswer {
	t.Helper()
	list, err := y.pods[0].Events(t.Context(), tester, site, sku, 0, service.Page{Size: service.MaxPageSize})
	if err != nil || list.NextPageToken != "" {
		t.Fatal(list.NextPageToken, err)
	}
	return list.Items
}

// foldTo adds up the events that some time is not after, the slow and sure way.
func foldTo(events []service.EventAnswer, at time.Time, when func(service.EventAnswer) time.Time) (sum inventory.Balances, version int64) {
	for _, e := range events {
		if when(e).After(at) {
			continue
		}
		sum.OnHand += e.Deltas.OnHand
		sum.Held += e.Deltas.Held
		sum.Allocated += e.Deltas.Allocated
		sum.Quarantined += e.Deltas.Quarantined
		sum.Shortfall += e.Deltas.Shortfall
		version = e.Version
	}
	return sum, version
}

// A level as of any moment, on either axis, is the sum of the events up to then: found quickly in a
// ledger of any length, and the same from every region.
func TestLevelAsOfAnyMomentOnBothAxes(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 1000, nyc)
		base := time.Now().UTC().Truncate(time.Microsecond)
		for i := range 80 {
			in := move([]string{"receive", "sell", "quarantine", "restore"}[i%4], nyc, sku, int64(1+i%3))
			if i%5 == 0 { // reported later than it happened
				in.EffectiveAt = new(base.Add(-time.Duration(i) * 37 * time.Hour))
			}
			y.must(t)(y.pods[i%3].Move(t.Context(), y.fresh(), in))
		}
		events := y.ledger(t, nyc, sku)
		moments := []time.Time{base.Add(-100 * 365 * 24 * time.Hour), base, time.Now()}
		for _, e := range events {
			moments = append(moments, e.RecordedAt, e.RecordedAt.Add(-time.Microsecond), e.EffectiveAt, e.EffectiveAt.Add(-time.Microsecond))
		}
		axes := map[service.Axis]func(service.EventAnswer) time.Time{
			service.Recorded:  func(e service.EventAnswer) time.Time { return e.RecordedAt },
			service.Effective: func(e service.EventAnswer) time.Time { return e.EffectiveAt },
		}
		for i, at := range moments {
			for axis, when := range axes {
				got, err := y.pods[i%3].LevelAsOf(t.Context(), tester, nyc, sku, at, axis)
				want, version := foldTo(events, at, when)
				if err != nil || got.Balances != want || got.Version != version {
					t.Fatalf("%s as of %s: %+v at version %d, %v; want %+v at %d", axis, at, got.Balances, got.Version, err, want, version)
				}
			}
		}
	})
}

// What was archived since has a past all the same; what never was has none.
func TestHistoryOutlivesItsProduct(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 3, nyc)
		full := time.Now()
		y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), move("sell", nyc, sku, 3)))
		if err := y.pods[0].ArchiveProduct(t.Context(), tester, sku, service.Precondition{}); err != nil {
			t.Fatal(err)
		}
		then, err := y.pods[1].LevelAsOf(t.Context(), tester, nyc, sku, full, "")
		if err != nil || then.OnHand != 3 {
			t.Errorf("%+v, %v", then, err)
		}
		_, err = y.pods[1].LevelAsOf(t.Context(), tester, nyc, sku+"-never", full, "")
		if refusalOf(err) != inventory.NotFound {
			t.Errorf("a SKU that never was: %v", err)
		}
		_, err = y.pods[1].LevelAsOf(t.Context(), tester, nyc, sku, full.Add(time.Hour), "sideways")
		if r := refusal(err); r == nil || len(r.Fields) != 2 {
			t.Errorf("a future moment on an axis that isn't: %v", err)
		}
	})
}
