// Package webhook tells those who don't come for it of what the change feed brings. One pod of all
// does it at a time, under a lease; what is yet to be sent lies in the database, so that any pod's
// death costs nothing but the time until another one goes on.
package webhook

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"stockyard/service/feed"
	"stockyard/service/secrets"
	"stockyard/service/store"
	"stockyard/service/telemetry/tracing"
	"stockyard/service/webhook/egress"
)

// leaseName is the lease's, in the primary region. Pods of every region may take it.
const leaseName = "webhooks"

// Observer is told what is sent. It is called from many goroutines.
type Observer interface {
	// Attempted: an attempt to deliver ended with a result: delivered, failed or parked.
	Attempted(result string)
	// Parked: deliveries were parked that had waited too long for their turn.
	Parked(n int)
	// Outstanding: so many deliveries wait, the oldest for so long. Both are 0 where another pod sends.
	Outstanding(n int64, oldest time.Duration)
}

// Options of a dispatcher. Zero values mean the defaults named here.
type Options struct {
	Store  *store.Store
	Hub    *feed.Hub
	Region string // the primary one
	// Secrets open what messages are signed with.
	Secrets      *secrets.Keys
	AllowPrivate bool
	Log          *slog.Logger
	Observer     Observer
	// Traces begins a trace for each delivery, which its receiver is told of; nil for none.
	Traces *tracing.Traces
	// Backoff says when failed attempts are repeated, and when no more.
	Backoff Backoff
	// Timeout of an attempt: 15s.
	Timeout time.Duration
	// Lease is how long a lease lasts without renewal: 10s.
	Lease time.Duration
	// Refresh is how often settings are read, and Idle how often it is looked whether something was
	// asked for again: 1s and 5s.
	Refresh, Idle time.Duration
	// Outstanding is how many deliveries of an endpoint wait in the database, at most; the rest
	// waits in the ledger: 10000.
	Outstanding int
	// KeepDelivered and KeepParked are how long what is done with can be seen: 7 and 30 days.
	KeepDelivered, KeepParked time.Duration
}

// Dispatcher sends, or waits for its turn to.
type Dispatcher struct {
	o      Options
	client *http.Client
}

// New makes a dispatcher; Run has it work.
func New(o Options) *Dispatcher {
	const day = 24 * time.Hour
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Outstanding == 0 {
		o.Outstanding = 10_000
	}
	for d, otherwise := range map[*time.Duration]time.Duration{
		&o.Timeout: 15 * time.Second, &o.Lease: 10 * time.Second, &o.Refresh: time.Second, &o.Idle: 5 * time.Second,
		&o.KeepDelivered: 7 * day, &o.KeepParked: 30 * day,
		&o.Backoff.First: 5 * time.Second, &o.Backoff.Most: 6 * time.Hour, &o.Backoff.GiveUp: 3 * day,
	} {
		if *d == 0 {
			*d = otherwise
		}
	}
	return &Dispatcher{o, egress.NewClient(egress.Options{Timeout: o.Timeout, AllowPrivate: o.AllowPrivate})}
}

// Run takes the lease whenever it is free, and sends while it has it, until the context ends.
func (d *Dispatcher) Run(ctx context.Context) {
	host, _ := os.Hostname()
	holder := host + "/" + rand.Text()[:8]
	defer d.release(ctx, holder)
	for {
		if lease, until, ok := d.take(ctx, holder); ok {
			d.o.Log.Info("webhooks are sent from here", "token", lease.Token)
			d.lead(ctx, holder, lease, until)
		}
		if rest(ctx, d.o.Lease/3) != nil {
			return
		}
	}
}

// take takes or renews the lease. What is asked for counts from before the asking, so that the pod
// never believes longer than the database does.
func (d *Dispatcher) take(ctx context.Context, holder string) (lease store.Lease, until time.Time, ok bool) {
	until = time.Now().Add(d.o.Lease)
	ctx, cancel := context.WithTimeout(ctx, d.o.Lease/3)
	defer cancel()
	lease, ok, err := d.o.Store.TakeLease(ctx, d.o.Region, leaseName, holder, d.o.Lease)
	if err != nil {
		d.o.Log.Debug("no lease", "worker", leaseName, "error", err)
	}
	return lease, until, ok && err == nil
}

func (d *Dispatcher) release(ctx context.Context, holder string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = d.o.Store.ReleaseLease(ctx, d.o.Region, leaseName, holder) // else it expires by itself
}

// lead sends for as long as the lease is this pod's.
func (d *Dispatcher) lead(ctx context.Context, holder string, lease store.Lease, until time.Time) {
	ctx, stop := context.WithCancel(ctx)
	l := &leader{d, lease, map[[16]byte]*endpoint{}}
	var tidying sync.WaitGroup
	tidying.Go(func() { l.tidy(ctx) })
	defer func() {
		stop()
		l.await()
		tidying.Wait()
		d.o.Observer.Outstanding(0, 0)
	}()
	for {
		if time.Until(until) < d.o.Lease*2/3 {
			renewed, later, ok := d.take(ctx, holder)
			switch {
			case ok && renewed == lease:
				until = later
			case ok, time.Until(until) <= 0:
				d.o.Log.Info("webhooks are sent from here no more", "token", lease.Token)
				return
			}
		}
		if err := l.refresh(ctx); err != nil && ctx.Err() == nil {
			d.o.Log.Warn("the settings of webhooks can't be read", "error", err)
		}
		if rest(ctx, min(d.o.Refresh, max(time.Until(until), 0))) != nil {
			return
		}
	}
}

// leader is what a dispatcher does under one lease.
type leader struct {
	*Dispatcher
	lease     store.Lease
	endpoints map[[16]byte]*endpoint
}

// page is how many webhooks are read at once.
const page = 1000

// each calls fn with every webhook.
func (l *leader) each(ctx context.Context, fn func(store.Webhook) error) error {
	for after := ""; ; {
		some, err := l.o.Store.Webhooks(ctx, l.o.Region, after, page)
		if err != nil {
			return err
		}
		for _, w := range some {
			if err := fn(w); err != nil {
				return err
			}
			after = w.Name
		}
		if len(some) < page {
			return nil
		}
	}
}

// refresh starts what is new, stops what is gone, and has what was changed begin again.
func (l *leader) refresh(ctx context.Context) error {
	reading, cancel := context.WithTimeout(ctx, l.o.Lease/3)
	defer cancel()
	there := map[[16]byte]store.Webhook{}
	err := l.each(reading, func(w store.Webhook) error {
		if w.Active {
			there[w.UUID] = w
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, e := range l.endpoints {
		if w, still := there[id]; !still || w.Version != e.version {
			e.stop()
		}
		if e.ended() {
			delete(l.endpoints, id) // one that still ends stays, and what follows it waits
		}
	}
	for id, w := range there {
		if l.endpoints[id] == nil {
			l.endpoints[id] = l.start(ctx, w)
		}
	}
	return nil
}

// await stops every endpoint and waits until they have ended.
func (l *leader) await() {
	for _, e := range l.endpoints {
		e.stop()
	}
	for _, e := range l.endpoints {
		<-e.done
	}
}

// rest waits, unless the context ends first.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type unobserved struct{}

func (unobserved) Attempted(string)                 {}
func (unobserved) Parked(int)                       {}
func (unobserved) Outstanding(int64, time.Duration) {}
