// Package feed carries what was committed to whoever must know. Each pod has one hub: it follows the
// database's change feed with one connection and gives it to many readers, be they streams, web
// hooks, or the pod's own memory. A reader that falls too far behind is cut off, and goes on by its
// cursor, from the ledger if need be.
package feed

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Sink is told of everything that the hub hears, before readers are. It is called by one goroutine.
type Sink interface {
	// Apply takes events, each level's in the order of versions, some maybe more than once. With
	// them, everything has come that was committed up to asOf, which is zero while nobody can say.
	Apply(events []*inventory.Event, asOf time.Time)
	// Reset says that something may have been missed.
	Reset()
}

// Options of a hub. Zero values mean the defaults named here.
type Options struct {
	// Buffer is how many entries the hub remembers: 16384, some 1 to 2 KiB each.
	Buffer int
	Log    *slog.Logger
	Sinks  []Sink
}

// Hub is a pod's one follower of the change feed.
type Hub struct {
	store   *store.Store
	options Options
	nudge   chan struct{}
	readers atomic.Int64
	cutOff  atomic.Int64
	heard   atomic.Int64
	dirty   chan struct{}

	mu       sync.RWMutex
	ring     *ring // nil until the feed has begun
	audience *audience
	asOf     time.Time
	began    time.Time
	failed   time.Time // since when the feed can't be followed; zero while it can
}

// NewHub makes a hub; Run has it follow the feed.
func NewHub(st *store.Store, o Options) *Hub {
	if o.Buffer == 0 {
		o.Buffer = 16384
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Hub{
		store: st, options: o, nudge: make(chan struct{}, 1), dirty: make(chan struct{}, 1),
		audience: newAudience(), began: time.Now(),
	}
}

// Nudge says that something was committed just now, so that the hub looks at once.
func (h *Hub) Nudge() {
	select {
	case h.nudge <- struct{}{}:
	default:
	}
}

// Stats are figures for metrics: readers, readers cut off so far, entries heard so far.
func (h *Hub) Stats() (readers, cutOff, heard int64) {
	return h.readers.Load(), h.cutOff.Load(), h.heard.Load()
}

// AsOf is the moment up to which the hub has heard everything, by the database's clock; zero while
// nobody can say.
func (h *Hub) AsOf() time.Time {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.asOf
}

// Now is the cursor after what has been committed so far. Errors: service.ErrUnavailable.
func (h *Hub) Now(ctx context.Context) (string, error) {
	p, err := h.store.FeedNow(ctx)
	return encode(p, h.store.IsCockroach()), served(err)
}

// Lag is how old the moment is up to which the hub has heard everything.
func (h *Hub) Lag() time.Duration {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.asOf.Before(h.began) {
		return time.Since(h.began)
	}
	return max(time.Since(h.asOf), 0)
}

// Failing is for how long the feed couldn't be followed: the pod has no connection for it, or is refused. A
// feed that stands still isn't that, however far it is behind: it stands still for every pod.
func (h *Hub) Failing() time.Duration {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.failed.IsZero() {
		return 0
	}
	return time.Since(h.failed)
}

// ended says why the feed isn't followed just now.
func (h *Hub) ended(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case errors.Is(err, store.ErrFeedStandsStill):
		h.failed = time.Time{}
	case h.failed.IsZero():
		h.failed = time.Now()
	}
}

// Run follows the feed until the context ends. Where the connection is lost, it goes on with another.
func (h *Hub) Run(ctx context.Context) {
	waking := make(chan struct{})
	go func() {
		defer close(waking)
		h.wake(ctx)
	}()
	defer func() { <-waking }()
	for {
		err := h.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		h.ended(err)
		if errors.Is(err, store.ErrFeedGone) {
			h.options.Log.Warn("the change feed goes on from now; readers go on from the ledger", "error", err)
			h.reset()
		} else {
			h.options.Log.Warn("the change feed begins again", "error", err)
		}
		if rest(ctx, time.Second) != nil {
			return
		}
	}
}

// rest pauses at random, so that pods that lost the database together don't come back together.
func rest(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(most/10 + rand.N(most)) //nolint:gosec // a pause, not a secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reset forgets everything: the database can't go on from where the hub was.
func (h *Hub) reset() {
	for _, sink := range h.options.Sinks {
		sink.Reset()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring, h.asOf = nil, time.Time{}
	h.wakeAll()
}

// follow runs tails, one after another, that go on where the last one stopped.
func (h *Hub) follow(ctx context.Context) error {
	from, err := h.store.FeedRecent(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.ring = newRing(h.options.Buffer, from, !h.store.IsCockroach())
	h.wakeAll()
	h.mu.Unlock()
	tail := h.store.TailFeed(from)
	for {
		err := tail.Run(ctx, h.nudge, h.take)
		if ctx.Err() != nil || errors.Is(err, store.ErrFeedGone) {
			return err
		}
		h.ended(err)
		h.options.Log.Info("the change feed was interrupted", "error", err)
		if err := rest(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

// take hears something new.
func (h *Hub) take(fresh store.Fresh) error {
	items := make([]*Item, len(fresh.Entries))
	var events []*inventory.Event
	for i, fed := range fresh.Entries {
		items[i] = newItem(fed, h.store.IsCockroach())
		if fed.Event != nil {
			events = append(events, fed.Event)
		}
	}
	for _, sink := range h.options.Sinks {
		sink.Apply(events, fresh.AsOf)
	}
	h.heard.Add(int64(len(items)))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.audience.offer(items, h.ring.next)
	for _, i := range items {
		h.ring.add(i)
	}
	h.ring.upTo, h.asOf, h.failed = fresh.UpTo, fresh.AsOf, time.Time{}
	h.wakeDue()
	return nil
}

// wakeAll has all readers look where they are. The lock is held.
func (h *Hub) wakeAll() {
	h.audience.wakeAll()
	h.wakeDue()
}

// wakeDue has those woken who are to be. The lock is held.
func (h *Hub) wakeDue() {
	if len(h.audience.due) == 0 {
		return
	}
	select {
	case h.dirty <- struct{}{}:
	default:
	}
}

// wakeCost is about what waking one reader costs: where many want the same, they are woken less often,
// so that a stream of changes isn't one of wake-ups.
const wakeCost = 5 * time.Microsecond

// wake tells readers that there is something for them.
func (h *Hub) wake(ctx context.Context) {
	for {
		select {
		case <-h.dirty:
		case <-ctx.Done():
			return
		}
		h.mu.Lock()
		due := h.audience.takeDue()
		h.mu.Unlock()
		for _, r := range due {
			select {
			case r.woken <- struct{}{}:
			default:
			}
		}
		if pause := time.Duration(len(due)) * wakeCost; pause > time.Millisecond {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
		}
	}
}
