package service_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/cache"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// freshness is a pod that is read from, through connections that break, while others write, and what
// is known of what they wrote. Databases and tests are on one machine, and so by one clock.
type freshness struct {
	y            *yard
	pod          *service.Service
	memory       *cache.Cache
	reads, tails *storetest.Proxy
	random       *rand.Rand
	turns        chan struct{} // one for each read: writers write as readers read

	skus []string // each level of these gains a unit with each version
	held string   // units of it are held for a second each; nobody tidies up

	lapsed int // answers from memory, as of a moment at which holds had lapsed

	mu    sync.Mutex
	known map[inventory.LevelKey][]time.Time // by version, from 1 on: by when it was committed
	holds []*hold
}

type hold struct {
	asked   time.Time
	expires time.Time // zero while unknown
}

// No answer is older than it says, nor than was asked for; none is below a version that was asked for;
// and no hold counts that had lapsed by then: whichever way is asked, over connections that break,
// while the feed lags behind, and when the memory is thrown away.
func TestNoAnswerIsOlderThanItSays(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		f := newFreshness(t, y)
		defer f.write(t)()
		deadline := time.Now().Add(5 * time.Minute) // of a slow machine
		for i := 0; ; i++ {
			hits, _, _, _ := f.memory.Stats()
			if i >= 1500 && hits >= 500 && f.lapsed >= 100 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("after %d rounds the memory has answered %d times, %d of them where holds had lapsed", i, hits, f.lapsed)
			}
			f.disturb(i)
			f.read(t)
		}
		hits, misses, aside, _ := f.memory.Stats()
		t.Logf("%d from memory, %d missed, %d too old", hits, misses, aside)
	})
}

// On CockroachDB a bounded read is a follower's where it may be so old; on PostgreSQL there are none.
func TestBoundedReadsAreFollowers(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 1, nyc)
		for staleness, follows := range map[string]bool{"": true, "4800ms": true, "4799ms": false, "0s": false} {
			asked := time.Now()
			_, asOf, err := y.pods[0].Level(t.Context(), tester, nyc, sku, service.Freshness{Consistency: "bounded", MaxStaleness: staleness})
			if err != nil {
				t.Fatal(err)
			}
			if past := asOf.Before(asked.Add(-time.Second)); past != (follows && y.IsCockroach()) {
				t.Errorf("max_staleness %q: as of %s before it was asked for", staleness, asked.Sub(asOf))
			}
		}
		one := int64(1) // which no follower may have yet
		l, _, err := y.pods[0].Level(t.Context(), tester, nyc, sku, service.Freshness{Consistency: "bounded", MinVersion: &one})
		if err != nil || l.OnHand != 1 {
			t.Errorf("min_version 1: %+v, %v", l, err)
		}
	})
}

// What isn't there isn't in memory either, and a SKU that is asked for twice counts once.
func TestMemoryKnowsNoMoreThanTheCatalogue(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		f := newFreshness(t, y)
		fresh := service.Freshness{Consistency: "cached"}
		if _, _, err := f.pod.Level(t.Context(), tester, nyc, y.run+"-none", fresh); refusalOf(err) != inventory.NotFound {
			t.Errorf("an unknown SKU: %v", err)
		}
		if _, _, err := f.pod.AvailabilityOf(t.Context(), tester, []string{y.run + "-none"}, "", "", fresh); refusalOf(err) != inventory.NotFound {
			t.Errorf("an unknown SKU: %v", err)
		}
		if _, _, err := f.pod.Level(t.Context(), tester, "NOWHERE", f.held, fresh); refusalOf(err) != inventory.NotFound {
			t.Errorf("an unknown location: %v", err)
		}
		l, asOf, err := f.pod.Level(t.Context(), tester, nyc, f.skus[0], fresh)
		if err != nil || l.Version != 0 || asOf.IsZero() {
			t.Errorf("a level without events: %+v as of %s, %v", l, asOf, err)
		}
		twice, _, err := f.pod.AvailabilityOf(t.Context(), tester, []string{f.held, f.held}, "", "", fresh)
		if err != nil || len(twice) != 2 || twice[0].Available != 1_000_000 || twice[1].Available != 1_000_000 || len(twice[0].ByLocation) != 1 {
			t.Errorf("a SKU twice: %+v, %v", twice, err)
		}
	})
}

