package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"stockyard/service/inventory"
)

// order is what a tail has given and what waits to be given.
type order struct {
	upTo  Position
	asOf  time.Time
	given map[inventory.LevelKey]int64            // versions
	held  map[inventory.LevelKey]map[int64]placed // by version
	waits int                                     // how many are held
	ready []Fed
}

// knownLevels bounds how many levels are known by their last version; an event of another waits for
// the resolved moment, unless it is a level's first.
const knownLevels = 1 << 17

// heldEvents bounds how many events wait, of a KiB or two each.
const heldEvents = 1 << 18

var (
	errTooManyHeld = errors.New("too many events have come whose predecessors aren't known")
	errEventLost   = errors.New("an event has not come that was committed before one that has")
)

func newOrder(from Position) *order {
	return &order{upTo: from, given: map[inventory.LevelKey]int64{}, held: map[inventory.LevelKey]map[int64]placed{}}
}

func (o *order) forgetHeld() {
	clear(o.held)
	o.waits = 0
}

// fresh gives what is ready.
func (o *order) fresh() Fresh {
	f := Fresh{Entries: o.ready, UpTo: o.upTo, AsOf: o.asOf}
	o.ready = nil
	return f
}

// take takes what has come. Errors: ErrFeedGone where something has been lost, or more waits than may.
func (o *order) take(c changed) error {
	switch {
	case c.resolved():
		return o.resolve(c.at)
	case c.alert != nil:
		o.give(c.placed)
	default:
		o.takeEvent(c.placed)
	}
	if o.waits > heldEvents {
		return join(ErrFeedGone, errTooManyHeld)
	}
	return nil
}

func (o *order) takeEvent(p placed) {
	key, version := p.event.Key, p.event.Version
	given, known := o.given[key]
	switch {
	case known && version <= given:
		// It came before.
	case version == 1, known && version == given+1:
		o.give(p)
		o.follow(key)
	default:
		if o.held[key] == nil {
			o.held[key] = map[int64]placed{}
		}
		if _, again := o.held[key][version]; !again {
			o.waits++
		}
		o.held[key][version] = p
	}
}

// follow gives what was held for want of the event before it.
func (o *order) follow(key inventory.LevelKey) {
	for {
		p, ok := o.held[key][o.given[key]+1]
		if !ok {
			break
		}
		delete(o.held[key], p.event.Version)
		o.waits--
		o.give(p)
	}
	if len(o.held[key]) == 0 {
		delete(o.held, key)
	}
}

// resolve gives everything up to a moment. Versions have no gaps: where one is missing now, it was lost.
func (o *order) resolve(at Moment) error {
	var due []placed
	for _, versions := range o.held {
		for version, p := range versions {
			if p.at.Compare(at) <= 0 {
				due = append(due, p)
				delete(versions, version)
				o.waits--
			}
		}
	}
	slices.SortFunc(due, placed.compare)
	for _, p := range due {
		given, known := o.given[p.event.Key]
		if known && p.event.Version > given+1 {
			return join(ErrFeedGone, fmt.Errorf("%w: %v has come as version %d, after %d", errEventLost, p.event.Key, p.event.Version, given))
		}
		if p.event.Version > given {
			o.give(p)
		}
	}
	for _, p := range due {
		o.follow(p.event.Key)
	}
	o.upTo = Position{At: at.next()}
	o.asOf = time.Unix(0, at.Wall).UTC()
	return nil
}

func (o *order) give(p placed) {
	o.ready = append(o.ready, Fed{At: p.at, Nth: 1, Cursor: o.upTo, Event: p.event, Alert: p.alert})
	if p.event == nil {
		return
	}
	o.given[p.event.Key] = p.event.Version
	if len(o.given) > knownLevels {
		for key := range o.given {
			delete(o.given, key) // any will do
			break
		}
	}
}
