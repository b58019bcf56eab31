package inventory

import (
	"cmp"
	"slices"
	"time"
)

// Status is where a reservation stands: held -> allocated -> fulfilled, or released, or expired.
type Status string

// The statuses.
const (
	StatusHeld      Status = "held"
	StatusAllocated Status = "allocated"
	StatusFulfilled Status = "fulfilled" // every unit left or was released, and some left
	StatusReleased  Status = "released"  // every unit was released
	StatusExpired   Status = "expired"
)

// Statuses lists them all, in the order of a reservation's life.
var Statuses = []Status{StatusHeld, StatusAllocated, StatusFulfilled, StatusReleased, StatusExpired}

// Reservation is a promise with lines. Its lines are rows of their own, because each lives in the
// region of its location.
type Reservation struct {
	ID             ID
	Status         Status
	OrderReference string
	Channel        string
	ExpiresAt      time.Time // kept after confirmation, where it no longer counts
	Version        int64
	CreatedAt      time.Time
	UpdatedAt      time.Time

	lines        []LineKey
	isNew, dirty bool
}

// lapsed says that the reservation's hold is over at a time, whether or not it was tidied away.
func (r Reservation) lapsed(now time.Time) bool {
	return r.Status == StatusHeld && !now.Before(r.ExpiresAt)
}

// EffectiveStatus is the status at a time: a hold is expired from its time on, not from when the
// worker comes by (I9).
func (r Reservation) EffectiveStatus(now time.Time) Status {
	if r.lapsed(now) {
		return StatusExpired
	}
	return r.Status
}

// LineKey names a line of a reservation.
type LineKey struct {
	Reservation ID
	Number      int
}

func (k LineKey) compare(o LineKey) int {
	if c := k.Reservation.Compare(o.Reservation); c != 0 {
		return c
	}
	return cmp.Compare(k.Number, o.Number)
}

// Line is one line of a reservation: a quantity of a stock level. The quantity is always held +
// allocated + fulfilled + released + expired.
type Line struct {
	Reservation ID
	Number      int // from 1
	Level       LevelKey
	Quantity    int64
	Held        int64
	Allocated   int64
	Fulfilled   int64
	Released    int64
	Expired     int64
	ExpiresAt   time.Time

	isNew, dirty bool
}

// Key names the line.
func (l Line) Key() LineKey { return LineKey{l.Reservation, l.Number} }

func (l Line) lapsed(now time.Time) bool { return l.Held > 0 && !now.Before(l.ExpiresAt) }

// live is what the line still promises.
func (l Line) live() int64 { return l.Held + l.Allocated }

// ReservationAnswer is a reservation as callers see it.
type ReservationAnswer struct {
	ID             ID           `json:"id"`
	Region         string       `json:"region"`
	Status         Status       `json:"status"`
	OrderReference string       `json:"order_reference"`
	Channel        string       `json:"channel,omitempty"`
	ExpiresAt      *time.Time   `json:"expires_at"` // null unless held or expired
	Lines          []LineAnswer `json:"lines"`
	Shortages      []Shortage   `json:"shortages"`
	Version        int64        `json:"version"`
	CreatedAt      time.Time    `json:"created_at"`
	UpdatedAt      time.Time    `json:"updated_at"`
}

// LineAnswer is a line as callers see it.
type LineAnswer struct {
	Line      int    `json:"line"`
	SKU       string `json:"sku"`
	Location  string `json:"location"`
	Quantity  int64  `json:"quantity"`
	Fulfilled int64  `json:"fulfilled"`
	Released  int64  `json:"released"`
}

// Describe is a reservation and its lines, in order, as callers see them at a time.
func Describe(r Reservation, lines []Line, now time.Time) *ReservationAnswer {
	a := &ReservationAnswer{
		ID: r.ID, Region: r.ID.Region, Status: r.EffectiveStatus(now),
		OrderReference: r.OrderReference, Channel: r.Channel,
		Lines: make([]LineAnswer, len(lines)), Shortages: []Shortage{},
		Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if a.Status == StatusHeld || a.Status == StatusExpired {
		a.ExpiresAt = &r.ExpiresAt
	}
	for i, l := range lines {
		a.Lines[i] = LineAnswer{
			Line: l.Number, SKU: l.Level.SKU, Location: l.Level.Location,
			Quantity: l.Quantity, Fulfilled: l.Fulfilled, Released: l.Released,
		}
	}
	return a
}

// reservation gives a reservation with its lines, in order.
func (d *Draft) reservation(id ID) (Reservation, []Line, error) {
	r, found := d.reservations[id]
	if !found {
		r, found = d.state.reservations[id]
	}
	if !found {
		return Reservation{}, nil, notFound("reservation", id.String())
	}
	lines := make([]Line, len(r.lines))
	for i, key := range r.lines {
		lines[i] = d.line(key)
	}
	return r, lines, nil
}

// status is a reservation's status now. A hold whose units were given up stays expired, even if
// the clocks of the database's nodes went back since.
func (d *Draft) status(r Reservation, lines []Line) Status {
	status := r.EffectiveStatus(d.Now())
	if status == StatusHeld && slices.ContainsFunc(lines, func(l Line) bool { return l.Expired > 0 }) {
		return StatusExpired
	}
	return status
}

func (d *Draft) line(key LineKey) Line {
	if l, changed := d.lines[key]; changed {
		return l
	}
	return d.state.lines[key]
}

func (d *Draft) putLine(l Line) {
	l.dirty = !l.isNew
	d.lines[l.Key()] = l
}

func (d *Draft) putReservation(r Reservation) Reservation {
	r.dirty = !r.isNew
	r.Version++
	r.UpdatedAt = d.recordedAt()
	d.reservations[r.ID] = r
	return r
}

// move changes a line and its stock level by the same units in one step.
func (d *Draft) move(l Line, deltas Balances, why cause) error {
	why.reservation = &l.Reservation
	if _, err := d.post(l.Level, deltas, why); err != nil {
		return err
	}
	d.putLine(l)
	return nil
}

// expireLine ends the hold of one line. The reservation's own row is left to the worker: its
// status at any time follows from its expiry.
func (d *Draft) expireLine(l Line, by ID) (Level, error) {
	held := l.Held
	l.Expired += held
	l.Held = 0
	err := d.move(l, Balances{Held: -held}, cause{kind: KindExpire, command: by, meta: Meta{Actor: "stockyard", EffectiveAt: l.ExpiresAt}})
	if err != nil {
		return Level{}, err
	}
	return d.Level(l.Level)
}
