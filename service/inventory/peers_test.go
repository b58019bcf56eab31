package inventory_test

import (
	"slices"
	"testing"
	"time"

	"stockyard/service/inventory"
)

// Where other systems break (peers.md), as far as it is decided here. The number is the line's.

func TestTwoBuyersOfTheLastUnitExactlyOneGetsIt(t *testing.T) { // 1
	for name, buy := range map[string]func(*world) inventory.Command{
		"reserved":           func(w *world) inventory.Command { return w.hold(from(tea, 1)) },
		"reserved anywhere":  func(w *world) inventory.Command { return w.hold(anywhere("tea", 1)) },
		"over the counter":   func(w *world) inventory.Command { return w.move(inventory.KindSell, line(tea, 1)) },
		"taken out of stock": func(w *world) inventory.Command { return w.move(inventory.KindAdjust, line(tea, -1)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := stock(t, map[inventory.LevelKey]int64{tea: 1})
			first, second := w.hold(from(tea, 1)), buy(w)
			o := w.together(t, first, second)
			if o[0].err != nil || o[1].err == nil {
				t.Fatalf("the first got %v, the second %v", o[0].err, o[1].err)
			}
			w.has(t, tea, balances{OnHand: 1, Held: 1})
		})
	}
}

func TestSameSKUTwiceInOneCommandIsCountedOnceTogether(t *testing.T) { // 2
	for name, build := range map[string]func(w *world, a, b int64) inventory.Command{
		"sell": func(w *world, a, b int64) inventory.Command {
			return w.move(inventory.KindSell, line(tea, a), line(tea, b))
		},
		"scrap": func(w *world, a, b int64) inventory.Command {
			return w.move(inventory.KindScrap, line(tea, a), line(tea, b))
		},
		"reserve at a location": func(w *world, a, b int64) inventory.Command { return w.hold(from(tea, a), from(tea, b)) },
		"reserve anywhere":      func(w *world, a, b int64) inventory.Command { return w.hold(anywhere("tea", a), anywhere("tea", b)) },
		"reserve both ways":     func(w *world, a, b int64) inventory.Command { return w.hold(anywhere("tea", a), from(tea, b)) },
		"two in one group": func(w *world, a, b int64) inventory.Command {
			return &inventory.Group{Commands: []inventory.Command{w.hold(from(tea, a)), w.hold(anywhere("tea", b))}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := stock(t, map[inventory.LevelKey]int64{tea: 5})
			refusal := w.refuse(t, inventory.InsufficientStock, build(w, 3, 3))
			if s := refusal.Shortages; len(s) != 1 || s[0].Requested != 3 || s[0].Available != 2 {
				t.Errorf("the shortage is %+v, want 2 available of 3", s)
			}
			w.accept(t, build(w, 3, 2))
			if left := w.levels[tea].Available(); left != 0 {
				t.Errorf("%d are left, want 0", left)
			}
		})
	}
}

func TestRowsAreWrittenInKeyOrderWhateverTheOrderOfLines(t *testing.T) { // 3
	w := stock(t, map[inventory.LevelKey]int64{usTea: 9, parisTea: 9, tea: 9, pot: 9})
	_, changes := w.decide(t, []request{
		{command: w.move(inventory.KindSell, line(usTea, 1), line(tea, 1), line(pot, 1))},
		{command: w.hold(from(pot, 1), from(parisTea, 1), from(tea, 1))},
	}, nil)
	if !slices.IsSortedFunc(changes.Levels, func(a, b inventory.Level) int { return a.Key.Compare(b.Key) }) || len(changes.Levels) != 4 {
		t.Errorf("levels are written as %+v", changes.Levels)
	}
}

func TestAggregateIsEnoughNoSingleLocationIsSoSeveralArePromised(t *testing.T) { // 4
	w := stock(t, map[inventory.LevelKey]int64{tea: 2, parisTea: 3, usTea: 4})
	a := w.accept(t, w.hold(anywhere("tea", 7))).Reservation
	promised := map[string]int64{}
	for _, l := range a.Lines {
		promised[l.Location] += l.Quantity
	}
	if len(a.Lines) != 3 || promised["paris"] != 3 || promised["london"] != 2 || promised["boston"] != 2 {
		t.Fatalf("by priority paris, london, boston: promised %v", promised)
	}
	if !a.ID.Spans() || a.Region != "eu" {
		t.Errorf("id %s says spans %v, home %s", a.ID, a.ID.Spans(), a.Region)
	}
	short := w.refuse(t, inventory.InsufficientStock, w.hold(anywhere("tea", 3))).Shortages[0]
	if short.Available != 2 || short.Location != "" {
		t.Errorf("the shortage is %+v, want 2 available at no named location", short)
	}
	w.refuse(t, inventory.InsufficientStock, w.hold(from(tea, 1)))
}

