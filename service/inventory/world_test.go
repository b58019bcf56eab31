package inventory_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// world is the database as the rules see it: rows and a ledger, and what the store does between
// two batches. Every batch it takes is checked against what always holds.
type world struct {
	now          time.Time
	levels       map[inventory.LevelKey]inventory.Level
	reservations map[inventory.ID]inventory.Reservation
	lines        map[inventory.ID][]inventory.Line
	ledger       map[inventory.LevelKey][]inventory.Event
	products     map[string]inventory.CatalogueEntry
	locations    map[string]inventory.CatalogueEntry
	ids          []inventory.ID // of reservations, in the order of their making
	transfers    map[inventory.ID]inventory.Transfer
	transferIDs  []inventory.ID // in the order of their making
	serial       uint64
}

// request is a command of a batch; rehearsed ones are run dry first and must then do what that said.
type request struct {
	command        inventory.Command
	dry, rehearsed bool
}

type outcome struct {
	answer inventory.Answer
	err    error
	events []inventory.Event
}

var (
	epoch = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	// The world's sites: two regions, so that reservations span them.
	london = inventory.Site{Location: "london", Region: "eu", Priority: 2, Distance: 10}
	paris  = inventory.Site{Location: "paris", Region: "eu", Priority: 1, Distance: 350}
	boston = inventory.Site{Location: "boston", Region: "us", Priority: 3, Distance: 5}
	sites  = []inventory.Site{london, paris, boston}
)

func newWorld() *world {
	w := &world{
		now:          epoch,
		levels:       map[inventory.LevelKey]inventory.Level{},
		reservations: map[inventory.ID]inventory.Reservation{},
		lines:        map[inventory.ID][]inventory.Line{},
		transfers:    map[inventory.ID]inventory.Transfer{},
		ledger:       map[inventory.LevelKey][]inventory.Event{},
		products:     map[string]inventory.CatalogueEntry{"tea": {Known: true}, "pot": {Known: true}, "old": {Known: true, Archived: true}},
		locations:    map[string]inventory.CatalogueEntry{"attic": {Known: true, Archived: true}},
	}
	for _, s := range sites {
		w.locations[s.Location] = inventory.CatalogueEntry{Known: true}
	}
	return w
}

func at(s inventory.Site, sku string) inventory.LevelKey {
	return inventory.LevelKey{Region: s.Region, SKU: sku, Location: s.Location}
}

// random gives bytes that no other call gives.
func (w *world) random() (b [16]byte) {
	w.serial++
	binary.BigEndian.PutUint64(b[4:], w.serial)
	return b
}

func (w *world) id(key inventory.LevelKey) inventory.ID {
	return inventory.NewID(key, w.random(), false)
}

// batch decides requests on one state, writes what they changed, and checks all that must hold.
// decided is told each outcome in the order of the decisions, which is not that of the requests:
// who waits for lapsed holds is decided after the others.
func (w *world) batch(t rapid.TB, requests []request, decided func(int, outcome)) []outcome {
	t.Helper()
	outcomes, changes := w.decide(t, requests, decided)
	// A transaction that has to start over decides the same commands again on the same rows.
	again, changesAgain := w.decide(t, requests, nil)
	if !reflect.DeepEqual(outcomes, again) || !reflect.DeepEqual(changes, changesAgain) {
		t.Fatalf("deciding twice gave %+v, then %+v", changes, changesAgain)
	}
	w.apply(t, changes)
	w.check(t)
	return outcomes
}

