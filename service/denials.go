package service

import (
	"context"
	"sync"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// denials gathers attempts that were refused for want of rights and writes them into the audit log
// in the background, those alike within a second as one entry with their number: somebody who
// knocks a thousand times a second must not make us write a thousand rows.
type denials struct {
	store  *store.Store
	region string
	tell   func(error)
	mu     sync.Mutex
	open   map[denial]*store.AuditEntry
	stop   chan struct{}
	done   chan struct{}
}

type denial struct {
	operation, actor, detail, outcome string
}

const (
	denialsEvery = time.Second
	// maxDenials bounds what is gathered; what is not alike beyond it counts as one.
	maxDenials = 1000
)

func newDenials(st *store.Store, region string, tell func(error)) *denials {
	d := &denials{
		store: st, region: region, tell: tell, open: map[denial]*store.AuditEntry{},
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go d.run()
	return d
}

func (d *denials) run() {
	defer close(d.done)
	tick := time.NewTicker(denialsEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.flush()
		case <-d.stop:
			d.flush()
			return
		}
	}
}

func (d *denials) close() {
	close(d.stop)
	<-d.done
}

func (d *denials) add(e store.AuditEntry) {
	key := denial{e.Operation, e.Actor, e.Detail, e.Outcome}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.open[key]; !known && len(d.open) >= maxDenials {
		key = denial{outcome: e.Outcome}
		e.Actor, e.RequestID, e.Operation, e.Detail = "", "", "", "more attempts than are told apart"
	}
	if same := d.open[key]; same != nil {
		same.Attempts++
		return
	}
	e.Region, e.Attempts = d.region, 1
	e.ID = inventory.ID{Region: d.region, UUID: random()}
	d.open[key] = &e
}

// flush writes what has gathered. Where the database is away, it stays for the next time.
func (d *denials) flush() {
	d.mu.Lock()
	entries := make([]store.AuditEntry, 0, len(d.open))
	for _, e := range d.open {
		entries = append(entries, *e)
	}
	gathered := d.open
	d.open = map[denial]*store.AuditEntry{}
	d.mu.Unlock()
	if len(entries) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := d.store.WriteAudit(ctx, entries); err != nil {
		d.tell(err)
		d.putBack(gathered)
	}
}

func (d *denials) putBack(gathered map[denial]*store.AuditEntry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, e := range gathered {
		if same := d.open[key]; same != nil {
			e.Attempts += same.Attempts
		}
		d.open[key] = e
	}
}

// deny refuses an operation to a caller, at a place or at all, and has it recorded.
func (s *Service) deny(caller Caller, op auth.Operation, at *auth.Place) *auth.Denied {
	denied := auth.Deny(op, at)
	s.denials.add(store.AuditEntry{
		Actor: caller.Principal.Actor(), RequestID: caller.RequestID,
		Operation: string(op), Outcome: outcomeDenied, Detail: denied.Error(),
	})
	return denied
}

// Unauthenticated records an attempt with a credential that is no good, or with none: from says
// where it came from.
func (s *Service) Unauthenticated(op auth.Operation, requestID, from string) {
	s.denials.add(store.AuditEntry{
		RequestID: requestID, Operation: string(op), Outcome: outcomeUnauthenticated, Detail: "from " + from,
	})
}
