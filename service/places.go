package service

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// places keeps all locations and channels in memory: there are few, they seldom change, and every
// command needs them. A name that isn't there is looked for in the database before it is refused.
// Changes made through another pod are seen within placesTTL; a location's region never changes.
type places struct {
	store  *store.Store
	now    atomic.Pointer[placesSnapshot]
	load   sync.Mutex
	closed context.Context // ends what reads in the background
	end    context.CancelFunc
}

type placesSnapshot struct {
	began     time.Time
	locations map[string]inventory.Location
	channels  map[string]inventory.Channel
}

const placesTTL = 2 * time.Second

func newPlaces(st *store.Store) *places {
	p := &places{store: st}
	p.closed, p.end = context.WithCancel(context.Background())
	p.now.Store(&placesSnapshot{})
	return p
}

// close leaves nothing behind that reads.
func (p *places) close() {
	p.end()
	p.load.Lock()
	defer p.load.Unlock()
}

// location gives a location, archived or not; ok is false where there is none.
func (p *places) location(ctx context.Context, name string) (l inventory.Location, ok bool, err error) {
	if l, ok = p.current(ctx).locations[name]; ok {
		return l, true, nil
	}
	snapshot, err := p.reload(ctx)
	if err != nil {
		return l, false, err
	}
	l, ok = snapshot.locations[name]
	return l, ok, nil
}

// channel is location for channels.
func (p *places) channel(ctx context.Context, name string) (c inventory.Channel, ok bool, err error) {
	if c, ok = p.current(ctx).channels[name]; ok {
		return c, true, nil
	}
	snapshot, err := p.reload(ctx)
	if err != nil {
		return c, false, err
	}
	c, ok = snapshot.channels[name]
	return c, ok, nil
}

// locations gives all of them, at most placesTTL old.
func (p *places) locations(ctx context.Context) (map[string]inventory.Location, error) {
	snapshot := p.current(ctx)
	if snapshot.locations == nil || time.Since(snapshot.began) > 2*placesTTL {
		var err error
		if snapshot, err = p.reload(ctx); err != nil {
			return nil, err
		}
	}
	return snapshot.locations, nil
}

// current gives the snapshot at hand; one past its time is renewed in the background.
func (p *places) current(ctx context.Context) *placesSnapshot {
	snapshot := p.now.Load()
	if time.Since(snapshot.began) > placesTTL && p.load.TryLock() {
		go func() {
			defer p.load.Unlock()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			defer context.AfterFunc(p.closed, cancel)()
			_, _ = p.read(ctx) // where it fails, the next caller tries again
		}()
	}
	return snapshot
}

// reload gives a snapshot whose reading began after the call did. Callers that come together
// share one reading.
func (p *places) reload(ctx context.Context) (*placesSnapshot, error) {
	asked := time.Now()
	p.load.Lock()
	defer p.load.Unlock()
	if snapshot := p.now.Load(); snapshot.began.After(asked) {
		return snapshot, nil
	}
	return p.read(ctx)
}

func (p *places) read(ctx context.Context) (*placesSnapshot, error) {
	snapshot := &placesSnapshot{began: time.Now(), locations: map[string]inventory.Location{}, channels: map[string]inventory.Channel{}}
	locations, err := p.store.Locations(ctx)
	if err != nil {
		return nil, fromStore(err, false)
	}
	channels, err := p.store.Channels(ctx)
	if err != nil {
		return nil, fromStore(err, false)
	}
	for _, l := range locations {
		snapshot.locations[l.Name] = l
	}
	for _, c := range channels {
		snapshot.channels[c.Name] = c
	}
	p.now.Store(snapshot)
	return snapshot, nil
}
