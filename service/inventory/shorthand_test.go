package inventory_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"stockyard/service/inventory"
)

// stock gives a world with so many units delivered.
func stock(t *testing.T, units map[inventory.LevelKey]int64) *world {
	t.Helper()
	w := newWorld()
	for key, q := range units {
		w.accept(t, w.move(inventory.KindReceive, line(key, q)))
	}
	return w
}

func line(key inventory.LevelKey, quantity int64) inventory.MovementLine {
	return inventory.MovementLine{Level: key, Quantity: quantity}
}

func (w *world) move(kind inventory.Kind, lines ...inventory.MovementLine) *inventory.Movement {
	return &inventory.Movement{
		ID: w.id(lines[0].Level), Kind: kind, Lines: lines,
		Meta: inventory.Meta{Actor: "tester", Reason: "a test"},
	}
}

// hold reserves for 15 minutes, all or nothing, at the locations that lines name or anywhere.
func (w *world) hold(lines ...inventory.ReserveLine) *inventory.Reserve {
	c := &inventory.Reserve{
		Random: w.random(), ExpiresIn: inventory.DefaultHold, Policy: inventory.AllOrNothing,
		Strategy: "priority", Sites: sites, Lines: lines,
	}
	for _, l := range lines {
		for _, s := range sites {
			c.Consider = append(c.Consider, at(s, l.SKU))
		}
	}
	return c
}

func from(key inventory.LevelKey, quantity int64) inventory.ReserveLine {
	return inventory.ReserveLine{SKU: key.SKU, Quantity: quantity, Level: &key}
}

func anywhere(sku string, quantity int64) inventory.ReserveLine {
	return inventory.ReserveLine{SKU: sku, Quantity: quantity}
}

func (w *world) confirm(id inventory.ID) *inventory.Confirm {
	return &inventory.Confirm{ID: w.id(w.lines[id][0].Level), Reference: id}
}

func (w *world) release(id inventory.ID, lines ...inventory.LineSelection) *inventory.Release {
	return &inventory.Release{ID: w.id(w.lines[id][0].Level), Reference: id, Lines: lines}
}

func (w *world) fulfil(id inventory.ID, lines ...inventory.LineSelection) *inventory.Fulfil {
	return &inventory.Fulfil{ID: w.id(w.lines[id][0].Level), Reference: id, Lines: lines}
}

func (w *world) extend(id inventory.ID, by time.Duration) *inventory.Extend {
	return &inventory.Extend{ID: w.id(w.lines[id][0].Level), Reference: id, ExpiresIn: by}
}

func (w *world) expire(id inventory.ID) *inventory.Expire {
	return &inventory.Expire{ID: w.id(w.lines[id][0].Level), Reference: id}
}

// together decides commands in one batch.
func (w *world) together(t *testing.T, commands ...inventory.Command) []outcome {
	t.Helper()
	requests := make([]request, len(commands))
	for i, c := range commands {
		requests[i].command = c
	}
	return w.batch(t, requests, nil)
}

func (w *world) accept(t *testing.T, c inventory.Command) inventory.Answer {
	t.Helper()
	o := w.together(t, c)[0]
	if o.err != nil {
		t.Fatalf("%T was refused: %v", c, o.err)
	}
	return o.answer
}

// reserve holds, and gives the reservation's id.
func (w *world) reserve(t *testing.T, lines ...inventory.ReserveLine) inventory.ID {
	t.Helper()
	return w.accept(t, w.hold(lines...)).Reservation.ID
}

// order reserves and confirms.
func (w *world) order(t *testing.T, lines ...inventory.ReserveLine) inventory.ID {
	t.Helper()
	id := w.reserve(t, lines...)
	w.accept(t, w.confirm(id))
	return id
}

func (w *world) refuse(t *testing.T, want inventory.RefusalKind, c inventory.Command) *inventory.Refusal {
	t.Helper()
	o := w.together(t, c)[0]
	refusal, ok := errors.AsType[*inventory.Refusal](o.err)
	if !ok || refusal.Kind != want {
		t.Fatalf("%T: want it refused as %s, got %v", c, want, o.err)
	}
	return refusal
}

// has asserts the balances of a level.
func (w *world) has(t *testing.T, key inventory.LevelKey, want inventory.Balances) {
	t.Helper()
	if got := w.levels[key].Balances; got != want {
		t.Fatalf("%v has\n%+v, want\n%+v", key, got, want)
	}
}

// shows asserts the quantities of a reservation's line.
func (w *world) shows(t *testing.T, id inventory.ID, number int, held, allocated, fulfilled, released, expired int64) {
	t.Helper()
	l := w.lines[id][number-1]
	got := [5]int64{l.Held, l.Allocated, l.Fulfilled, l.Released, l.Expired}
	if want := [5]int64{held, allocated, fulfilled, released, expired}; got != want {
		t.Fatalf("line %d has held, allocated, fulfilled, released, expired %v, want %v", number, got, want)
	}
}

// kinds lists what happened to a level, in order.
func (w *world) kinds(key inventory.LevelKey) (kinds []inventory.Kind) {
	for _, e := range w.ledger[key] {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func fields(wrong []inventory.FieldError) []string {
	var names []string
	for _, f := range wrong {
		names = append(names, f.Field)
	}
	slices.Sort(names)
	return names
}

func ptr[T any](v T) *T { return &v }

type (
	balances  = inventory.Balances
	selection = inventory.LineSelection
)

var (
	tea      = at(london, "tea")
	parisTea = at(paris, "tea")
	usTea    = at(boston, "tea")
	pot      = at(london, "pot")
)
