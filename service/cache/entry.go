package cache

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// entry is one SKU. It is there before it is read, so that no event is missed that comes meanwhile.
type entry struct {
	view atomic.Pointer[view] // nil until it has been read
	done chan struct{}        // closed when it has been read, or that failed

	writing sync.Mutex
	came    []*inventory.Event // before it was read
	spoilt  bool               // more came than are kept
}

// maxCame bounds what is kept for an entry that is being read.
const maxCame = 4096

func newEntry() *entry { return &entry{done: make(chan struct{})} }

// view is what an entry knows. It is never changed, but replaced.
type view struct {
	levels []inventory.Level // by region and location
	read   time.Time         // by the database's clock
	began  time.Time         // by the pod's: when it was read
	// until is when a hold may lapse, which no event tells of; zero where there is none. Beyond it,
	// nothing is claimed.
	until time.Time
	// lapsed says that there were holds which had lapsed: they are left out of what was read, but
	// not of the balances that an event would bring.
	lapsed bool
}

// newView takes what was read. A hold lasts at least MinHold from when it is made or extended; the
// latter leaves no event, so that is how long the holds that there are may be relied upon.
func newView(levels []store.HeldLevel, read, began time.Time) *view {
	v := &view{read: read, began: began}
	for _, l := range levels {
		v.levels = append(v.levels, l.Level)
		switch {
		case l.Lapses.IsZero():
		case !l.Lapses.After(read):
			v.lapsed = true
			v.bound(read)
		default:
			v.bound(before(l.Lapses))
			v.bound(before(read.Add(inventory.MinHold)))
		}
	}
	return v
}

// before is just before a moment, as the databases tell time.
func before(t time.Time) time.Time { return t.Add(-time.Microsecond) }

func (v *view) bound(until time.Time) {
	if v.until.IsZero() || until.Before(v.until) {
		v.until = until
	}
}

// with gives the view with events applied; ok is false where it must be read anew.
func (v *view) with(events []*inventory.Event) (next *view, ok bool) {
	next = v
	for _, e := range events {
		i := slices.IndexFunc(v.levels, func(l inventory.Level) bool { return l.Key == e.Key })
		switch {
		case i < 0: // a new one, or one that was archived and whose events come again
			return nil, false
		case e.Version <= next.levels[i].Version:
			continue
		case v.lapsed:
			return nil, false
		}
		if next == v {
			copied := *v
			next = &copied
			next.levels = slices.Clone(v.levels)
		}
		l := &next.levels[i]
		l.Balances, l.Version, l.UpdatedAt = e.Balances, e.Version, e.RecordedAt
		if e.Deltas.Held > 0 {
			next.bound(before(e.RecordedAt.Add(inventory.MinHold)))
		}
	}
	return next, true
}

// apply takes events; false says that the entry is of no use any more.
func (e *entry) apply(events []*inventory.Event) bool {
	e.writing.Lock()
	defer e.writing.Unlock()
	v := e.view.Load()
	if v == nil {
		if e.spoilt = e.spoilt || len(e.came)+len(events) > maxCame; !e.spoilt {
			e.came = append(e.came, events...)
		}
		return true
	}
	next, ok := v.with(events)
	if ok {
		e.view.Store(next)
	}
	return ok
}

// fill takes what was read; false says that the entry can't be kept.
func (e *entry) fill(v *view) bool {
	e.writing.Lock()
	defer e.writing.Unlock()
	next, ok := v.with(e.came)
	if e.came = nil; !ok || e.spoilt {
		return false
	}
	e.view.Store(next)
	return true
}

// stock gives what is known, where everything has come up to heard.
func (e *entry) stock(heard time.Time) (s Stock, ok bool) {
	v := e.view.Load()
	if v == nil {
		return s, false
	}
	s = Stock{Levels: v.levels, AsOf: v.read}
	if heard.After(s.AsOf) {
		s.AsOf = heard
	}
	if !v.until.IsZero() && s.AsOf.After(v.until) {
		s.AsOf = v.until
	}
	return s, time.Since(v.began) < maxKept
}
