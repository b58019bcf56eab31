package inventory_test

import (
	"testing"
	"time"

	"stockyard/service/inventory"
)

// lapse lets every hold of the world run out; nobody tidies them away.
func (w *world) lapse() { w.now = w.now.Add(inventory.DefaultHold) }

func TestExpiredHoldNeverBlocksASale(t *testing.T) { // peers.md 10
	for name, buy := range map[string]func(*world) inventory.Command{
		"sell":                  func(w *world) inventory.Command { return w.move(inventory.KindSell, line(tea, 5)) },
		"adjust":                func(w *world) inventory.Command { return w.move(inventory.KindAdjust, line(tea, -5)) },
		"scrap":                 func(w *world) inventory.Command { return w.move(inventory.KindScrap, line(tea, 5)) },
		"quarantine":            func(w *world) inventory.Command { return w.move(inventory.KindQuarantine, line(tea, 5)) },
		"reserve at a location": func(w *world) inventory.Command { return w.hold(from(tea, 5)) },
		"reserve anywhere":      func(w *world) inventory.Command { return w.hold(anywhere("tea", 5)) },
		"in a group": func(w *world) inventory.Command {
			return &inventory.Group{Commands: []inventory.Command{w.hold(from(tea, 2)), w.hold(anywhere("tea", 3))}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := stock(t, map[inventory.LevelKey]int64{tea: 5})
			holds := []inventory.ID{w.reserve(t, from(tea, 2)), w.reserve(t, from(tea, 2))}
			w.now = w.now.Add(inventory.DefaultHold - 1)
			w.refuse(t, inventory.InsufficientStock, buy(w))
			w.now = w.now.Add(1)
			w.accept(t, buy(w))
			for _, id := range holds {
				w.shows(t, id, 1, 0, 0, 0, 0, 2)
			}
		})
	}
}

func TestOnlyAsManyLapsedHoldsEndAsASaleNeeds(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 6})
	first, second := w.reserve(t, from(tea, 3)), w.reserve(t, from(tea, 3))
	w.lapse()
	sale := w.move(inventory.KindSell, line(tea, 2))
	w.accept(t, sale)
	w.shows(t, first, 1, 0, 0, 0, 0, 3)
	w.shows(t, second, 1, 3, 0, 0, 0, 0)
	ended := w.ledger[tea][3]
	if ended.Kind != inventory.KindExpire || *ended.Reservation != first || ended.Command != sale.ID {
		t.Errorf("the end of the hold is recorded as %+v", ended)
	}
}

func TestACountEndsLapsedHoldsBeforeItCallsStockShort(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 10})
	w.reserve(t, from(tea, 8))
	w.lapse()
	w.accept(t, w.move(inventory.KindCount, line(tea, 1)))
	w.has(t, tea, balances{OnHand: 1})
}

func TestAHoldDoesNotBlockItsOwnShopper(t *testing.T) { // peers.md 10
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	id := w.reserve(t, from(tea, 3), from(tea, 2))
	w.accept(t, w.confirm(id))
	w.has(t, tea, balances{OnHand: 5, Allocated: 5})

	late := stock(t, map[inventory.LevelKey]int64{tea: 5})
	id = late.reserve(t, from(tea, 3), from(tea, 2))
	late.lapse()
	late.accept(t, late.confirm(id))
	late.has(t, tea, balances{OnHand: 5, Allocated: 5})
}

func TestConfirmAfterExpiryTakesUnitsAgainOrRefuses(t *testing.T) { // peers.md 10
	tidied := map[string]func(*testing.T, *world, inventory.ID){
		"nobody came by":       func(*testing.T, *world, inventory.ID) {},
		"the worker came by":   func(t *testing.T, w *world, id inventory.ID) { w.accept(t, w.expire(id)) },
		"a sale took them out": func(t *testing.T, w *world, _ inventory.ID) { w.accept(t, w.move(inventory.KindSell, line(tea, 6))) },
	}
	for name, tidy := range tidied {
		t.Run(name, func(t *testing.T) {
			w := stock(t, map[inventory.LevelKey]int64{tea: 10})
			id := w.reserve(t, from(tea, 4), from(tea, 1))
			w.lapse()
			tidy(t, w, id)
			left := w.levels[tea].OnHand
			if left < 5 {
				refusal := w.refuse(t, inventory.ReservationExpired, w.confirm(id))
				if s := refusal.Shortages; len(s) != 1 || s[0].Line != 2 || s[0].Requested != 1 || s[0].Available != 0 {
					t.Errorf("the shortage is %+v", s)
				}
				w.accept(t, w.move(inventory.KindReceive, line(tea, 1)))
				left++
			}
			if a := w.accept(t, w.confirm(id)).Reservation; a.Status != inventory.StatusAllocated || a.ExpiresAt != nil {
				t.Errorf("answered %+v", a)
			}
			w.has(t, tea, balances{OnHand: left, Allocated: 5})
			w.shows(t, id, 1, 0, 4, 0, 0, 0)
		})
	}
}

