package inventory

import (
	"fmt"
	"time"
)

// LineSelection picks units of a reservation: by line number, or by SKU and perhaps location, over
// all lines that match. No quantity means all that is left of them.
type LineSelection struct {
	Line     int // from 1; 0: by SKU
	SKU      string
	Location string
	Quantity *int64
}

// Confirm turns a held reservation into an allocated one, which does not expire. One that has
// expired takes its units again if they are still there.
type Confirm struct {
	ID        ID // the step's own
	Reference ID
	Meta      Meta
}

// Needs implements Command.
func (c *Confirm) Needs() Needs { return Needs{Reservations: []ID{c.Reference}} }

// Decide implements Command.
func (c *Confirm) Decide(d *Draft) (Answer, error) {
	r, lines, err := d.reservation(c.Reference)
	if err != nil {
		return Answer{}, err
	}
	expired := d.status(r, lines) == StatusExpired
	if r.Status != StatusHeld && !expired {
		return Answer{}, conflict("reservation %s is %s; only a held one can be confirmed", r.ID, r.Status)
	}
	var shortages []Shortage
	for i, l := range lines {
		units := l.Held + l.Expired
		if units == 0 {
			continue
		}
		if expired {
			free, err := c.free(d, l)
			if err != nil {
				return Answer{}, err
			}
			if free < units {
				shortages = append(shortages, Shortage{Line: l.Number, SKU: l.Level.SKU, Location: l.Level.Location, Requested: units, Available: max(free, 0)})
				continue
			}
			l = d.line(l.Key()) // taking units may have expired lines of this very reservation
		}
		deltas := Balances{Held: -l.Held, Allocated: units}
		l.Held, l.Expired, l.Allocated = 0, 0, l.Allocated+units
		lines[i] = l
		if err := d.move(l, deltas, cause{kind: KindConfirm, command: c.ID, meta: c.Meta}); err != nil {
			return Answer{}, err
		}
	}
	if len(shortages) > 0 {
		return Answer{}, &Refusal{
			Kind: ReservationExpired, Shortages: shortages,
			Detail: fmt.Sprintf("reservation %s expired at %s and its units are gone", r.ID, r.ExpiresAt.Format(time.RFC3339)),
		}
	}
	r.Status = StatusAllocated
	return Answer{Reservation: Describe(d.putReservation(r), lines, d.Now())}, nil
}

// free is what an expired line could take: what is available, and what the line itself still
// holds on the books because nobody has tidied it away.
func (c *Confirm) free(d *Draft, l Line) (int64, error) {
	for {
		level, err := d.available(l.Level, l.Expired, c.ID)
		if err != nil {
			return 0, err
		}
		now := d.line(l.Key())
		if now.Expired == l.Expired {
			return level.Available() + now.Held, nil
		}
		l = now // its own hold was expired along the way: its units are among those to be found
	}
}

// Extend moves the expiry of a held reservation: to ExpiresIn from now.
type Extend struct {
	ID        ID
	Reference ID
	ExpiresIn time.Duration
	Meta      Meta
}

// Needs implements Command.
func (c *Extend) Needs() Needs { return Needs{Reservations: []ID{c.Reference}} }

// Decide implements Command.
func (c *Extend) Decide(d *Draft) (Answer, error) {
	r, lines, err := d.reservation(c.Reference)
	if err != nil {
		return Answer{}, err
	}
	switch d.status(r, lines) {
	case StatusHeld:
	case StatusExpired:
		return Answer{}, &Refusal{
			Kind:   ReservationExpired,
			Detail: fmt.Sprintf("reservation %s expired at %s; confirm it, or make a new one", r.ID, r.ExpiresAt.Format(time.RFC3339)),
		}
	case StatusAllocated, StatusFulfilled, StatusReleased:
		return Answer{}, conflict("reservation %s is %s; only a held one expires", r.ID, r.Status)
	}
	r.ExpiresAt = d.Now().Add(c.ExpiresIn)
	for i := range lines {
		lines[i].ExpiresAt = r.ExpiresAt
		d.putLine(lines[i])
	}
	return Answer{Reservation: Describe(d.putReservation(r), lines, d.Now())}, nil
}

// Release gives up a reservation, or units of it: what they promised is available again.
type Release struct {
	ID        ID
	Reference ID
	Lines     []LineSelection // none: everything
	Meta      Meta
}

// Needs implements Command.
func (c *Release) Needs() Needs { return Needs{Reservations: []ID{c.Reference}} }