// A hold that lapses, or was cut short, leaves no event, and doesn't count from its end on all the same.
func TestMemoryLetsHoldsLapse(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		f := newFreshness(t, y)
		fresh := service.Freshness{Consistency: "cached", MaxStaleness: "4s"}
		in := reserve(f.held, 5, nyc)
		id := y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), in)).Reservation.ID.String()
		deadline := time.Now().Add(time.Minute)
		var ends time.Time
		for tick := time.Tick(5 * time.Millisecond); time.Now().Before(deadline); <-tick {
			l, asOf, err := f.pod.Level(t.Context(), tester, nyc, f.held, fresh)
			if err != nil {
				t.Fatal(err)
			}
			if hits, _, _, _ := f.memory.Stats(); ends.IsZero() && hits > 0 {
				o := y.must(t)(y.pods[0].Extend(t.Context(), y.fresh(), id, service.StepInput{ExpiresIn: "1s"}))
				ends = *o.Reservation.ExpiresAt
			}
			if ends.IsZero() || asOf.Before(ends) {
				continue
			}
			if l.Held != 0 {
				t.Fatalf("%d held as of %s, %s after the hold ended", l.Held, asOf, asOf.Sub(ends))
			}
			if asOf.After(ends.Add(2 * time.Second)) {
				return
			}
		}
		t.Fatal("the memory doesn't get past the end of the hold")
	})
}

// Strong reads that come at once share a reading, but none that began before they were asked.
func TestSharedReadsAreStrong(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 1, nyc)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for range 20 {
					asked := time.Now()
					var asOf time.Time
					var err error
					if i%2 == 0 {
						_, asOf, err = y.pods[0].Level(t.Context(), tester, nyc, sku, service.Freshness{})
					} else {
						_, asOf, err = y.pods[0].AvailabilityOf(t.Context(), tester, []string{sku}, "", "", service.Freshness{})
					}
					if err != nil || asOf.Before(asked.Add(-10*time.Microsecond)) {
						t.Errorf("as of %s before it was asked for, %v", asked.Sub(asOf), err)
					}
				}
			})
		}
		all.Wait()
	})
}

// A SKU that is held all the time is answered from memory nearly always: its holds have it read anew
// every few seconds, and not with each of them.
func TestMemoryServesAHotSKU(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		f := newFreshness(t, y)
		look := func() {
			if _, _, err := f.pod.Level(t.Context(), tester, nyc, f.held, service.Freshness{Consistency: "cached"}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for hits := int64(0); hits == 0; hits, _, _, _ = f.memory.Stats() { // until the feed is heard
			if time.Since(began) > time.Minute {
				t.Fatal("the memory never answers")
			}
			look()
		}
		before, _, _, _ := f.memory.Stats()
		const holds, looks = 200, 5
		for range holds {
			y.must(t)(y.pods[0].Reserve(t.Context(), y.fresh(), reserve(f.held, 1, nyc)))
			for range looks {
				look()
			}
		}
		hits, _, _, _ := f.memory.Stats()
		t.Logf("%d of %d from memory", hits-before, holds*looks)
		if hits-before < holds*looks*9/10 {
			t.Errorf("%d of %d from memory", hits-before, holds*looks)
		}
	})
}

