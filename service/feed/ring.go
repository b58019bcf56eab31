package feed

import (
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
}

func newRing(size int, from store.Position) *ring {
	return &ring{items: make([]*Item, size), since: from, upTo: from}
}

func (r *ring) add(i *Item) {
	slot := r.next % int64(len(r.items))
	if r.next-r.first == int64(len(r.items)) {
		if gone := r.items[slot].fed.Place(); gone.Compare(r.since) > 0 {
			r.since = gone
		}
		r.first++
	}
	r.items[slot] = i
	r.next++
}

func (r *ring) at(n int64) *Item { return r.items[n%int64(len(r.items))] }
