package webhook

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"stockyard/service"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// endpoint is a webhook that is served, as it was put at a version. It has two goroutines of its
// own, so that nothing that it does or doesn't do delays another.
type endpoint struct {
	*leader
	name    string
	version int64
	stop    context.CancelFunc
	done    chan struct{}
	// fresh says that there is something to send, room that something was sent.
	fresh, room chan struct{}
}

func (l *leader) start(ctx context.Context, w store.Webhook) *endpoint {
	ctx, stop := context.WithCancel(ctx)
	e := &endpoint{
		leader: l, name: w.Name, version: w.Version, stop: stop, done: make(chan struct{}),
		fresh: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
	go func() {
		defer close(e.done)
		defer stop()
		var both sync.WaitGroup
		both.Go(func() { e.again(ctx, "feed not read for a webhook", e.intake) })
		both.Go(func() { e.again(ctx, "webhook not served", e.round) })
		both.Wait()
	}()
	return e
}

func (e *endpoint) ended() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// errChanged: the webhook isn't what it was, or the lease is another's: there is nothing to do for
// this goroutine.
var errChanged = errors.New("the webhook was changed")

// again does something again and again, until it is of no use any more.
func (e *endpoint) again(ctx context.Context, trouble string, do func(context.Context) error) {
	for ctx.Err() == nil {
		err := do(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			continue
		case errors.Is(err, errChanged):
			e.stop()
			return
		}
		e.o.Log.Warn(trouble, "webhook", e.name, "error", err)
		if rest(ctx, e.o.Refresh) != nil {
			return
		}
	}
}

// current reads the webhook as it is. Errors: errChanged, those of the store.
func (e *endpoint) current(ctx context.Context) (store.Webhook, error) {
	w, err := e.o.Store.Webhook(ctx, e.o.Region, e.name)
	if errors.Is(err, store.ErrNotFound) || err == nil && (w.Version != e.version || !w.Active) {
		err = errChanged
	}
	return w, err
}

const (
	// batch is how many entries of the feed become deliveries at once.
	batch = 256
	// saveEvery is how often a place in the feed is written down where nothing came of it.
	saveEvery = 10 * time.Second
	// doubt is how long a place in the feed may look wrong before it is: the nodes of a database
	// don't all have the same time.
	doubt = time.Minute
)

// intake makes deliveries of what the feed brings, until something is wrong.
func (e *endpoint) intake(ctx context.Context) error {
	w, err := e.current(ctx)
	if err != nil {
		return err
	}
	watched := service.Everything()
	watched.WatchQuery = service.WatchQuery(w.Filter)
	reader, err := e.open(ctx, w, watched)
	if err != nil {
		return err
	}
	defer reader.Close()
	left := 0 // how many more may be outstanding
	for saved := time.Now(); ; {
		if left < batch {
			if left, err = e.untilRoom(ctx, w); err != nil {
				return err
			}
		}
		b, err := reader.Next(ctx, batch, e.o.Refresh)
		switch {
		case errors.Is(err, feed.ErrCutOff):
			return nil // it goes on from its place, from the ledger if need be
		case err != nil:
			return err
		case len(b.Items) == 0 && (b.Cursor == w.Cursor || time.Since(saved) < saveEvery):
			continue // entries may well come before the cursor moves
		}
		deliveries := make([]store.Delivery, len(b.Items))
		for i, item := range b.Items {
			deliveries[i] = newDelivery(w, item)
		}
		ok, err := e.o.Store.Materialise(ctx, e.lease, w, b.Cursor, deliveries)
		if err != nil {
			return err
		}
		if !ok {
			return errChanged
		}
		w.Cursor, saved = b.Cursor, time.Now()
		if left -= len(deliveries); len(deliveries) > 0 {
			signal(e.fresh)
		}
	}
}

// open begins to read the feed at the webhook's place. Where that is no place of this database's
// feed, for long enough to be sure, the webhook is switched off.
func (e *endpoint) open(ctx context.Context, w store.Webhook, watched service.Watched) (*feed.Reader, error) {
	for began := time.Now(); ; {
		reader, err := e.o.Hub.Read(ctx, w.Cursor, watched)
		var refusal *inventory.Refusal
		if !errors.As(err, &refusal) && w.Cursor != "" {
			return reader, err
		}
		if time.Since(began) < doubt && w.Cursor != "" {
			if err := rest(ctx, e.o.Refresh); err != nil {
				return nil, err
			}
			continue
		}
		if err == nil { // it has no place, and was read from now on
			reader.Close()
		}
		e.o.Log.Error("webhook switched off: its place in the feed is unknown", "webhook", e.name, "error", err)
		const why = "its place in the change feed is of another database, or of a time before this one was restored; put it again to go on from now"
		if _, err := e.o.Store.LoseWebhook(ctx, e.lease, w, why); err != nil {
			return nil, err
		}
		return nil, errChanged
	}
}

// untilRoom waits while as much is outstanding as may be, and says how much more may. Where it is the
// messages that are refused that take the room, of an endpoint that takes others, they are parked.
func (e *endpoint) untilRoom(ctx context.Context, w store.Webhook) (left int, err error) {
	for {
		n, _, err := e.o.Store.PendingDeliveries(ctx, w)
		if left = e.o.Outstanding - int(n); err != nil || left >= batch {
			return left, err
		}
		parked, err := e.parkRefused(ctx)
		switch {
		case err != nil:
			return 0, err
		case parked > 0:
			signal(e.fresh) // those behind them have their turn
			continue
		}
		select {
		case <-e.room:
		case <-time.After(e.o.Idle):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (e *endpoint) parkRefused(ctx context.Context) (parked int, err error) {
	w, err := e.current(ctx)
	if err != nil || w.Failures > 0 {
		return 0, err
	}
	parked, ok, err := e.o.Store.ParkRefused(ctx, e.lease, w, refusals(), batch, "; parked early, for "+strconv.Itoa(e.o.Outstanding)+" messages wait")
	if err == nil && !ok {
		err = errChanged
	}
	if parked > 0 {
		e.o.Observer.Parked(parked)
	}
	return parked, err
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