func newFreshness(t *testing.T, y *yard) *freshness {
	t.Helper()
	f := &freshness{
		y: y, reads: storetest.NewProxy(t, y.URLs[0]), tails: storetest.NewProxy(t, y.URLs[0]),
		random: rand.New(rand.NewPCG(1, 2)), turns: make(chan struct{}, 4), known: map[inventory.LevelKey][]time.Time{},
	}
	for range 3 {
		f.skus = append(f.skus, y.product(t, 1))
	}
	f.held = y.product(t, 1_000_000, nyc)
	open := func(url string) *store.Store {
		st, err := store.Open(t.Context(), store.Options{URL: url, Regions: y.Topology.Names()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(st.Close)
		return st
	}
	f.memory = cache.New(open(f.reads.URL), 100)
	f.pod = y.podAt(t, 0, f.reads.URL, service.Options{Cache: f.memory})
	hub := feed.NewHub(open(f.tails.URL), feed.Options{Sinks: []feed.Sink{f.memory}})
	storetest.Background(t, hub.Run)
	return f
}

// write has levels gain units and holds lapse, until stop is called.
func (f *freshness) write(t *testing.T) (stop func()) {
	return storetest.Background(t, func(ctx context.Context) {
		var all sync.WaitGroup
		defer all.Wait()
		for _, sku := range f.skus {
			for i, site := range []string{nyc, lon} {
				all.Go(func() {
					key := inventory.LevelKey{Region: f.y.Topology.Regions[i].Name, SKU: sku, Location: site}
					f.each(ctx, func() { f.receive(ctx, t, i, key) })
				})
			}
		}
		all.Go(func() { f.each(ctx, func() { f.hold(ctx, t) }) })
	})
}

func (f *freshness) each(ctx context.Context, act func()) {
	for {
		select {
		case <-f.turns:
			act()
		case <-ctx.Done():
			return
		}
	}
}

func (f *freshness) receive(ctx context.Context, t *testing.T, pod int, key inventory.LevelKey) {
	if _, err := f.y.pods[pod].Move(ctx, f.y.fresh(), move("receive", key.Location, key.SKU, 1)); err != nil {
		if ctx.Err() == nil {
			t.Error(err)
		}
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[key] = append(f.known[key], time.Now())
}

func (f *freshness) hold(ctx context.Context, t *testing.T) {
	h := &hold{asked: time.Now()}
	f.mu.Lock()
	f.holds = append(f.holds, h)
	f.mu.Unlock()
	in := reserve(f.held, 1, nyc)
	in.ExpiresIn = "1s"
	o, err := f.y.pods[0].Reserve(ctx, f.y.fresh(), in)
	if err != nil {
		if ctx.Err() == nil {
			t.Error(err)
		}
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	h.expires = *o.Reservation.ExpiresAt
}

// disturb has connections break, the feed lag behind, and the memory be thrown away.
func (f *freshness) disturb(round int) {
	switch round % 500 {
	case 100:
		f.reads.Cut()
	case 200:
		f.tails.Refuse(true)
		f.tails.Cut()
	case 260:
		f.tails.Refuse(false)
	case 400:
		if round%1500 == 400 {
			f.memory.Reset()
		}
	}
}

// read asks once, at random, and checks the answer.
func (f *freshness) read(t *testing.T) {
	t.Helper()
	select {
	case f.turns <- struct{}{}:
	default:
	}
	fresh := service.Freshness{Consistency: []string{"", "strong", "bounded", "cached", "cached"}[f.random.IntN(5)]}
	most := 10 * time.Second
	if fresh.Consistency == "bounded" || fresh.Consistency == "cached" && f.random.IntN(2) == 0 {
		given := []string{"100ms", "1s", "5s", "8s"}[f.random.IntN(4)]
		fresh.MaxStaleness = given
		most, _ = time.ParseDuration(given)
	}
	sku, region := f.skus[f.random.IntN(len(f.skus))], f.random.IntN(2)
	key := inventory.LevelKey{Region: f.y.Topology.Regions[region].Name, SKU: sku, Location: sites[region]}
	asked := time.Now()
	asOf, err := []func(*testing.T, inventory.LevelKey, service.Freshness) (time.Time, error){
		f.level, f.availability, f.list, f.lapsing,
	}[f.random.IntN(4)](t, key, fresh)
	switch {
	case errors.Is(err, service.ErrUnavailable):
	case err != nil:
		t.Fatalf("%+v: %v", fresh, err)
	case fresh.Consistency == "" || fresh.Consistency == "strong":
		// A node of CockroachDB takes its moment when it gets the statement.
		if asOf.Before(asked.Add(-time.Millisecond)) {
			t.Errorf("strong, and as of %s before it was asked for", asked.Sub(asOf))
		}
	case asOf.Before(asked.Add(-most)):
		t.Errorf("%+v: as of %s before it was asked for", fresh, asked.Sub(asOf))
	}
}

// committed is the version that a level is known to have had at a moment.
func (f *freshness) committed(key inventory.LevelKey, at time.Time) (version int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, by := range f.known[key] {
		if !by.After(at) {
			version++
		}
	}
	return version
}

func (f *freshness) level(t *testing.T, key inventory.LevelKey, fresh service.Freshness) (time.Time, error) {
	least := f.committed(key, time.Now())
	switch f.random.IntN(3) {
	case 0:
		fresh.MinVersion = &least
	case 1:
		far := least + 1_000_000
		fresh.MinVersion = &far
	}
	l, asOf, err := f.pod.Level(t.Context(), tester, key.Location, key.SKU, fresh)
	if fresh.MinVersion != nil && *fresh.MinVersion > least {
		if err == nil {
			t.Errorf("version %d for at least %d", l.Version, *fresh.MinVersion)
		}
		if refusalOf(err) == inventory.VersionMismatch {
			return time.Now(), nil
		}
		return asOf, err
	}
	if err != nil {
		return asOf, err
	}
	if fresh.MinVersion != nil && l.Version < least {
		t.Errorf("%+v: version %d for at least %d", fresh, l.Version, least)
	}
	f.includes(t, "level", fresh, key, l.OnHand, asOf)
	return asOf, nil
}

func (f *freshness) includes(t *testing.T, of string, fresh service.Freshness, key inventory.LevelKey, units int64, asOf time.Time) {
	t.Helper()
	if want := f.committed(key, asOf); units < want {
		t.Errorf("%s %+v: %d units as of %s, when there were %d", of, fresh, units, asOf, want)
	}
}

func (f *freshness) availability(t *testing.T, _ inventory.LevelKey, fresh service.Freshness) (time.Time, error) {
	skus := f.skus[:1+f.random.IntN(len(f.skus))]
	items, asOf, err := f.pod.AvailabilityOf(t.Context(), tester, skus, "", "", fresh)
	for i, a := range items {
		for region, site := range []string{nyc, lon} {
			units := int64(0)
			for _, l := range a.ByLocation {
				if l.Location == site {
					units = l.Available
				}
			}
			f.includes(t, "availability", fresh, inventory.LevelKey{Region: f.y.Topology.Regions[region].Name, SKU: skus[i], Location: site}, units, asOf)
		}
	}
	return asOf, err
}

func (f *freshness) list(t *testing.T, key inventory.LevelKey, fresh service.Freshness) (time.Time, error) {
	page, _ := service.NewPage(nil, "")
	list, err := f.pod.Levels(t.Context(), tester, service.LevelsQuery{SKU: key.SKU, Fresh: fresh}, page)
	if err != nil {
		return list.AsOf, err
	}
	for region, site := range []string{nyc, lon} {
		units := int64(0)
		for _, l := range list.Items {
			if l.Location == site {
				units = l.OnHand
			}
		}
		f.includes(t, "list", fresh, inventory.LevelKey{Region: f.y.Topology.Regions[region].Name, SKU: key.SKU, Location: site}, units, list.AsOf)
	}
	return list.AsOf, nil
}

// lapsing looks at what is held: no hold counts that had lapsed.
func (f *freshness) lapsing(t *testing.T, _ inventory.LevelKey, fresh service.Freshness) (time.Time, error) {
	l, asOf, err := f.pod.Level(t.Context(), tester, nyc, f.held, fresh)
	if err != nil {
		return asOf, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	most := int64(0)
	for _, h := range f.holds {
		if h.expires.IsZero() || h.expires.After(asOf) {
			most++
		}
	}
	if fresh.Consistency == "cached" && most < int64(len(f.holds)) {
		f.lapsed++
	}
	if l.Held > most {
		t.Errorf("%+v: %d held as of %s, when %d were at most", fresh, l.Held, asOf, most)
	}
	return asOf, nil
}
