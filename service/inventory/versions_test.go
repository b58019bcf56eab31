package inventory_test

import (
	"slices"
	"testing"

	"stockyard/service/inventory"
)

func TestIfVersion(t *testing.T) {
	for _, kind := range inventory.MovementKinds() {
		w := mixed(t)
		now := w.levels[tea].Version
		for _, wrong := range []int64{0, now - 1, now + 1} {
			l := line(tea, 1)
			l.IfVersion = &wrong
			refusal := w.refuse(t, inventory.VersionMismatch, w.move(kind, line(pot, 1), l))
			if refusal.Expected != wrong || refusal.Current != now {
				t.Errorf("%s: says expected %d, current %d", kind, refusal.Expected, refusal.Current)
			}
		}
		l := line(tea, 1)
		l.IfVersion = &now
		w.accept(t, w.move(kind, l))
	}
	fresh := line(usTea, 1)
	fresh.IfVersion = ptr(int64(0))
	w := newWorld()
	w.accept(t, w.move(inventory.KindReceive, fresh))
	w.refuse(t, inventory.VersionMismatch, w.move(inventory.KindReceive, fresh))
}

// All lines speak of the level as the command finds it, and as the commands before it left it.
func TestIfVersionSpeaksOfTheLevelBeforeTheCommand(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	l := line(tea, 1)
	l.IfVersion = ptr(int64(1))
	held := from(tea, 1)
	held.IfVersion = ptr(int64(3))
	stale := held
	o := w.together(t, w.move(inventory.KindSell, l, l), w.hold(held, held), w.hold(stale))
	if o[0].err != nil || o[1].err != nil || o[2].err == nil {
		t.Errorf("outcomes: %v, %v, %v", o[0].err, o[1].err, o[2].err)
	}
}

func TestCountAsOfAVersionThatNeverWas(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	l := line(tea, 5)
	l.AsOfVersion = ptr(int64(2))
	if r := w.refuse(t, inventory.VersionMismatch, w.move(inventory.KindCount, l)); r.Expected != 2 || r.Current != 1 {
		t.Errorf("refused as %+v", r)
	}
}

func TestUnknownAndArchivedNames(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	closed := w.levels[tea]
	for name, c := range map[string]struct {
		key  inventory.LevelKey
		want inventory.RefusalKind
	}{
		"unknown product":   {at(london, "ghost"), inventory.NotFound},
		"unknown location":  {inventory.LevelKey{Region: "eu", SKU: "tea", Location: "moon"}, inventory.NotFound},
		"archived product":  {at(london, "old"), inventory.Conflict},
		"archived location": {inventory.LevelKey{Region: "eu", SKU: "tea", Location: "attic"}, inventory.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range inventory.MovementKinds() {
				w.refuse(t, c.want, w.move(kind, line(tea, 1), line(c.key, 1)))
			}
			w.refuse(t, c.want, w.hold(from(tea, 1), from(c.key, 1)))
		})
	}
	w.refuse(t, inventory.NotFound, w.hold(anywhere("ghost", 1)))
	w.refuse(t, inventory.Conflict, w.hold(anywhere("old", 1)))
	closed.Closed = true
	w.levels[tea] = closed
	w.refuse(t, inventory.Conflict, w.move(inventory.KindReceive, line(tea, 1)))
	w.refuse(t, inventory.Conflict, w.hold(from(tea, 1)))
	w.refuse(t, inventory.InsufficientStock, w.hold(anywhere("tea", 1)))
}

func TestAMovementTellsEventsWhatItKnows(t *testing.T) {
	w := newWorld()
	l := line(tea, 2)
	l.UnitCost = &inventory.Money{Amount: "1.25", Currency: "EUR"}
	m := w.move(inventory.KindReceive, l, line(pot, 1))
	m.Meta = inventory.Meta{Actor: "ann", Reason: "spring", Reference: "PO-7", Channel: "shop"}
	a := w.accept(t, m).Movement
	e := w.ledger[tea][0]
	if e.Command != m.ID || e.Reservation != nil || *e.UnitCost != *l.UnitCost || e.Meta.Actor != "ann" || e.Meta.Reason != "spring" ||
		e.Meta.Reference != "PO-7" || e.Meta.Channel != "shop" || !e.Meta.EffectiveAt.Equal(epoch) {
		t.Errorf("the event is %+v", e)
	}
	if w.ledger[pot][0].UnitCost != nil {
		t.Error("the cost of one line went to another's event")
	}
	if a.ID != m.ID || a.Region != "eu" || a.Reference != "PO-7" || !a.EffectiveAt.Equal(epoch) || len(a.Lines) != 2 {
		t.Errorf("answered %+v", a)
	}
}

func TestALevelThatNeverHadAnEvent(t *testing.T) {
	a := inventory.DescribeLevel(inventory.Level{Key: tea})
	if a.UpdatedAt != nil || a.Version != 0 || !a.IsZero() || a.Region != "eu" {
		t.Errorf("described as %+v", a)
	}
}

func TestRefusalsKeptUnderAKey(t *testing.T) {
	var kept []inventory.RefusalKind
	for _, k := range []inventory.RefusalKind{
		inventory.InsufficientStock, inventory.Conflict, inventory.ReservationExpired, inventory.VersionMismatch,
		inventory.NotFound, inventory.Invalid, inventory.OverLimit,
	} {
		if k.Recorded() {
			kept = append(kept, k)
		}
	}
	want := []inventory.RefusalKind{inventory.InsufficientStock, inventory.Conflict, inventory.ReservationExpired, inventory.VersionMismatch}
	if !slices.Equal(kept, want) {
		t.Errorf("kept are %v", kept)
	}
}