func TestFulfillingAtTheWrongLocationChangesNeitherSite(t *testing.T) { // 5
	w := stock(t, map[inventory.LevelKey]int64{tea: 5, parisTea: 5})
	id := w.order(t, from(tea, 3))
	for _, wrong := range []selection{
		{SKU: "tea", Location: "paris"}, {Line: 1, Location: "paris"}, {Line: 2}, {SKU: "pot"}, {Line: 1, SKU: "pot"},
	} {
		w.refuse(t, inventory.Conflict, w.fulfil(id, wrong))
	}
	w.has(t, tea, balances{OnHand: 5, Allocated: 3})
	w.has(t, parisTea, balances{OnHand: 5})
}

func TestReleasingMoreThanIsHeldIsRefused(t *testing.T) { // 5
	w := stock(t, map[inventory.LevelKey]int64{tea: 9})
	id := w.reserve(t, from(tea, 3), from(tea, 2))
	for name, lines := range map[string][]selection{
		"of a line":                   {{Line: 1, Quantity: ptr(int64(4))}},
		"of a SKU":                    {{SKU: "tea", Quantity: ptr(int64(6))}},
		"in two parts":                {{Line: 1, Quantity: ptr(int64(2))}, {Line: 1, Quantity: ptr(int64(2))}},
		"line, then SKU":              {{Line: 1}, {SKU: "tea", Quantity: ptr(int64(3))}},
		"as much as an int64 can say": {{SKU: "tea", Quantity: ptr(int64(1<<63 - 1))}},
	} {
		t.Run(name, func(t *testing.T) {
			w.refuse(t, inventory.Conflict, w.release(id, lines...))
			w.has(t, tea, balances{OnHand: 9, Held: 5})
		})
	}
	w.accept(t, w.release(id))
	w.refuse(t, inventory.Conflict, w.release(id))
	w.has(t, tea, balances{OnHand: 9})
}

func TestCountWithWatermarkKeepsLaterSales(t *testing.T) { // 7
	w := stock(t, map[inventory.LevelKey]int64{tea: 100})
	seen := w.levels[tea].Version
	w.accept(t, w.move(inventory.KindSell, line(tea, 10)))
	id := w.order(t, from(tea, 5))
	w.accept(t, w.fulfil(id))
	w.accept(t, w.move(inventory.KindReceive, line(tea, 3)))
	counted := line(tea, 98) // two were missing when the shelf was counted
	counted.AsOfVersion = &seen
	a := w.accept(t, w.move(inventory.KindCount, counted)).Movement
	if a.Lines[0].Deltas != (balances{OnHand: -2}) {
		t.Errorf("posted %+v, want the two that were missing", a.Lines[0].Deltas)
	}
	w.has(t, tea, balances{OnHand: 86})
}

func TestCountWithoutWatermarkIsWhatIsThereNow(t *testing.T) { // 7
	w := stock(t, map[inventory.LevelKey]int64{tea: 100})
	w.accept(t, w.move(inventory.KindSell, line(tea, 10)))
	w.accept(t, w.move(inventory.KindCount, line(tea, 98)))
	w.has(t, tea, balances{OnHand: 98})
}

func TestCountOfPromisedStockIsAllowed(t *testing.T) { // 8
	w := stock(t, map[inventory.LevelKey]int64{tea: 10})
	w.order(t, from(tea, 4))
	w.reserve(t, from(tea, 3))
	if a := w.accept(t, w.move(inventory.KindCount, line(tea, 8))); len(a.Movement.Warnings) != 0 {
		t.Errorf("warned of %v", a.Movement.Warnings)
	}
	w.has(t, tea, balances{OnHand: 8, Held: 3, Allocated: 4})
	for range 2 { // counting again finds, and says, the same
		a := w.accept(t, w.move(inventory.KindCount, line(tea, 5)))
		w.has(t, tea, balances{OnHand: 7, Held: 3, Allocated: 4, Shortfall: 2})
		if len(a.Movement.Warnings) != 1 {
			t.Errorf("2 promised units are not there; warned of %q", a.Movement.Warnings)
		}
	}
	w.accept(t, w.move(inventory.KindCount, line(tea, 7)))
	w.has(t, tea, balances{OnHand: 7, Held: 3, Allocated: 4})
}

