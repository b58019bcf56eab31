package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// ErrCutOff says that the reader took too long, and what comes next is no longer in the hub's memory. It goes
// on by its cursor.
var ErrCutOff = errors.New("the reader fell too far behind; go on with the last cursor")

// Reader reads the feed from a cursor on. It is for one goroutine; Close it in the end.
type Reader struct {
	hub      *Hub
	watched  service.Watched
	position store.Position // everything before it has been read
	next     int64          // the number of the next entry in the ring, -1 before it has been found
	ring     *ring          // the one that it is in
	settled  []*Item        // what is read before the ring's next
	last     string         // the cursor of the last batch
	woken    chan struct{}
	pages    bool  // see Page
	early    early // what it has beyond the position
	full     bool  // no more can come early

	// offered is the number of the first entry not yet read that may be for it, -1 where none is.
	offered int64
	due     bool // it is among the audience's due
}

// Batch is some entries, in order. Cursor is where to go on after them; it moves on also where
// nothing of what came was for this reader.
type Batch struct {
	Items  []*Item
	Cursor string
}

// Read begins to read after a cursor; "" is now, Earliest is the beginning.
// Errors: *inventory.Refusal (Invalid) for a cursor that isn't one, service.ErrUnavailable.
func (h *Hub) Read(ctx context.Context, cursor string, w service.Watched) (*Reader, error) {
	r := &Reader{hub: h, watched: w, next: -1, offered: -1, woken: make(chan struct{}, 1)}
	var err error
	if cursor == "" {
		err = h.begin(ctx, r)
	} else if r.position, r.early, err = decode(cursor, h.store.IsCockroach()); err == nil {
		err = h.reached(ctx, r.position)
	}
	if errors.Is(err, errBadCursor) || errors.Is(err, errForeignCursor) {
		return nil, service.Invalid(inventory.FieldError{Field: "after", Message: err.Error()})
	}
	if err != nil {
		return nil, served(err)
	}
	h.readers.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.audience.add(r)
	return r, nil
}

// served turns the store's errors into those of use cases.
func served(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("%w: %w", service.ErrUnavailable, err)
	}
	return err
}

// nearNow is how far behind the hub may be for what it has yet to hear to be taken for new.
const nearNow = 10 * time.Second

// begin has a reader get what comes from now on.
func (h *Hub) begin(ctx context.Context, r *Reader) (err error) {
	h.mu.RLock()
	if h.ring != nil && time.Since(h.asOf) < nearNow {
		r.take(h.ring, h.ring.next)
		r.position = h.ring.upTo
	}
	h.mu.RUnlock()
	if r.ring == nil {
		r.position, err = h.store.FeedNow(ctx)
	}
	return err
}

// reached makes sure that the database has come as far as a cursor says: one that lies ahead is of
// another database, or of this one before it was restored.
func (h *Hub) reached(ctx context.Context, p store.Position) error {
	h.mu.RLock()
	known := h.ring != nil && p.Compare(h.ring.upTo) <= 0
	h.mu.RUnlock()
	if known {
		return nil
	}
	reached, err := h.store.FeedReached(ctx, p)
	if err == nil && !reached {
		err = errForeignCursor
	}
	return err
}

// Cursor is where to go on after what has been read so far.
func (r *Reader) Cursor() string { return cmp.Or(r.last, r.encode(r.position)) }

// Close ends the reading.
func (r *Reader) Close() {
	r.hub.readers.Add(-1)
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	r.hub.audience.remove(r)
}

// pastPause is how long a reader of the past reads on, at least, until it gets a batch without
// entries: there may be much that it doesn't want to see.
const pastPause = time.Second

// Next waits for entries, up to a time, and gives at most so many. A batch without entries says that
// none came. Errors: ErrCutOff, service.ErrUnavailable, or the context's; with them comes the cursor
// of the batch before.
func (r *Reader) Next(ctx context.Context, most int, wait time.Duration) (Batch, error) {
	b, err := r.nextBatch(ctx, most, wait)
	if err != nil {
		return Batch{Cursor: r.Cursor()}, served(err)
	}
	r.last = b.Cursor
	return b, nil
}

// Page is Next for those who come for one page after another, maybe at another pod each time. Its cursor
// also tells what was given early, so that it doesn't come again with the next page.
func (r *Reader) Page(ctx context.Context, most int, wait time.Duration) (Batch, error) {
	if !r.hub.store.IsCockroach() { // nothing comes early
		return r.Next(ctx, most, wait)
	}
	r.pages = true
	if r.early == nil {
		r.early = early{}
	}
	return r.Next(ctx, most, wait)
}

// settling is how often a reader that can get nothing more early looks whether the feed has come on.
const settling = 100 * time.Millisecond