// Decide implements Command.
func (c *Release) Decide(d *Draft) (Answer, error) {
	r, lines, err := d.reservation(c.Reference)
	if err != nil {
		return Answer{}, err
	}
	status := d.status(r, lines)
	if status != StatusHeld && status != StatusAllocated {
		return Answer{}, conflict("reservation %s is %s; there is nothing left to release", r.ID, status)
	}
	err = take(d, lines, c.Lines, func(l Line, units int64) error {
		deltas := Balances{Held: -min(l.Held, units)}
		deltas.Allocated = -(units + deltas.Held)
		l.Held += deltas.Held
		l.Allocated += deltas.Allocated
		l.Released += units
		return d.move(l, deltas, cause{kind: KindRelease, command: c.ID, meta: c.Meta})
	})
	if err != nil {
		return Answer{}, err
	}
	return settle(d, r)
}

// Fulfil ships units of a confirmed reservation: they leave on hand and allocated together.
type Fulfil struct {
	ID        ID
	Reference ID
	Lines     []LineSelection // none: everything
	Meta      Meta
}

// Needs implements Command.
func (c *Fulfil) Needs() Needs { return Needs{Reservations: []ID{c.Reference}} }

// Decide implements Command.
func (c *Fulfil) Decide(d *Draft) (Answer, error) {
	r, lines, err := d.reservation(c.Reference)
	if err != nil {
		return Answer{}, err
	}
	if status := d.status(r, lines); status != StatusAllocated {
		return Answer{}, conflict("reservation %s is %s; only a confirmed one can be fulfilled", r.ID, status)
	}
	err = take(d, lines, c.Lines, func(l Line, units int64) error {
		l.Allocated -= units
		l.Fulfilled += units
		return d.move(l, Balances{OnHand: -units, Allocated: -units}, cause{kind: KindFulfil, command: c.ID, meta: c.Meta})
	})
	if err != nil {
		return Answer{}, err
	}
	return settle(d, r)
}

// Expire tidies a lapsed hold away. On one that is not lapsed, or tidied already, it does nothing.
type Expire struct {
	ID        ID
	Reference ID
}

// Needs implements Command.
func (c *Expire) Needs() Needs { return Needs{Reservations: []ID{c.Reference}} }

// Decide implements Command.
func (c *Expire) Decide(d *Draft) (Answer, error) {
	r, lines, err := d.reservation(c.Reference)
	if err != nil || !r.lapsed(d.Now()) {
		return Answer{}, err
	}
	for _, l := range lines {
		if l.Held == 0 {
			continue
		}
		if _, err := d.expireLine(l, c.ID); err != nil {
			return Answer{}, err
		}
	}
	r.Status = StatusExpired
	d.putReservation(r)
	return Answer{}, nil
}

// take walks the selected units of a reservation's lines; asking for more than is left of them is
// refused, so that a line can never give more than it promised.
func take(d *Draft, lines []Line, selected []LineSelection, step func(Line, int64) error) error {
	if len(selected) == 0 {
		selected = make([]LineSelection, len(lines))
		for i, l := range lines {
			selected[i] = LineSelection{Line: l.Number}
		}
	}
	for i, sel := range selected {
		found, left := false, int64(1<<63-1)
		if sel.Quantity != nil {
			if left = *sel.Quantity; left < 1 {
				return invalid(fmt.Sprintf("lines[%d].quantity", i), "must be at least 1")
			}
		}
		for _, l := range lines {
			l = d.line(l.Key())
			if !sel.matches(l) {
				continue
			}
			found = true
			units := min(l.live(), left)
			if units == 0 {
				continue
			}
			if err := step(l, units); err != nil {
				return err
			}
			left -= units
		}
		switch {
		case !found:
			return refuseSelection(i, "names no line of the reservation")
		case sel.Quantity != nil && left > 0:
			return refuseSelection(i, fmt.Sprintf("asks for %d units, %d are left", *sel.Quantity, *sel.Quantity-left))
		}
	}
	return nil
}

func (sel LineSelection) matches(l Line) bool {
	if sel.Line != 0 {
		return sel.Line == l.Number && (sel.SKU == "" || sel.SKU == l.Level.SKU) && (sel.Location == "" || sel.Location == l.Level.Location)
	}
	return sel.SKU == l.Level.SKU && (sel.Location == "" || sel.Location == l.Level.Location)
}

func refuseSelection(i int, message string) *Refusal {
	field := fmt.Sprintf("lines[%d]", i)
	return &Refusal{Kind: Conflict, Detail: field + " " + message, Fields: []FieldError{{Field: field, Message: message}}}
}

// settle writes the reservation as its lines now stand.
func settle(d *Draft, r Reservation) (Answer, error) {
	lines := make([]Line, len(r.lines))
	var live, fulfilled int64
	for i, key := range r.lines {
		lines[i] = d.line(key)
		live = max(live, lines[i].live())
		fulfilled = max(fulfilled, lines[i].Fulfilled)
	}
	switch {
	case live > 0:
	case fulfilled > 0:
		r.Status = StatusFulfilled
	default:
		r.Status = StatusReleased
	}
	return Answer{Reservation: Describe(d.putReservation(r), lines, d.Now())}, nil
}