func TestBackdatingIsAnEventNothingIsRewritten(t *testing.T) { // 9
	w := stock(t, map[inventory.LevelKey]int64{tea: 10})
	w.accept(t, w.move(inventory.KindSell, line(tea, 1)))
	before := slices.Clone(w.ledger[tea])
	late := w.move(inventory.KindSell, line(tea, 2))
	late.Meta.EffectiveAt = epoch.Add(-72 * time.Hour)
	w.now = epoch.Add(time.Hour)
	a := w.accept(t, late).Movement
	if !slices.Equal(w.ledger[tea][:2], before) || len(w.ledger[tea]) != 3 {
		t.Errorf("the ledger is %+v", w.ledger[tea])
	}
	e := w.ledger[tea][2]
	if !e.Meta.EffectiveAt.Equal(late.Meta.EffectiveAt) || !e.RecordedAt.Equal(w.now) || e.Balances.OnHand != 7 {
		t.Errorf("the event is %+v", e)
	}
	if !a.EffectiveAt.Equal(late.Meta.EffectiveAt) || !a.RecordedAt.Equal(w.now) {
		t.Errorf("answered as effective at %v, recorded at %v", a.EffectiveAt, a.RecordedAt)
	}
}

func TestOneRefusedCommandHarmsNoOther(t *testing.T) { // 13
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	o := w.together(t,
		w.move(inventory.KindSell, line(tea, 2)),
		w.move(inventory.KindSell, line(tea, 4)),
		w.move(inventory.KindSell, line(at(london, "ghost"), 1)),
		w.move(inventory.KindSell, line(tea, 3)),
	)
	if o[0].err != nil || o[1].err == nil || o[2].err == nil || o[3].err != nil {
		t.Fatalf("outcomes: %v, %v, %v, %v", o[0].err, o[1].err, o[2].err, o[3].err)
	}
	w.has(t, tea, balances{})
}

func TestTwoFastChangesAreTwoEventsThatSayWhatChanged(t *testing.T) { // 14
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	w.together(t, w.move(inventory.KindSell, line(tea, 1)), w.move(inventory.KindReceive, line(tea, 1)))
	ledger := w.ledger[tea]
	if len(ledger) != 3 || ledger[1].Deltas != (balances{OnHand: -1}) || ledger[2].Deltas != (balances{OnHand: 1}) {
		t.Errorf("the ledger is %+v", ledger)
	}
}

func TestLateSaleOfAnOfflineTillBecomesShortfallSettledByReceiptOrCount(t *testing.T) { // 15
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	w.order(t, from(tea, 3))
	late := line(tea, 6)
	w.refuse(t, inventory.InsufficientStock, w.move(inventory.KindSell, late))
	late.AllowShortfall = true
	a := w.accept(t, w.move(inventory.KindSell, late)).Movement
	w.has(t, tea, balances{OnHand: 3, Allocated: 3, Shortfall: 4})
	if len(a.Warnings) != 1 || a.Lines[0].Level.Available != -4 {
		t.Errorf("nobody is told: %+v", a)
	}
	w.refuse(t, inventory.InsufficientStock, w.hold(from(tea, 1)))
	w.accept(t, w.move(inventory.KindSell, late)) // nothing at all is free now
	w.has(t, tea, balances{OnHand: 3, Allocated: 3, Shortfall: 10})
	w.accept(t, w.move(inventory.KindReceive, line(tea, 6)))
	w.has(t, tea, balances{OnHand: 3, Allocated: 3, Shortfall: 4})
	w.accept(t, w.move(inventory.KindReceive, line(tea, 5)))
	w.has(t, tea, balances{OnHand: 4, Allocated: 3})
	w.accept(t, w.move(inventory.KindSell, late))
	w.has(t, tea, balances{OnHand: 3, Allocated: 3, Shortfall: 5})
	w.accept(t, w.move(inventory.KindCount, line(tea, 20)))
	w.has(t, tea, balances{OnHand: 20, Allocated: 3})
}
