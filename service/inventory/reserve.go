package inventory

import (
	"errors"
	"fmt"
	"time"
)

// Limits of a hold's life.
const (
	MinHold     = time.Second
	MaxHold     = 30 * 24 * time.Hour
	DefaultHold = 15 * time.Minute
)

// Policy says what a reservation does with lines that can't be had in full.
type Policy string

// The policies.
const (
	AllOrNothing Policy = "all_or_nothing"
	Partial      Policy = "partial"
)

// Reserve holds stock for a cart or an order.
type Reserve struct {
	Random         [16]byte // becomes the id
	OrderReference string
	Lines          []ReserveLine
	ExpiresIn      time.Duration
	Policy         Policy
	Strategy       Strategy
	// Sites are the locations that lines without location may be sourced from. The decision sees
	// the stock of those levels among SKUs x Sites that Consider names.
	Sites    []Site
	Consider []LevelKey
	// Glimpsed says that Consider is only what looked sufficient a moment ago, so that a shortage
	// seen there is no shortage yet: Decide then asks to look wider.
	Glimpsed bool
	// KeepBack is the channel's safety stock: units of each stock level that it may not promise.
	KeepBack int64
	Meta     Meta
}

// ReserveLine asks for a quantity of a SKU, at a location or wherever the strategy finds it.
type ReserveLine struct {
	SKU      string
	Quantity int64
	Level    *LevelKey
	// IfVersion refuses the command unless the level is at this version. Only with a Level.
	IfVersion *int64
}

// ErrLookWider means that a reservation was decided on a glimpse of the stock and must be decided
// again on all levels that it may be sourced from. It never reaches a caller.
var ErrLookWider = errors.New("the glimpsed levels have too little")

// Needs implements Command.
func (c *Reserve) Needs() Needs {
	var n Needs
	for _, l := range c.Lines {
		if l.Level != nil {
			n.Levels = append(n.Levels, *l.Level)
		} else {
			n.SKUs = append(n.SKUs, l.SKU)
		}
	}
	n.Levels = append(n.Levels, c.Consider...)
	return n
}

// Decide implements Command.
func (c *Reserve) Decide(d *Draft) (Answer, error) {
	if err := c.checkLines(); err != nil {
		return Answer{}, err
	}
	if err := c.checkVersions(d); err != nil {
		return Answer{}, err
	}
	// Where the units come from decides the id's home; events of holds that expire to make room
	// are posted before that is known and named after it.
	var unnamed ID
	placements, shortages, err := c.place(d, unnamed)
	if err != nil {
		return Answer{}, err
	}
	if len(shortages) > 0 && c.Glimpsed {
		return Answer{}, ErrLookWider
	}
	if len(shortages) > 0 && (c.Policy != Partial || len(placements) == 0) {
		return Answer{}, insufficient(shortages)
	}
	id := c.id(placements)
	for i := range d.events {
		if d.events[i].Command == unnamed {
			d.events[i].Command = id
		}
	}
	return c.hold(d, id, placements, shortages)
}

// checkLines stands behind the callers' own checks: fewer than one unit would be held of nothing.
func (c *Reserve) checkLines() error {
	if len(c.Lines) == 0 {
		return invalid("lines", "must have at least one line")
	}
	for i, l := range c.Lines {
		if l.Quantity < 1 {
			return invalid(fmt.Sprintf("lines[%d].quantity", i), "must be at least 1")
		}
	}
	return nil
}

func (c *Reserve) id(placements []Placement) ID {
	home, spans := placements[0].Level, false
	for _, p := range placements {
		spans = spans || p.Level.Region != home.Region
	}
	return NewID(home, c.Random, spans)
}

func (c *Reserve) checkVersions(d *Draft) error {
	for i, l := range c.Lines {
		if l.Level == nil || l.IfVersion == nil {
			continue
		}
		level, err := d.Level(*l.Level)
		if err != nil {
			return err
		}
		if err := checkVersion(level, *l.IfVersion, i); err != nil {
			return err
		}
	}
	return nil
}

// place decides which level each unit comes from. Lines that name a location take from it first,
// in order, so that a SKU that is there twice is counted once together; the rest is sourced.
func (c *Reserve) place(d *Draft, by ID) ([]Placement, []Shortage, error) {
	taken := map[LevelKey]int64{}
	var placements []Placement
	var shortages []Shortage
	for i, l := range c.Lines {
		if l.Level == nil {
			continue
		}
		level, err := d.available(*l.Level, c.need(taken[*l.Level], l.Quantity), by)
		if err != nil {
			return nil, nil, err
		}
		free := max(max(level.Available(), 0)-c.KeepBack-taken[*l.Level], 0)
		give := min(free, l.Quantity)
		if give < l.Quantity {
			shortages = append(shortages, Shortage{Line: i + 1, SKU: l.SKU, Location: l.Level.Location, Requested: l.Quantity, Available: free})
		}
		if give > 0 && (give == l.Quantity || c.Policy == Partial) {
			taken[*l.Level] += give
			placements = append(placements, Placement{Line: i, Level: *l.Level, Quantity: give})
		}
	}
	sourced, short, err := c.source(d, taken, by)
	if err != nil {
		return nil, nil, err
	}
	return orderPlacements(append(placements, sourced...)), orderShortages(append(shortages, short...)), nil
}

// need is how much of a level must be available to take quantity more; it stops at int64.
func (c *Reserve) need(taken, quantity int64) int64 {
	const most = 1<<63 - 1
	need := quantity
	for _, more := range []int64{taken, c.KeepBack} {
		if need > most-more {
			return most
		}
		need += more
	}
	return need
}

func (c *Reserve) hold(d *Draft, id ID, placements []Placement, shortages []Shortage) (Answer, error) {
	r := Reservation{
		ID: id, Status: StatusHeld, OrderReference: c.OrderReference, Channel: c.Meta.Channel,
		ExpiresAt: d.Now().Add(c.ExpiresIn), isNew: true,
	}
	lines := make([]Line, len(placements))
	for i, p := range placements {
		lines[i] = Line{
			Reservation: id, Number: i + 1, Level: p.Level, Quantity: p.Quantity, Held: p.Quantity,
			ExpiresAt: r.ExpiresAt, isNew: true,
		}
		err := d.move(lines[i], Balances{Held: p.Quantity}, cause{kind: KindReserve, command: id, meta: c.Meta})
		if err != nil {
			return Answer{}, err
		}
		r.lines = append(r.lines, lines[i].Key())
	}
	r.CreatedAt = d.recordedAt()
	r = d.putReservation(r)
	answer := Describe(r, lines, d.Now())
	answer.Shortages = append(answer.Shortages, shortages...)
	return Answer{Reservation: answer}, nil
}
