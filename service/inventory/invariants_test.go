package inventory_test

import (
	"time"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// check holds the rows against what design.md says always holds.
func (w *world) check(t rapid.TB) {
	t.Helper()
	for key, l := range w.levels {
		checkBounds(t, key, l.Balances)
		w.checkLedger(t, key, l)
	}
	for key := range w.ledger {
		if _, found := w.levels[key]; !found {
			t.Fatalf("I3: events of %v, but no row", key)
		}
	}
	w.checkPromises(t)
	w.checkTransfers(t)
}

// checkBounds are I1 and I2, which the database checks too.
func checkBounds(t rapid.TB, key inventory.LevelKey, b inventory.Balances) {
	t.Helper()
	for _, q := range []int64{b.OnHand, b.Held, b.Allocated, b.Quarantined, b.Incoming, b.Shortfall} {
		if q < 0 {
			t.Fatalf("I1: %v has %+v", key, b)
		}
	}
	if b.OnHand-b.Held < 0 || b.OnHand-b.Held-b.Allocated < 0 || b.OnHand-b.Held-b.Allocated-b.Quarantined < 0 {
		t.Fatalf("I2: %v has %+v", key, b)
	}
}

// checkLedger is I3 and I4, and that time never runs backwards along the versions.
func (w *world) checkLedger(t rapid.TB, key inventory.LevelKey, l inventory.Level) {
	t.Helper()
	var sum inventory.Balances
	var last time.Time
	for i, e := range w.ledger[key] {
		if e.Key != key || e.Version != int64(i+1) {
			t.Fatalf("I4: event %d of %v is version %d of %v", i+1, key, e.Version, e.Key)
		}
		sum.OnHand += e.Deltas.OnHand
		sum.Held += e.Deltas.Held
		sum.Allocated += e.Deltas.Allocated
		sum.Quarantined += e.Deltas.Quarantined
		sum.Incoming += e.Deltas.Incoming
		sum.Shortfall += e.Deltas.Shortfall
		if e.Balances != sum {
			t.Fatalf("I3: version %d of %v carries %+v, its events sum up to %+v", e.Version, key, e.Balances, sum)
		}
		if e.RecordedAt.Before(last) {
			t.Fatalf("version %d of %v was recorded at %v, before the version below it", e.Version, key, e.RecordedAt)
		}
		if e.Meta.EffectiveAt.IsZero() || e.Command.IsZero() {
			t.Fatalf("version %d of %v says neither when nor by what: %+v", e.Version, key, e)
		}
		last = e.RecordedAt
	}
	if l.Balances != sum || l.Version != int64(len(w.ledger[key])) {
		t.Fatalf("I3: %v is %+v at version %d, its %d events sum up to %+v", key, l.Balances, l.Version, len(w.ledger[key]), sum)
	}
	if !l.UpdatedAt.Equal(last) {
		t.Fatalf("%v was updated at %v, its last event recorded at %v", key, l.UpdatedAt, last)
	}
}

// checkPromises is I5, and that no unit of a line gets lost or doubled.
func (w *world) checkPromises(t rapid.TB) {
	t.Helper()
	held, allocated := map[inventory.LevelKey]int64{}, map[inventory.LevelKey]int64{}
	for id, lines := range w.lines {
		r, found := w.reservations[id]
		if !found {
			t.Fatalf("lines of %s, but no reservation", id)
		}
		spans := false
		for i, l := range lines {
			if l.Number != i+1 {
				t.Fatalf("line %d of %s is number %d", i+1, id, l.Number)
			}
			if l.Held < 0 || l.Allocated < 0 || l.Fulfilled < 0 || l.Released < 0 || l.Expired < 0 ||
				l.Quantity != l.Held+l.Allocated+l.Fulfilled+l.Released+l.Expired {
				t.Fatalf("line %d of %s doesn't add up: %+v", l.Number, id, l)
			}
			held[l.Level] += l.Held
			allocated[l.Level] += l.Allocated
			spans = spans || l.Level.Region != id.Region
		}
		if spans != id.Spans() || id.Region != lines[0].Level.Region || id.Lane() != lines[0].Level.Hash() {
			t.Fatalf("the id of %s misleads about where its lines are: %+v", id, lines)
		}
		checkStatus(t, r, lines)
	}
	for key, l := range w.levels {
		if l.Held != held[key] || l.Allocated != allocated[key] {
			t.Fatalf("I5: %v has held %d, allocated %d; its lines have %d, %d", key, l.Held, l.Allocated, held[key], allocated[key])
		}
	}
}

// checkStatus holds a reservation's status against its lines.
func checkStatus(t rapid.TB, r inventory.Reservation, lines []inventory.Line) {
	t.Helper()
	var has inventory.Line // the most of any line: sums over levels may leave int64
	for _, l := range lines {
		has.Held = max(has.Held, l.Held)
		has.Allocated = max(has.Allocated, l.Allocated)
		has.Fulfilled = max(has.Fulfilled, l.Fulfilled)
		has.Expired = max(has.Expired, l.Expired)
	}
	consistent := false
	switch r.Status {
	case inventory.StatusHeld:
		consistent = (has.Held > 0 || has.Expired > 0) && has.Allocated == 0 && has.Fulfilled == 0
	case inventory.StatusAllocated:
		consistent = has.Held == 0 && has.Allocated > 0 && has.Expired == 0
	case inventory.StatusFulfilled:
		consistent = has.Held == 0 && has.Allocated == 0 && has.Fulfilled > 0
	case inventory.StatusReleased:
		consistent = has.Held == 0 && has.Allocated == 0 && has.Fulfilled == 0
	case inventory.StatusExpired:
		consistent = has.Held == 0 && has.Allocated == 0 && has.Expired > 0
	}
	if !consistent {
		t.Fatalf("reservation %s is %s with lines %+v", r.ID, r.Status, lines)
	}
}
