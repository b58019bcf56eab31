package inventory_test

import (
	"errors"
	"fmt"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// judge holds every outcome against the model. A strict one wants exactly the acceptances and
// refusals that the model foresees. One that is not only follows what was accepted and sees to it
// that no unit appears or vanishes: where clocks run backwards the model can't know which holds
// were tidied away while they were over.
type judge struct {
	*model
	strict bool
	seen   map[string]int
}

func (j *judge) decided(t rapid.TB, r request, o outcome) {
	t.Helper()
	got, refusal := accepted, (*inventory.Refusal)(nil)
	if errors.As(o.err, &refusal) {
		got = refusal.Kind
	}
	j.note(r.command, got)
	next := j.clone()
	if j.strict {
		if want, sure := next.foresee(t, r.command, o.answer, got != accepted); sure && got != want {
			t.Fatalf("%T %+v: want %q, got %q (%v)", r.command, r.command, want, got, o.err)
		}
	} else if got == accepted {
		next.follow(r.command, o.answer)
	}
	if got == accepted && !r.dry {
		next.observe(o.events)
		j.model = next
	}
}

func (j *judge) note(c inventory.Command, got inventory.RefusalKind) {
	what := fmt.Sprintf("%T", c)
	switch c := c.(type) {
	case *inventory.Movement:
		what = string(c.Kind)
	case *inventory.Confirm:
		what = fmt.Sprintf("%T of %s", c, j.status(j.orders[c.Reference]))
	case *inventory.CloseTransfer:
		what = fmt.Sprintf("%T as %s", c, c.Disposition)
	}
	j.seen[what+" "+string(got)]++
}

// foresee says what a command must come to, and takes it. It is not sure of groups that were
// refused after a reservation in them, whose units nobody knows the places of.
func (m *model) foresee(t rapid.TB, c inventory.Command, a inventory.Answer, refused bool) (kind inventory.RefusalKind, sure bool) {
	t.Helper()
	switch c := c.(type) {
	case *inventory.Movement:
		return m.move(c), true
	case *inventory.Reserve:
		o, kind := m.reserve(c)
		if kind == accepted && !refused {
			m.checkOffer(t, c, o, a.Reservation)
			m.place(c, a.Reservation)
		}
		return kind, true
	case *inventory.Confirm:
		kind = m.confirm(c.Reference)
		return kind, m.agrees(t, c.Reference, kind, a, refused)
	case *inventory.Extend:
		kind = m.extend(c.Reference, c.ExpiresIn)
		return kind, m.agrees(t, c.Reference, kind, a, refused)
	case *inventory.Release:
		kind = m.give(c.Reference, c.Lines, false)
		return kind, m.agrees(t, c.Reference, kind, a, refused)
	case *inventory.Fulfil:
		kind = m.give(c.Reference, c.Lines, true)
		return kind, m.agrees(t, c.Reference, kind, a, refused)
	case *inventory.Expire:
		if _, found := m.orders[c.Reference]; !found {
			return inventory.NotFound, true
		}
		return accepted, true
	case *inventory.CreateTransfer, *inventory.ShipTransfer, *inventory.ReceiveTransfer, *inventory.CloseTransfer, *inventory.CancelTransfer:
		kind := m.travel(c)
		if kind == accepted && !refused {
			m.sameTrip(t, a.Transfer)
		}
		return kind, true
	case *inventory.Group:
		for i, one := range c.Commands {
			var answer inventory.Answer
			if !refused {
				answer = a.Group[i]
			}
			kind, _ = m.foresee(t, one, answer, refused)
			if _, reserves := one.(*inventory.Reserve); kind != accepted || reserves && refused {
				return kind, kind != accepted
			}
		}
		return accepted, true
	}
	t.Fatalf("no model of %T", c)
	return "", false
}

// checkOffer: a reservation gets exactly what there is of what it asked for (I9, no oversell).
func (m *model) checkOffer(t rapid.TB, c *inventory.Reserve, o offer, a *inventory.ReservationAnswer) {
	t.Helper()
	located, sourced := map[inventory.LevelKey]int64{}, map[string]int64{}
	for i, l := range c.Lines {
		if l.Level != nil {
			located[*l.Level] += o.located[i]
		}
	}
	given := map[inventory.LevelKey]int64{}
	for _, l := range a.Lines {
		given[keyOf(l)] += l.Quantity
	}
	for key, units := range given {
		if free := m.available(key) - c.KeepBack; units > free {
			t.Fatalf("%+v promised %d at %v, which has %d", c, units, key, free)
		}
		sourced[key.SKU] += units - located[key]
	}
	for key, units := range located {
		if given[key] < units {
			t.Fatalf("%+v asked for %d at %v, got %d", c, units, key, given[key])
		}
	}
	for sku, units := range o.sourced {
		if sourced[sku] != units {
			t.Fatalf("%+v should have been sourced %d of %s, got %d", c, units, sku, sourced[sku])
		}
	}
	if asked, got := sumOf(c), sumAnswered(a); (asked != got) != (len(a.Shortages) > 0) {
		t.Fatalf("%+v asked for %d, got %d with shortages %+v", c, asked, got, a.Shortages)
	}
}

func sumOf(c *inventory.Reserve) (sum int64) {
	for _, l := range c.Lines {
		sum += l.Quantity
	}
	return sum
}

func sumAnswered(a *inventory.ReservationAnswer) (sum int64) {
	for _, l := range a.Lines {
		sum += l.Quantity
	}
	return sum
}

func keyOf(l inventory.LineAnswer) inventory.LevelKey {
	for _, s := range sites {
		if s.Location == l.Location {
			return at(s, l.SKU)
		}
	}
	panic("no such site: " + l.Location)
}

// place writes a new reservation down.
func (m *model) place(c *inventory.Reserve, a *inventory.ReservationAnswer) {
	o := order{status: inventory.StatusHeld, expires: m.now.Add(c.ExpiresIn)}
	for _, l := range a.Lines {
		o.lines = append(o.lines, part{key: keyOf(l), promised: l.Quantity})
	}
	m.orders[a.ID] = o
}

// agrees holds a reservation's answer against the model's.
func (m *model) agrees(t rapid.TB, id inventory.ID, kind inventory.RefusalKind, a inventory.Answer, refused bool) bool {
	t.Helper()
	if kind != accepted || refused {
		return true
	}
	o := m.orders[id]
	if a.Reservation.Status != m.status(o) {
		t.Fatalf("reservation %s is answered as %s, want %s", id, a.Reservation.Status, m.status(o))
	}
	for i, l := range a.Reservation.Lines {
		if l.Fulfilled != o.lines[i].shipped {
			t.Fatalf("line %d of %s has %d fulfilled, want %d", l.Line, id, l.Fulfilled, o.lines[i].shipped)
		}
	}
	return true
}

// follow takes what was accepted as far as it moves units physically.
func (m *model) follow(c inventory.Command, a inventory.Answer) {
	switch c := c.(type) {
	case *inventory.Movement:
		m.loose = true
		m.move(c)
	case *inventory.Reserve:
		m.place(c, a.Reservation)
	case *inventory.Fulfil:
		o := m.orders[c.Reference]
		for i, l := range a.Reservation.Lines {
			m.stock(o.lines[i].key, o.lines[i].shipped-l.Fulfilled, 0)
			o.lines[i].shipped = l.Fulfilled
		}
	case *inventory.CreateTransfer, *inventory.ShipTransfer, *inventory.ReceiveTransfer, *inventory.CloseTransfer, *inventory.CancelTransfer:
		m.loose = true
		m.travel(c)
	case *inventory.Group:
		for i, one := range c.Commands {
			m.follow(one, a.Group[i])
		}
	}
}

// settle compares the rows with the model after a batch.
func (j *judge) settle(t rapid.TB, w *world) {
	t.Helper()
	for key, l := range w.levels {
		s := j.shelves[key]
		if l.OnHand-l.Shortfall != s.physical || l.Quarantined != s.quarantined {
			t.Fatalf("%v: %d units flowed in and stayed, %d of them quarantined; the books say %+v", key, s.physical, s.quarantined, l.Balances)
		}
		if underway := j.underway(key); l.Incoming != underway {
			t.Fatalf("%v: %d units are on their way, the books say %+v", key, underway, l.Balances)
		}
		free := l.Available()
		for _, lapsed := range w.lapsed(key) {
			free += lapsed.Held
		}
		if want := j.available(key); j.strict && free != want {
			t.Fatalf("%v: available is %d, want %d: %+v", key, free, want, l.Balances)
		}
	}
}