func TestConfirmRacesWithExpiryExactlyOneWins(t *testing.T) { // peers.md 10
	for name, order := range map[string][3]int{"the worker first": {0, 1, 2}, "the rival first": {2, 1, 0}, "confirm first": {1, 0, 2}} {
		t.Run(name, func(t *testing.T) {
			w := stock(t, map[inventory.LevelKey]int64{tea: 3})
			id := w.reserve(t, from(tea, 3))
			w.lapse()
			all := []inventory.Command{w.expire(id), w.confirm(id), w.hold(from(tea, 3))}
			o := w.together(t, all[order[0]], all[order[1]], all[order[2]])
			refused := 0
			for _, one := range o {
				if one.err != nil {
					refused++
				}
			}
			if b := w.levels[tea].Balances; refused != 1 || b.OnHand != 3 || b.Held+b.Allocated != 3 {
				t.Errorf("%d were refused, three units are promised as %+v", refused, b)
			}
		})
	}
	w := stock(t, map[inventory.LevelKey]int64{tea: 3})
	id := w.reserve(t, from(tea, 3))
	w.together(t, w.expire(id), w.confirm(id), w.expire(id)) // it isn't over yet
	w.has(t, tea, balances{OnHand: 3, Allocated: 3})
}

// A sale that the books had no units for takes precedence over a lapsed hold; other lapsed holds
// don't, and the confirmation must look through all of them before it says no.
func TestConfirmAfterExpiryFindsUnitsUnderOtherLapsedHolds(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 8})
	mine := w.reserve(t, from(tea, 5))
	w.reserve(t, from(tea, 3))
	short := line(tea, 3)
	short.AllowShortfall = true
	w.accept(t, w.move(inventory.KindSell, short))
	w.has(t, tea, balances{OnHand: 8, Held: 8, Shortfall: 3})
	w.lapse()
	w.accept(t, w.confirm(mine))
	w.has(t, tea, balances{OnHand: 8, Allocated: 5, Shortfall: 3})
}

// What was released needs nothing, however short its level is.
func TestConfirmAfterExpiryAsksNothingForReleasedLines(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 2, pot: 2})
	id := w.reserve(t, from(tea, 2), from(pot, 2))
	w.accept(t, w.release(id, selection{SKU: "tea"}))
	short := line(tea, 5)
	short.AllowShortfall = true
	w.accept(t, w.move(inventory.KindSell, short))
	w.lapse()
	w.accept(t, w.confirm(id))
	w.has(t, tea, balances{Shortfall: 3})
	w.has(t, pot, balances{OnHand: 2, Allocated: 2})
}

// The databases's nodes have clocks of their own: a hold that one ended is not alive again on
// another that is a little behind.
func TestAnEndedHoldStaysEndedWhereTheClockIsBehind(t *testing.T) {
	start := func(t *testing.T, left int64) (*world, inventory.ID) {
		w := stock(t, map[inventory.LevelKey]int64{tea: 5})
		id := w.reserve(t, from(tea, 5))
		w.lapse()
		w.accept(t, w.move(inventory.KindSell, line(tea, 5-left)))
		w.now = w.now.Add(-time.Millisecond)
		return w, id
	}
	t.Run("its units are gone", func(t *testing.T) {
		w, id := start(t, 4)
		w.refuse(t, inventory.ReservationExpired, w.extend(id, time.Minute))
		if s := w.refuse(t, inventory.ReservationExpired, w.confirm(id)).Shortages; len(s) != 1 || s[0].Available != 4 {
			t.Errorf("the shortage is %+v", s)
		}
		w.refuse(t, inventory.Conflict, w.release(id))
		w.refuse(t, inventory.Conflict, w.fulfil(id))
	})
	t.Run("its units are owed to a shortfall", func(t *testing.T) {
		w, id := start(t, 4)
		w.accept(t, w.move(inventory.KindReceive, line(tea, 1)))
		rival := w.reserve(t, from(tea, 5))
		short := line(tea, 1)
		short.AllowShortfall = true
		w.accept(t, w.move(inventory.KindSell, short))
		w.accept(t, w.release(rival))
		w.has(t, tea, balances{OnHand: 5, Shortfall: 1})
		w.refuse(t, inventory.ReservationExpired, w.confirm(id))
	})
	t.Run("its units are back", func(t *testing.T) {
		w, id := start(t, 4)
		w.accept(t, w.move(inventory.KindReceive, line(tea, 1)))
		w.accept(t, w.confirm(id))
		w.has(t, tea, balances{OnHand: 5, Allocated: 5})
	})
	t.Run("the worker tidies it all the same", func(t *testing.T) {
		w, id := start(t, 4)
		w.accept(t, w.expire(id))
		w.now = w.now.Add(time.Second)
		w.accept(t, w.expire(id))
		if got := w.reservations[id].Status; got != inventory.StatusExpired {
			t.Errorf("it is %s", got)
		}
	})
}

// Where the clock goes back, a level's events are recorded no earlier than those before them.
func TestRecordedAtNeverDecreasesAlongVersions(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	w.now = w.now.Add(-time.Hour)
	a := w.accept(t, w.move(inventory.KindSell, line(tea, 1))).Movement
	if !a.RecordedAt.Equal(epoch) || !w.levels[tea].UpdatedAt.Equal(epoch) {
		t.Errorf("recorded at %v, after %v", a.RecordedAt, epoch)
	}
	id := w.reserve(t, from(tea, 1))
	if r := w.reservations[id]; !r.ExpiresAt.Equal(w.now.Add(inventory.DefaultHold)) {
		t.Errorf("held until %v, 15 minutes from %v", r.ExpiresAt, w.now)
	}
}