func (w *world) decide(t rapid.TB, requests []request, decided func(int, outcome)) ([]outcome, *inventory.Changes) {
	t.Helper()
	s := w.read(requests)
	outcomes := make([]outcome, len(requests))
	pending := make([]int, len(requests))
	for i := range pending {
		pending[i] = i
	}
	for round := 1; len(pending) > 0; round++ {
		if round > 200 {
			t.Fatalf("commands still want lapsed holds after %d rounds", round)
		}
		var waiting []int
		for _, i := range pending {
			outcomes[i] = decideOne(t, s, requests[i])
			if errors.Is(outcomes[i].err, inventory.ErrWantsLapsed) {
				waiting = append(waiting, i)
			} else if decided != nil {
				decided(i, outcomes[i])
			}
		}
		pending = waiting
		for _, key := range s.WantsLapsed() { // more of them each time, as a store with a limit would
			lapsed := w.lapsed(key)
			n := min(round, len(lapsed))
			s.AddLapsed(key, lapsed[:n], n == len(lapsed))
		}
	}
	return outcomes, sorted(s.Changes())
}

func decideOne(t rapid.TB, s *inventory.State, r request) outcome {
	t.Helper()
	before := sorted(s.Changes())
	untouched := func(what string) {
		t.Helper()
		if after := sorted(s.Changes()); !reflect.DeepEqual(before, after) {
			t.Fatalf("%s %T left a trace: %+v", what, r.command, after)
		}
	}
	var rehearsal outcome
	if r.rehearsed {
		rehearsal.answer, rehearsal.err = s.Decide(r.command, true)
		untouched("a rehearsed")
	}
	var o outcome
	o.answer, o.err = s.Decide(r.command, r.dry)
	if r.rehearsed && (!reflect.DeepEqual(o.answer, rehearsal.answer) || !reflect.DeepEqual(o.err, rehearsal.err)) {
		t.Fatalf("dry run of %+v said %+v, %v; the real one %+v, %v", r.command, rehearsal.answer, rehearsal.err, o.answer, o.err)
	}
	switch refusal := (*inventory.Refusal)(nil); {
	case errors.Is(o.err, inventory.ErrWantsLapsed):
		untouched("a postponed")
	case errors.As(o.err, &refusal):
		untouched("a refused")
	case o.err != nil:
		t.Fatalf("%T failed with what is no refusal: %v", r.command, o.err)
	case r.dry:
		untouched("a dry")
	default:
		o.events = s.Changes().Events[len(before.Events):]
	}
	return o
}

// read gives a state with the rows that the requests need, as fresh from the database.
func (w *world) read(requests []request) *inventory.State {
	s := inventory.NewState(w.now)
	level := func(key inventory.LevelKey) {
		if l, found := w.levels[key]; found {
			s.AddLevel(l)
		}
	}
	var all inventory.Needs
	for _, r := range requests {
		needs := r.command.Needs()
		all.SKUs, all.Levels = append(all.SKUs, needs.SKUs...), append(all.Levels, needs.Levels...)
		for _, key := range needs.Levels {
			level(key)
		}
		for _, mark := range needs.Watermarks {
			if n := mark.Version; n >= 1 && n <= int64(len(w.ledger[mark.Key])) {
				s.AddWatermark(mark, inventory.Mark{Then: w.ledger[mark.Key][n-1].Balances, Corrected: w.correctedSince(mark)})
			} else if n == 0 {
				s.AddWatermark(mark, inventory.Mark{Corrected: w.correctedSince(mark)})
			}
		}
		for _, id := range needs.Reservations {
			if row, found := w.reservations[id]; found {
				s.AddReservation(row, slices.Clone(w.lines[id]))
				for _, l := range w.lines[id] {
					level(l.Level)
				}
			}
		}
	}
	for _, r := range requests {
		for _, id := range r.command.Needs().Transfers {
			all.Levels = append(all.Levels, w.readTransfer(s, id)...)
		}
	}
	for _, sku := range s.Unstocked(all.SKUs) {
		s.AddProduct(sku, w.products[sku])
	}
	for _, key := range s.Untouched(all.Levels) {
		s.AddProduct(key.SKU, w.products[key.SKU])
		s.AddLocation(key.Location, w.locations[key.Location])
	}
	return s
}

