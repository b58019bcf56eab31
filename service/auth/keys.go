package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// How old what a pod knows of a key may be. From freshFor on it is read again on the side; after
// goodFor nobody is let in by it. So a key that was revoked stops working everywhere within goodFor.
const (
	freshFor = 2 * time.Second
	goodFor  = 4 * time.Second
	// lookupTimeout bounds a lookup, lookupsAtOnce how many connections to the database those who
	// try ids at random can keep busy.
	lookupTimeout = 3 * time.Second
	lookupsAtOnce = 8
	// rememberedKeys bounds each of the two generations of what is remembered of keys.
	rememberedKeys = 10_000
)

var (
	errUnknownKey  = errors.New("there is no such key")
	errWrongSecret = errors.New("the secret is not this key's")
)

// Keys checks API keys against a source, and remembers for some seconds what it said.
type Keys struct {
	source KeySource
	flight singleflight.Group
	slots  chan struct{}
	uses   uses

	mu             sync.Mutex
	known, unknown recent // apart, so that ids tried at random don't push real keys out
}

// NewKeys makes a checker of keys. Its Run writes down when keys were used.
func NewKeys(source KeySource, log *slog.Logger) *Keys {
	return &Keys{source: source, slots: make(chan struct{}, lookupsAtOnce), uses: uses{source: source, log: log}}
}

// Run writes down when keys were used, until the context ends.
func (k *Keys) Run(ctx context.Context) { k.uses.run(ctx) }

// Authenticate finds out whose key a text is. Errors: ErrBadCredential, ErrUnavailable, or the
// context's.
func (k *Keys) Authenticate(ctx context.Context, text string) (Principal, error) {
	presented, err := ParseAPIKey(text)
	if err != nil {
		return Principal{}, bad(err)
	}
	l, err := k.find(ctx, presented.ID)
	switch {
	case err != nil:
		return Principal{}, err
	case !l.found:
		return Principal{}, bad(fmt.Errorf("%s: %w", presented, errUnknownKey))
	case !presented.Matches(l.key.Hash):
		return Principal{}, bad(fmt.Errorf("%s: %w", presented, errWrongSecret))
	case l.key.Status != KeyActive:
		return Principal{}, bad(fmt.Errorf("%s: it is %s", presented, l.key.Status))
	}
	k.uses.note(l.key.ID)
	return l.key.Principal(), nil
}

// lookup is what the source said of an id; began is from when its answer certainly is.
type lookup struct {
	key   Key
	found bool
	began time.Time
}

// find gives what the source says of an id, or said at most goodFor ago. Callers that come together
// share one reading.
func (k *Keys) find(ctx context.Context, id string) (lookup, error) {
	l, ok := k.recall(id)
	age := time.Since(l.began)
	if ok && age < freshFor {
		return l, nil
	}
	flight := k.flight.DoChan(id, func() (any, error) { return k.read(context.WithoutCancel(ctx), id) })
	if ok && age < goodFor {
		return l, nil
	}
	select {
	case r := <-flight:
		l, _ := r.Val.(lookup)
		return l, r.Err
	case <-ctx.Done():
		return lookup{}, ctx.Err()
	}
}

func (k *Keys) read(ctx context.Context, id string) (lookup, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	case <-ctx.Done():
		return lookup{}, unavailable(errors.New("too many keys are looked up already"))
	}
	l := lookup{began: time.Now()}
	var err error
	if l.key, l.found, err = k.source.Key(ctx, id); err != nil {
		return lookup{}, unavailable(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.found {
		k.known.put(id, l)
	} else {
		k.unknown.put(id, l)
	}
	return l, nil
}

func (k *Keys) recall(id string) (lookup, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l, ok := k.known.get(id); ok {
		return l, true
	}
	return k.unknown.get(id)
}

// recent keeps lookups in two generations; the older one is dropped as a whole when the younger one
// is full, or so old that nothing in the older one is good.
type recent struct {
	young, old map[string]lookup
	turned     time.Time
}

func (r *recent) get(id string) (lookup, bool) {
	if l, ok := r.young[id]; ok {
		return l, true
	}
	l, ok := r.old[id]
	return l, ok
}

func (r *recent) put(id string, l lookup) {
	if r.young == nil || len(r.young) >= rememberedKeys || time.Since(r.turned) > goodFor {
		r.young, r.old, r.turned = map[string]lookup{}, r.young, time.Now()
	}
	r.young[id] = l
}
