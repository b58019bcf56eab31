// Package cache keeps the stock that a pod is asked for in its memory. What is in it came from the
// database by a strong read and is kept up by the change feed; each answer says which moment it
// speaks of, and what is older than was asked for is read anew.
package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// maxKept bounds how long something is kept. Archiving a product or a location, and bringing one back,
// leaves no event: that is how late the memory may learn of it. What is archived has no stock.
const maxKept = 30 * time.Second

// Cache is a pod's memory of stock. It takes what the feed gives, as one of the hub's sinks.
type Cache struct {
	store *store.Store
	skus  *otter.Cache[string, *entry]
	clock clock

	// heard is the moment up to which all events have been applied; nil while nothing may be kept,
	// because what is read now might miss an event.
	heard atomic.Pointer[time.Time]
	// resetting keeps new entries from slipping past a reset.
	resetting sync.RWMutex

	hits, misses, aside atomic.Int64
}

// Stock is what a SKU has at all its locations that aren't archived, by region and location, and the
// moment that this speaks of, by the database's clock. What was committed by then is in it; some of
// what came later may be, too.
type Stock struct {
	Levels []inventory.Level
	AsOf   time.Time
}

// New makes a memory of so many SKUs, each some 200 bytes and 150 for each location.
func New(st *store.Store, skus int) *Cache {
	return &Cache{store: st, skus: otter.Must(&otter.Options[string, *entry]{MaximumSize: skus})}
}

// Apply implements feed.Sink.
func (c *Cache) Apply(events []*inventory.Event, asOf time.Time) {
	bySKU := map[string][]*inventory.Event{}
	for _, e := range events {
		bySKU[e.Key.SKU] = append(bySKU[e.Key.SKU], e)
	}
	for sku, events := range bySKU {
		if e, ok := c.skus.GetEntryQuietly(sku); ok && !e.Value.apply(events) {
			c.forget(sku, e.Value)
		}
	}
	// Only now: whoever sees the moment must see the events.
	if heard := c.heard.Load(); !asOf.IsZero() && (heard == nil || asOf.After(*heard)) {
		c.heard.Store(&asOf)
	}
}

// Reset implements feed.Sink.
func (c *Cache) Reset() {
	c.resetting.Lock()
	defer c.resetting.Unlock()
	c.heard.Store(nil)
	c.skus.InvalidateAll()
}

// Stock gives what SKUs have, in the order in which they were asked for, no older than maxAge. ok is
// false where that can't be had from here; the caller asks the database then.
func (c *Cache) Stock(ctx context.Context, skus []string, maxAge time.Duration) (stocks []Stock, ok bool) {
	// First of all: an entry found later has all that was heard by now.
	heard := c.heard.Load()
	if heard == nil {
		c.aside.Add(int64(len(skus)))
		return nil, false
	}
	oldest := c.clock.now().Add(-maxAge)
	stocks = make([]Stock, len(skus))
	var missing []string
	for i, sku := range skus {
		e, there := c.skus.GetIfPresent(sku)
		if there {
			if stocks[i], ok = e.stock(*heard); ok && !stocks[i].AsOf.Before(oldest) {
				c.hits.Add(1)
				continue
			}
		}
		if ok {
			c.aside.Add(1)
		} else {
			c.misses.Add(1)
		}
		ok = false
		missing = append(missing, sku)
	}
	if len(missing) == 0 {
		return stocks, true
	}
	loaded, ok := c.load(ctx, missing)
	if !ok {
		return nil, false
	}
	for i, sku := range skus {
		if s, there := loaded[sku]; there {
			stocks[i] = s
		}
	}
	oldest = c.clock.now().Add(-maxAge)
	for _, s := range stocks {
		ok = ok && !s.AsOf.Before(oldest)
	}
	return stocks, ok
}

// forget removes an entry, if it is still this one.
func (c *Cache) forget(sku string, gone *entry) {
	c.skus.ComputeIfPresent(sku, func(e *entry) (*entry, otter.ComputeOp) {
		if e == gone {
			return nil, otter.InvalidateOp
		}
		return e, otter.CancelOp
	})
}

// Stats are figures for metrics: SKUs that were answered from memory, that weren't in it, and that
// were but too old for what was asked; SKUs in it.
func (c *Cache) Stats() (hits, misses, aside, entries int64) {
	return c.hits.Load(), c.misses.Load(), c.aside.Load(), int64(c.skus.EstimatedSize())
}

// Lag is how old the moment is up to which everything has been heard; 0 while nobody can say.
func (c *Cache) Lag() time.Duration {
	heard, now := c.heard.Load(), c.clock.now()
	if heard == nil || now.IsZero() {
		return 0
	}
	return max(now.Sub(*heard), 0)
}
