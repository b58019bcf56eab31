package service_test

import (
	"errors"
	"testing"

	"stockyard/service"
	"stockyard/service/inventory"
)

func TestOneBadCommandDoesNotFailTheBatch(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc)
		items := []service.MovementInput{
			move("sell", nyc, sku, 1),
			move("sell", nyc, sku, 1000),        // too many
			move("sell", "NOWHERE", sku, 1),     // no such place
			move("sell", nyc, y.run+"-none", 1), // no such product
			move("smell", nyc, sku, 1),          // no such kind
			{Kind: "sell"},                      // no lines
			move("receive", lon, sku, 1<<63-1),  // as many as there can be
			move("receive", lon, sku, 1),        // and one more
			move("sell", nyc, sku, 2),
		}
		caller := y.fresh()
		outcomes, err := y.pods[0].MoveBatch(t.Context(), caller, service.Continue, items)
		if err != nil {
			t.Fatal(err)
		}
		// The items run side by side: which of the two receipts finds no room is open.
		full := 6
		if outcomes[6].Err == nil {
			full = 7
		}
		for i, o := range outcomes {
			want := map[int]inventory.RefusalKind{
				1: inventory.InsufficientStock, 2: inventory.NotFound, 3: inventory.NotFound,
				4: inventory.Invalid, 5: inventory.Invalid, full: inventory.Conflict,
			}[i]
			if refusalOf(o.Err) != want || want == "" && o.Err != nil {
				t.Errorf("item %d: %v, want %q", i, o.Err, want)
			}
		}
		y.wants(t, nyc, sku, 7, 0, 0, 0)

		again, err := y.pods[2].MoveBatch(t.Context(), caller, service.Continue, items)
		if err != nil || wordsOf(again) != wordsOf(outcomes) || !again[0].Replayed || !again[8].Replayed {
			t.Errorf("sent again: %s, %v; before: %s", wordsOf(again), err, wordsOf(outcomes))
		}
		y.wants(t, nyc, sku, 7, 0, 0, 0)
		if _, err := y.pods[1].MoveBatch(t.Context(), caller, service.Continue, items[:2]); !errors.Is(err, service.ErrKeyReused) {
			t.Errorf("another batch under its key: %v", err)
		}
	})
}

func TestAllOrNothingBatchTakesEffectTogether(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, sites...)
		items := []service.MovementInput{
			move("sell", nyc, sku, 1), move("sell", lon, sku, 11), move("sell", sin, sku, 1),
		}
		caller := y.fresh()
		outcomes, err := y.pods[0].MoveBatch(t.Context(), caller, service.Abort, items)
		if err != nil || !isShort(outcomes[1].Err) || !errors.Is(outcomes[0].Err, service.ErrAborted) || !errors.Is(outcomes[2].Err, service.ErrAborted) {
			t.Errorf("%s, %v", wordsOf(outcomes), err)
		}
		for _, site := range sites {
			y.wants(t, site, sku, 10, 0, 0, 0)
		}
		items[1] = move("sell", lon, sku, 10)
		caller = y.fresh()
		atOnce(6, func(i int) {
			outcomes, err := y.pods[i%3].MoveBatch(t.Context(), caller, service.Abort, items)
			if err != nil || outcomes[0].Err != nil || outcomes[1].Err != nil || outcomes[2].Err != nil {
				t.Errorf("%s, %v", wordsOf(outcomes), err)
			}
		})
		y.wants(t, nyc, sku, 9, 0, 0, 0)
		y.wants(t, lon, sku, 0, 0, 0, 0)
		y.wants(t, sin, sku, 9, 0, 0, 0)
	})
}

// The same batch comes from three regions at once, as when a client's retries overtake each other.
func TestBatchSentTwiceAtOnceTakesEffectOnce(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku, caller := y.product(t, 100, sites...), y.fresh()
		var items []service.ReservationInput
		for i := range y.size(20, 9) {
			items = append(items, reserve(sku, 1, sites[i%3]), reserve(sku, 1, ""))
		}
		atOnce(3, func(i int) {
			outcomes, err := y.pods[i].ReserveBatch(t.Context(), caller, service.Continue, items)
			if err != nil {
				t.Error(err)
			}
			for _, o := range outcomes {
				if o.Err != nil {
					t.Error(o.Err)
				}
			}
		})
		var held int64
		for _, site := range sites {
			held += y.level(t, site, sku).Held
		}
		if held != int64(len(items)) {
			t.Errorf("%d units are held for %d reservations", held, len(items))
		}
	})
}
