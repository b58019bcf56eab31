package worker

import (
	"context"
	"errors"
	"time"

	"stockyard/service"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// AlertsObserver is told what the worker raised.
type AlertsObserver interface {
	// Alerted: so many alerts of a kind were raised.
	Alerted(kind string, n int)
	// AlertsLag is how old the newest event was when the worker was done with it.
	AlertsLag(time.Duration)
}

const (
	// alertsBatch bounds the events of one transaction.
	alertsBatch = 500
	// alertsPause is what lies at least between two batches, so that a stream of events makes few
	// large ones.
	alertsPause = 25 * time.Millisecond
	// alertsWait is how long one run waits for events, at most.
	alertsWait = time.Second
	// cursorEvery is how often the cursor is kept while nothing is raised.
	cursorEvery = 3 * time.Second
)

// AlertsOptions say how alerts are raised. Zero values mean the defaults named here.
type AlertsOptions struct {
	// Doubt is how long the kept cursor may be refused before it is let go for one of now, as the nodes
	// of a database don't all have the same time: 1m.
	Doubt time.Duration
}

// Alerts raises alerts from the change feed of a region. Whoever takes over goes on at the cursor that is
// kept with the alerts; what is done twice raises nothing twice.
func Alerts(s *service.Service, hub *feed.Hub, o AlertsOptions, observe AlertsObserver) Job {
	if o.Doubt == 0 {
		o.Doubt = time.Minute
	}
	a := &alerting{service: s, hub: hub, o: o, observe: observe}
	return Job{Name: "alerts", Every: time.Second, Run: func(ctx context.Context, lease store.Lease) (bool, error) {
		err := a.run(ctx, lease)
		if err != nil {
			a.close() // to begin anew at the cursor that is kept
		}
		return err == nil, err
	}}
}

// alerting is where a pod's worker is on the feed.
type alerting struct {
	service *service.Service
	hub     *feed.Hub
	o       AlertsOptions
	observe AlertsObserver

	reader *feed.Reader // nil: none yet
	lease  store.Lease  // that the reader was opened under
	kept   string       // the cursor that is kept
	keptAt time.Time
	began  time.Time // of the last batch
	// refused is since when the kept cursor is no place in this database's feed; zero: it is one.
	refused time.Time
}

func (a *alerting) close() {
	if a.reader != nil {
		a.reader.Close()
		a.reader = nil
	}
}

func (a *alerting) run(ctx context.Context, lease store.Lease) error {
	if a.reader == nil || a.lease != lease {
		if err := a.open(ctx, lease); err != nil {
			return err
		}
	}
	if err := sleepUntil(ctx, a.began.Add(alertsPause)); err != nil {
		return err
	}
	wait := alertsWait
	if deadline, bounded := ctx.Deadline(); bounded {
		wait = min(wait, time.Until(deadline)/2)
	}
	batch, err := a.reader.Next(ctx, alertsBatch, wait)
	if err != nil {
		return err
	}
	a.began = time.Now()
	if err := a.raise(ctx, lease, batch); err != nil {
		return err
	}
	if batch.Cursor == a.kept || time.Since(a.keptAt) < cursorEvery {
		return nil
	}
	return a.keep(ctx, lease, batch.Cursor)
}

// open begins to read where the worker, here or elsewhere, has come to; where there is none yet, now.
func (a *alerting) open(ctx context.Context, lease store.Lease) error {
	a.close()
	cursor, err := a.service.FeedCursor(ctx, lease)
	if err != nil {
		return err
	}
	reader, err := a.hub.Read(ctx, cursor, service.EventsOf(lease.Region))
	var refusal *inventory.Refusal
	switch {
	case !errors.As(err, &refusal):
		a.refused = time.Time{}
	case a.refused.IsZero():
		a.refused = time.Now()
	case time.Since(a.refused) > a.o.Doubt: // what lies between is another database's
		cursor = ""
		reader, err = a.hub.Read(ctx, cursor, service.EventsOf(lease.Region))
	}
	if err != nil {
		return err
	}
	a.reader, a.lease, a.kept, a.keptAt = reader, lease, cursor, time.Now()
	if cursor == "" {
		return a.keep(ctx, lease, reader.Cursor())
	}
	return nil
}

func (a *alerting) keep(ctx context.Context, lease store.Lease, cursor string) error {
	err := a.service.MoveFeedCursor(ctx, lease, cursor)
	if err == nil {
		a.kept, a.keptAt = cursor, time.Now()
	}
	return err
}

func (a *alerting) raise(ctx context.Context, lease store.Lease, batch feed.Batch) error {
	var events []*inventory.Event
	for _, item := range batch.Items {
		if item.Event != nil {
			events = append(events, item.Event)
		}
	}
	if len(events) == 0 {
		return nil
	}
	raised, moved, err := a.service.RaiseAlerts(ctx, lease, events, batch.Cursor)
	if err != nil {
		return err
	}
	if moved {
		a.kept, a.keptAt = batch.Cursor, time.Now()
	}
	for kind, n := range raised {
		a.observe.Alerted(string(kind), n)
	}
	a.observe.AlertsLag(max(time.Since(events[len(events)-1].RecordedAt), 0))
	return nil
}

// sleepUntil waits for a moment, which may be over.
func sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