func (w *world) lapsed(key inventory.LevelKey) []inventory.Line {
	var lapsed []inventory.Line
	for _, id := range w.ids {
		for _, l := range w.lines[id] {
			if l.Level == key && l.Held > 0 && !w.now.Before(l.ExpiresAt) {
				lapsed = append(lapsed, l)
			}
		}
	}
	slices.SortStableFunc(lapsed, func(a, b inventory.Line) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	return lapsed
}

// apply writes changes the way the store does: what is new must be new, what is changed must be
// there, and only what has a column survives.
func (w *world) apply(t rapid.TB, c *inventory.Changes) {
	t.Helper()
	wrote := len(c.Events)+len(c.NewReservations)+len(c.Reservations)+len(c.NewLines)+len(c.Lines)+len(c.NewLevels)+len(c.Levels)+
		len(c.NewTransfers)+len(c.Transfers)+len(c.TransferLines) > 0
	if c.IsEmpty() == wrote {
		t.Fatalf("IsEmpty is %v of %+v", c.IsEmpty(), c)
	}
	for i, l := range append(slices.Clone(c.NewLevels), c.Levels...) {
		if _, found := w.levels[l.Key]; found != (i >= len(c.NewLevels)) {
			t.Fatalf("level %v: written as new, or as changed, wrongly", l.Key)
		}
		w.levels[l.Key] = inventory.Level{Key: l.Key, Balances: l.Balances, Version: l.Version, UpdatedAt: l.UpdatedAt}
	}
	for _, e := range c.Events {
		w.ledger[e.Key] = append(w.ledger[e.Key], e)
		if at := c.Events[0].RecordedAt; !e.RecordedAt.Equal(at) || !w.levels[e.Key].UpdatedAt.Equal(at) {
			t.Fatalf("a batch is written with one time, but %+v has another than %v", e, at)
		}
	}
	w.applyTransfers(t, c)
	for i, r := range append(slices.Clone(c.NewReservations), c.Reservations...) {
		if _, found := w.reservations[r.ID]; found != (i >= len(c.NewReservations)) {
			t.Fatalf("reservation %s: written as new, or as changed, wrongly", r.ID)
		} else if !found {
			w.ids = append(w.ids, r.ID)
		}
		w.reservations[r.ID] = inventory.Reservation{
			ID: r.ID, Status: r.Status, OrderReference: r.OrderReference, Channel: r.Channel,
			ExpiresAt: r.ExpiresAt, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		}
	}
	for i, l := range append(slices.Clone(c.NewLines), c.Lines...) {
		row := inventory.Line{
			Reservation: l.Reservation, Number: l.Number, Level: l.Level, Quantity: l.Quantity, Held: l.Held,
			Allocated: l.Allocated, Fulfilled: l.Fulfilled, Released: l.Released, Expired: l.Expired, ExpiresAt: l.ExpiresAt,
		}
		of := w.lines[l.Reservation]
		n := slices.IndexFunc(of, func(o inventory.Line) bool { return o.Number == l.Number })
		if (n >= 0) != (i >= len(c.NewLines)) {
			t.Fatalf("line %v: written as new, or as changed, wrongly", l.Key())
		}
		if n < 0 {
			w.lines[l.Reservation] = append(of, row)
		} else {
			of[n] = row
		}
	}
}

// sorted puts the parts of changes that have no order of their own in one.
func sorted(c *inventory.Changes) *inventory.Changes {
	slices.SortFunc(c.NewReservations, func(a, b inventory.Reservation) int { return a.ID.Compare(b.ID) })
	slices.SortFunc(c.NewLines, func(a, b inventory.Line) int {
		return cmp.Or(a.Reservation.Compare(b.Reservation), cmp.Compare(a.Number, b.Number))
	})
	return c
}

// correctedSince is by how much counts have corrected a level after a version.
func (w *world) correctedSince(mark inventory.Watermark) (units int64) {
	for _, e := range w.ledger[mark.Key] {
		if e.Version > mark.Version && e.Kind == inventory.KindCount {
			units += e.Deltas.OnHand - e.Deltas.Shortfall
		}
	}
	return units
}
