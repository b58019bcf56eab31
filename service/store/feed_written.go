package store

import (
	"sync"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// written is what one transaction of this pod's committed to the ledger, whole.
type written struct {
	tx     int64
	events []inventory.Event
}

// followers are a store's tails that want to be told what it commits, so that they need not read it
// back. A connection that was lost before it answered to the commit tells nobody: then it is read.
type followers struct {
	mu   sync.RWMutex
	each map[*memory]struct{}
}

func (f *followers) add(m *memory) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.each == nil {
		f.each = map[*memory]struct{}{}
	}
	f.each[m] = struct{}{}
}

func (f *followers) remove(m *memory) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.each, m)
}

func (f *followers) tell(w written) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for m := range f.each {
		m.add(w)
	}
}

const (
	// maxWritten and maxWrittenEvents bound what a tail remembers of its own pod. More of it comes
	// together only while some transaction runs on and on, or where a tail begins.
	maxWritten       = 256
	maxWrittenEvents = 8192
)

// memory is what a tail was told and has yet to give.
type memory struct {
	mu     sync.Mutex
	all    []written
	events int
}

func (m *memory) add(w written) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events += len(w.events); len(m.all) == maxWritten || m.events > maxWrittenEvents {
		m.all, m.events = nil, 0 // it is read then, this one included
		return
	}
	m.all = append(m.all, w)
}

func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all, m.events = nil, 0
}

// from forgets what lies before a position and gives the rest.
func (m *memory) from(p Position) (rest []written) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = 0
	for _, w := range m.all {
		if w.tx >= p.At.Wall {
			rest = append(rest, w)
			m.events += len(w.events)
		}
	}
	m.all = rest
	return rest[:len(rest):len(rest)]
}

// queueEvents queues events, and remembers them for those who follow what the store commits.
func (tx *Tx) queueEvents(events []inventory.Event) {
	if tx.store.dialect.cockroach {
		tx.queue(insertEvents, nil, eventRows(events)...)
		tx.queueBatch(events)
		return
	}
	tx.queue(insertPlacedEvents, func(r pgx.Rows) error { return r.Scan(&tx.written.tx) }, eventRows(events)...)
	tx.written.events = events
}
