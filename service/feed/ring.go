package feed

import (
	"slices"

	"stockyard/service"
	"stockyard/service/store"
)

// ring is the newest entries of the feed, in the order in which they came.
type ring struct {
	items []*Item
	first int64 // the number of the oldest; numbers grow by one with each entry
	next  int64 // the number of the next to come
	// since is where the ring begins: a reader who has everything before it finds all the rest here.
	since store.Position
	// upTo: everything before it has come.
	upTo store.Position
	// ordered says that entries come in the order of their places, so that each one's cursor is its
	// own place.
	ordered bool
}

func newRing(size int, from store.Position, ordered bool) *ring {
	return &ring{items: make([]*Item, size), since: from, upTo: from, ordered: ordered}
}

func (r *ring) add(i *Item) {
	slot := r.next % int64(len(r.items))
	if r.next-r.first == int64(len(r.items)) {
		gone := r.items[slot].fed.Place()
		if !r.ordered { // what else is of its moment can be counted no more
			gone = gone.Behind()
		}
		if gone.Compare(r.since) > 0 {
			r.since = gone
		}
		r.first++
	}
	r.items[slot] = i
	r.next++
}

func (r *ring) at(n int64) *Item { return r.items[n%int64(len(r.items))] }

// settled gives what is here after a position of which everything before upTo is known, in the order
// of places, each with its own for a cursor: a reader who takes little at a time comes on by it, where
// the cursors of what came early stand still.
func (r *ring) settled(after store.Position, w *service.Watched) (items []*Item) {
	if r.ordered {
		return nil
	}
	var known []*Item
	for n := r.first; n < r.next; n++ {
		if i := r.at(n); i.fed.At.Compare(after.At) >= 0 && i.fed.At.Compare(r.upTo.At) < 0 {
			known = append(known, i)
		}
	}
	compare := func(a, b *Item) int { return a.fed.Compare(&b.fed) }
	slices.SortFunc(known, compare)
	// What came twice counts once, as it does at every other pod.
	known = slices.CompactFunc(known, func(a, b *Item) bool { return compare(a, b) == 0 })
	nth := 0
	for k, i := range known {
		if nth++; k > 0 && i.fed.At != known[k-1].fed.At {
			nth = 1
		}
		if at := (store.Position{At: i.fed.At, Given: nth}); at.Compare(after) > 0 && i.seenBy(w) {
			items = append(items, i.at(at))
		}
	}
	return items
}
