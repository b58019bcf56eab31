package inventory_test

import (
	"testing"
	"time"

	"stockyard/service/inventory"
)

func TestLifeOfAReservation(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 10, usTea: 10})
	id := w.reserve(t, from(tea, 4), from(usTea, 6))
	w.has(t, tea, balances{OnHand: 10, Held: 4})
	w.accept(t, w.release(id, selection{Line: 2, Quantity: ptr(int64(1))}))
	w.has(t, usTea, balances{OnHand: 10, Held: 5})
	w.accept(t, w.confirm(id))
	w.has(t, usTea, balances{OnHand: 10, Allocated: 5})
	w.lapse() // confirmed, it does not expire
	w.accept(t, w.expire(id))
	a := w.accept(t, w.fulfil(id, selection{SKU: "tea", Quantity: ptr(int64(6))})).Reservation
	if a.Status != inventory.StatusAllocated || a.Lines[0].Fulfilled != 4 || a.Lines[1].Fulfilled != 2 || a.Lines[1].Released != 1 {
		t.Errorf("half done, it is answered as %+v", a)
	}
	w.has(t, tea, balances{OnHand: 6})
	w.has(t, usTea, balances{OnHand: 8, Allocated: 3})
	w.accept(t, w.release(id, selection{Line: 2, Quantity: ptr(int64(1))}))
	a = w.accept(t, w.fulfil(id)).Reservation
	if a.Status != inventory.StatusFulfilled || a.Version != 6 || w.reservations[id].Version != 6 {
		t.Errorf("done, it is answered as %+v", a)
	}
	w.has(t, usTea, balances{OnHand: 6})
	w.shows(t, id, 1, 0, 0, 4, 0, 0)
	w.shows(t, id, 2, 0, 0, 4, 2, 0)
}

func TestStepsThatTheStatusDoesNotAllow(t *testing.T) {
	reach := map[inventory.Status]func(*testing.T, *world, inventory.ID){
		inventory.StatusHeld:      func(*testing.T, *world, inventory.ID) {},
		inventory.StatusAllocated: func(t *testing.T, w *world, id inventory.ID) { w.accept(t, w.confirm(id)) },
		inventory.StatusFulfilled: func(t *testing.T, w *world, id inventory.ID) { w.accept(t, w.confirm(id)); w.accept(t, w.fulfil(id)) },
		inventory.StatusReleased:  func(t *testing.T, w *world, id inventory.ID) { w.accept(t, w.release(id)) },
		inventory.StatusExpired:   func(t *testing.T, w *world, id inventory.ID) { w.lapse(); w.accept(t, w.expire(id)) },
	}
	const ok, conflict, expired = accepted, inventory.Conflict, inventory.ReservationExpired
	want := map[inventory.Status][4]inventory.RefusalKind{ // confirm, extend, release, fulfil
		inventory.StatusHeld:      {ok, ok, ok, conflict},
		inventory.StatusAllocated: {conflict, conflict, ok, ok},
		inventory.StatusFulfilled: {conflict, conflict, conflict, conflict},
		inventory.StatusReleased:  {conflict, conflict, conflict, conflict},
		inventory.StatusExpired:   {ok, expired, conflict, conflict},
	}
	for _, status := range inventory.Statuses {
		for i, step := range []func(*world, inventory.ID) inventory.Command{
			func(w *world, id inventory.ID) inventory.Command { return w.confirm(id) },
			func(w *world, id inventory.ID) inventory.Command { return w.extend(id, time.Hour) },
			func(w *world, id inventory.ID) inventory.Command { return w.release(id) },
			func(w *world, id inventory.ID) inventory.Command { return w.fulfil(id) },
		} {
			w := stock(t, map[inventory.LevelKey]int64{tea: 5})
			id := w.reserve(t, from(tea, 2))
			reach[status](t, w, id)
			if want[status][i] == ok {
				w.accept(t, step(w, id))
			} else {
				w.refuse(t, want[status][i], step(w, id))
			}
		}
	}
}

func TestAnExpiredReservationSaysSoBeforeAnyoneTidiesIt(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	id := w.reserve(t, from(tea, 2))
	w.lapse()
	w.refuse(t, inventory.ReservationExpired, w.extend(id, time.Hour))
	w.refuse(t, inventory.Conflict, w.release(id))
	a := inventory.Describe(w.reservations[id], w.lines[id], w.now)
	if a.Status != inventory.StatusExpired || a.ExpiresAt == nil || a.Shortages == nil {
		t.Errorf("described as %+v", a)
	}
}

func TestExtendCountsFromNow(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	id := w.reserve(t, from(tea, 5))
	w.now = w.now.Add(time.Minute)
	a := w.accept(t, w.extend(id, time.Hour)).Reservation
	if !a.ExpiresAt.Equal(epoch.Add(61 * time.Minute)) {
		t.Errorf("extended to %v", a.ExpiresAt)
	}
	w.now = a.ExpiresAt.Add(-1)
	w.refuse(t, inventory.InsufficientStock, w.move(inventory.KindSell, line(tea, 1)))
	w.now = *a.ExpiresAt
	w.accept(t, w.move(inventory.KindSell, line(tea, 1)))
}

// A quantity below one would give back what was never taken.
func TestSelectionsOfNoOrNegativeUnitsAreRefused(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	id := w.order(t, from(tea, 2))
	for _, q := range []int64{0, -1, -1 << 63} {
		for _, c := range []inventory.Command{
			w.release(id, selection{Line: 1}, selection{Line: 1, Quantity: &q}), w.fulfil(id, selection{Line: 1, Quantity: &q}),
		} {
			if got := w.refuse(t, inventory.Invalid, c).Fields; len(got) != 1 {
				t.Errorf("%d units: %v", q, got)
			}
		}
	}
	w.has(t, tea, balances{OnHand: 5, Allocated: 2})
}

func TestUnknownReservation(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	id := w.id(tea)
	for _, c := range []inventory.Command{
		&inventory.Confirm{Reference: id}, &inventory.Extend{Reference: id}, &inventory.Release{Reference: id},
		&inventory.Fulfil{Reference: id}, &inventory.Expire{Reference: id},
	} {
		if r := w.refuse(t, inventory.NotFound, c); r.Resource != "reservation" || r.Name != id.String() {
			t.Errorf("%T: %+v", c, r)
		}
	}
}

func TestGroupTakesEffectTogetherOrNotAtAll(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	sell := func(q int64) inventory.Command { return w.move(inventory.KindSell, line(tea, q)) }
	refusal := w.refuse(t, inventory.InsufficientStock, &inventory.Group{Commands: []inventory.Command{sell(3), sell(1), sell(2)}})
	if refusal.Item != 2 {
		t.Errorf("item %d is named, want 2", refusal.Item)
	}
	w.has(t, tea, balances{OnHand: 5})
	a := w.accept(t, &inventory.Group{Commands: []inventory.Command{sell(3), sell(2)}})
	if len(a.Group) != 2 || a.Group[1].Movement.Lines[0].Level.OnHand != 0 {
		t.Errorf("answered %+v", a)
	}
}

func TestGroupSourcesWhatItReceivedItself(t *testing.T) {
	w := newWorld()
	a := w.accept(t, &inventory.Group{Commands: []inventory.Command{
		w.move(inventory.KindReceive, line(tea, 5)), w.hold(anywhere("tea", 5)),
	}})
	if len(a.Group[1].Reservation.Lines) != 1 {
		t.Errorf("answered %+v", a.Group[1].Reservation)
	}
	w.has(t, tea, balances{OnHand: 5, Held: 5})
}