func (r *Reader) nextBatch(ctx context.Context, most int, wait time.Duration) (Batch, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	until := time.Now().Add(max(wait, pastPause))
	for expired := false; ; {
		since, joined := r.join()
		if !joined {
			b, err := r.past(ctx, since, most)
			if err != nil || len(b.Items) > 0 || time.Now().After(until) {
				return b, err
			}
			continue
		}
		b, err := r.scan(most)
		if err != nil || len(b.Items) > 0 || expired {
			return b, err
		}
		var settled <-chan time.Time
		if r.full {
			settled = time.After(settling)
		}
		select {
		case <-r.woken:
		case <-settled:
		case <-timer.C:
			expired = true // once more, so that the cursor is where the feed is now
		case <-ctx.Done():
			return b, ctx.Err()
		}
	}
}

// past reads on in the ledger, where the ring doesn't reach back.
func (r *Reader) past(ctx context.Context, since store.Position, most int) (b Batch, err error) {
	fed, next, err := r.hub.store.FeedBetween(ctx, r.position, since, r.filter(), most)
	if err != nil {
		return b, err
	}
	for _, f := range fed {
		if i := newItem(f, r.hub.store.IsCockroach()); i.seenBy(&r.watched) && !r.early.has(i) {
			b.Items = append(b.Items, i)
		}
	}
	r.position = next
	return r.batch(b.Items, next), nil
}

// batch is entries with where to go on after them.
func (r *Reader) batch(items []*Item, at store.Position) Batch {
	if r.pages {
		r.early.note(items, at)
	}
	return Batch{Items: items, Cursor: r.encode(at)}
}

// join finds the reader's place in the ring. Where it lies before the ring's beginning, since is
// where that is.
func (r *Reader) join() (since store.Position, joined bool) {
	h := r.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	switch {
	case r.next >= 0, h.ring == nil: // it has its place, or there is nothing to read yet
		return since, true
	case r.position.Past != nil || r.position.Compare(h.ring.since) < 0:
		return h.ring.since, false
	case r.pages:
		return since, true
	}
	r.take(h.ring, h.ring.first)
	if r.position.Compare(h.ring.upTo) < 0 {
		r.settled = slices.DeleteFunc(h.ring.settled(r.position, &r.watched), r.early.has)
		if !h.ring.ordered {
			r.position = h.ring.upTo
		}
	}
	return since, true
}

// take has it go on at an entry of a ring, which may be for it.
func (r *Reader) take(ring *ring, number int64) {
	r.ring, r.next, r.offered = ring, number, number
}

// scan reads on in the ring, from the first entry on that may be for it.
func (r *Reader) scan(most int) (b Batch, err error) {
	h := r.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	if len(r.settled) > 0 {
		n := min(most, len(r.settled))
		b = r.batch(r.settled[:n], r.settled[n-1].fed.Cursor)
		r.settled = r.settled[n:]
		return b, nil
	}
	switch {
	case r.next >= 0:
	case r.pages && h.ring != nil:
		return r.page(h.ring, most), nil
	default:
		return r.batch(nil, r.position), nil
	}
	if r.ring == h.ring {
		if r.next = r.offered; r.next < 0 {
			r.next = h.ring.next
		}
	}
	if r.ring != h.ring || r.next < h.ring.first {
		h.cutOff.Add(1)
		return b, ErrCutOff
	}
	reached := r.position
	for r.next < h.ring.next && len(b.Items) < most {
		i := h.ring.at(r.next)
		r.next++
		if i.fed.After(r.position) && i.seenBy(&r.watched) && !r.early.has(i) {
			b.Items = append(b.Items, i)
		}
		reached = i.fed.Cursor
	}
	if r.offered = r.next; r.next == h.ring.next {
		r.offered, reached = -1, h.ring.upTo
	}
	if reached.Compare(r.position) < 0 { // the reader has been further, at another pod
		reached = r.position
	}
	return r.batch(b.Items, reached), nil
}

// page gives what comes next in a ring: what is settled, in the order of places, and then what came
// early. The hub's lock is held.
func (r *Reader) page(ring *ring, most int) Batch {
	r.offered, r.full = -1, false
	if known := slices.DeleteFunc(ring.settled(r.position, &r.watched), r.early.has); len(known) > 0 {
		known = known[:min(most, len(known))]
		r.position = known[len(known)-1].fed.Cursor
		return r.batch(known, r.position)
	}
	if r.position.Compare(ring.upTo) < 0 {
		r.position = ring.upTo
	}
	r.early.note(nil, r.position)
	var items []*Item
	for n := ring.first; n < ring.next && len(items) < most; n++ {
		i := ring.at(n)
		if !i.fed.After(r.position) || !i.seenBy(&r.watched) || r.early.has(i) {
			continue
		}
		if r.full = len(r.early) >= maxEarly; r.full {
			break
		}
		r.early.add(i)
		items = append(items, i)
	}
	return r.batch(items, r.position)
}

func (r *Reader) encode(p store.Position) string {
	if r.pages {
		return encodePage(p, r.early)
	}
	return encode(p, r.hub.store.IsCockroach())
}

func (r *Reader) filter() store.FeedFilter {
	return store.FeedFilter{Regions: r.watched.Regions, Locations: r.watched.Locations, SKUs: r.watched.SKUs}
}
