package store

import (
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
	ready []Fed
}

// knownLevels bounds how many levels are known by their last version; an event of another waits for
// the resolved moment, unless it is a level's first.
const knownLevels = 1 << 17

func newOrder(from Position) *order {
	return &order{upTo: from, given: map[inventory.LevelKey]int64{}, held: map[inventory.LevelKey]map[int64]placed{}}
}

func (o *order) forgetHeld() { clear(o.held) }

// fresh gives what is ready.
func (o *order) fresh() Fresh {
	f := Fresh{Entries: o.ready, UpTo: o.upTo, AsOf: o.asOf}
	o.ready = nil
	return f
}

func (o *order) take(c changed) {
	switch {
	case c.resolved():
		o.resolve(c.at)
	case c.alert != nil:
		o.give(c.placed)
	default:
		o.takeEvent(c.placed)
	}
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
		o.give(p)
	}
	if len(o.held[key]) == 0 {
		delete(o.held, key)
	}
}

// resolve gives everything up to a moment.
func (o *order) resolve(at Moment) {
	var due []placed
	for _, versions := range o.held {
		for version, p := range versions {
			if p.at.Compare(at) <= 0 {
				due = append(due, p)
				delete(versions, version)
			}
		}
	}
	slices.SortFunc(due, placed.compare)
	for _, p := range due {
		if p.event.Version > o.given[p.event.Key] {
			o.give(p)
		}
	}
	for _, p := range due {
		o.follow(p.event.Key)
	}
	o.upTo = Position{At: at.next()}
	o.asOf = time.Unix(0, at.Wall).UTC()
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
