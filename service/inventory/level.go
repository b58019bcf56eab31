package inventory

import (
	"hash/fnv"
	"strings"
	"time"
)

// LevelKey names a stock level: one SKU at one location. Region is the location's home region;
// it follows from the location and leads every key of the database.
type LevelKey struct {
	Region   string
	SKU      string
	Location string
}

// Compare orders keys the way the database's primary key does. Rows are always locked in this order.
func (k LevelKey) Compare(o LevelKey) int {
	if c := strings.Compare(k.Region, o.Region); c != 0 {
		return c
	}
	if c := strings.Compare(k.SKU, o.SKU); c != 0 {
		return c
	}
	return strings.Compare(k.Location, o.Location)
}

// Hash spreads keys over lanes. It is part of the ids of reservations, so that the commands that
// follow a reservation meet in the lane of its first stock level; changing it only costs locality.
func (k LevelKey) Hash() uint16 {
	h := fnv.New32a()
	h.Write([]byte(k.SKU))
	h.Write([]byte{0})
	h.Write([]byte(k.Location))
	sum := h.Sum32()
	return uint16(sum>>16) ^ uint16(sum)
}

// Balances are the quantities of a stock level in base units. The same type carries deltas.
type Balances struct {
	OnHand      int64 `json:"on_hand"`
	Held        int64 `json:"held"`
	Allocated   int64 `json:"allocated"`
	Quarantined int64 `json:"quarantined"`
	Incoming    int64 `json:"incoming"`
	Shortfall   int64 `json:"shortfall"`
}

// Available is what may still be promised or sold: on hand - held - allocated - quarantined -
// shortfall. It is negative while a shortfall is larger than what is free.
func (b Balances) Available() int64 {
	return b.OnHand - b.Held - b.Allocated - b.Quarantined - b.Shortfall
}

// Promised is what on hand may never fall below (I2).
func (b Balances) Promised() int64 { return b.Held + b.Allocated + b.Quarantined }

// IsZero says whether nothing at all is on the books.
func (b Balances) IsZero() bool { return b == Balances{} }

// arrival is what units that come in change: those fit for sale settle a shortfall first, because
// those units had left already; unfit ones are quarantined.
func (b Balances) arrival(fit, unfit int64) Balances {
	settled := min(b.Shortfall, fit)
	return Balances{OnHand: fit - settled + unfit, Quarantined: unfit, Shortfall: -settled}
}

// add adds deltas; ok is false where a quantity would leave int64, fall below zero (I1), or where
// on hand would no longer cover what is promised (I2).
func (b Balances) add(d Balances) (sum Balances, ok bool) {
	ok = true
	plus := func(x, y int64) int64 {
		s := x + y
		if s < 0 { // also where the sum left int64: no term below is more than one int64 away from zero
			ok = false
		}
		return s
	}
	sum = Balances{
		OnHand: plus(b.OnHand, d.OnHand), Held: plus(b.Held, d.Held),
		Allocated: plus(b.Allocated, d.Allocated), Quarantined: plus(b.Quarantined, d.Quarantined),
		Incoming: plus(b.Incoming, d.Incoming), Shortfall: plus(b.Shortfall, d.Shortfall),
	}
	// Subtracting one after the other can't overflow: every term is known to be >= 0.
	free := sum.OnHand - sum.Held
	if !ok || free < 0 || free-sum.Allocated < 0 || free-sum.Allocated-sum.Quarantined < 0 {
		return Balances{}, false
	}
	return sum, true
}

// Level is one stock level. Version 0 means that it never had an event.
type Level struct {
	Key LevelKey
	Balances
	Version   int64
	UpdatedAt time.Time
	Head      Hash // that of the last event
	// Closed marks a level whose product or location is archived: it is empty and takes no commands.
	Closed bool
}
