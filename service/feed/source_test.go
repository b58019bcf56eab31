package feed_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

func TestTheFeedOfPostgreSQLHasOneSource(t *testing.T) {
	db := storetest.Open(t, devdb.PostgreSQL)
	if err := db.SetFeedSource(t.Context(), store.ByEvents); !errors.Is(err, store.ErrOneFeedSource) {
		t.Error(err)
	}
	if source, err := db.FeedSource(t.Context()); !errors.Is(err, store.ErrOneFeedSource) {
		t.Error(source, err)
	}
}

// Where the ledger itself is followed, events are the same, too.
func TestEventsAreTheSameByEvents(t *testing.T) {
	y := newYard(t, storetest.Open(t, devdb.CockroachDB))
	y.source(t, store.ByBatches) // as in every database that is new
	if err := y.SetFeedSource(t.Context(), store.ByEvents); err != nil {
		t.Fatal(err)
	}
	y.source(t, store.ByEvents)
	y.sameEverywhere(t)
}

// While pods of an earlier release may run, which write the ledger and no batches, what they write is
// heard. When it is said that there are none any more, a tail goes over to batches, and back before
// they come again, and nothing is lost or out of order on the way.
func TestPodsOfAnEarlierReleaseAreHeard(t *testing.T) {
	y := newYard(t, storetest.Open(t, devdb.CockroachDB))
	if err := y.SetFeedSource(t.Context(), store.ByEvents); err != nil {
		t.Fatal(err)
	}
	always := y.products(t, 1)
	h := y.hear(t)
	written := y.writing(t, always, 2, 60)
	heardOld := func() bool {
		t.Helper()
		sku := y.products(t, 1)[0]
		y.receive(t, y.pods[0], sites[0], sku, 1)
		y.byEarlierRelease(t, sku)
		y.receive(t, y.pods[0], sites[1], sku, 1)
		h.until(t, y, y.level(sku, sites[1]))
		return h.last(y.level(sku, sites[0])) == 2
	}
	if !heardOld() {
		t.Fatal("what an earlier release wrote is not heard")
	}
	for _, source := range []store.FeedSource{store.ByBatches, store.ByEvents} {
		if err := y.SetFeedSource(t.Context(), source); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for heardOld() != (source == store.ByEvents) {
			if time.Since(began) > time.Minute {
				t.Fatalf("the tail doesn't go over to %s", source)
			}
		}
	}
	<-written
	for _, site := range sites {
		h.until(t, y, y.level(always[0], site))
	}
}

func (y *yard) source(t *testing.T, want store.FeedSource) {
	t.Helper()
	if source, err := y.FeedSource(t.Context()); source != want || err != nil {
		t.Fatalf("the pods follow by %s, %v", source, err)
	}
}

// byEarlierRelease writes one more event of a level at the first site, as a pod of an earlier release would: a
// row of the ledger, and nothing else.
func (y *yard) byEarlierRelease(t *testing.T, sku string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), y.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rows, err := conn.Query(t.Context(), `SELECT column_name FROM information_schema.columns WHERE table_name = 'stock_events'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	columns := strings.Join(names, ", ")
	_, err = conn.Exec(t.Context(), "INSERT INTO stock_events ("+columns+") SELECT "+strings.Replace(columns, "version", "version + 1", 1)+
		" FROM stock_events WHERE region = $1::text::crdb_internal_region AND location = $2 AND sku = $3 AND version = 1", y.Topology.Names()[0], sites[0], sku)
	if err != nil {
		t.Fatal(err)
	}
}

// hearer is a tail that goes on whenever it ends, as a hub's does.
type hearer struct {
	mu   sync.Mutex
	seen map[inventory.LevelKey]int64
}

func (y *yard) hear(t *testing.T) *hearer {
	t.Helper()
	from, err := y.stores[1].FeedNow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := &hearer{seen: map[inventory.LevelKey]int64{}}
	tail := y.stores[1].TailFeed(from)
	storetest.Background(t, func(ctx context.Context) {
		for ctx.Err() == nil {
			if err := tail.Run(ctx, nil, func(f store.Fresh) error { h.take(t, f); return nil }); !errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil {
				t.Error("the tail ended with", err)
				return
			}
		}
	})
	return h
}

func (h *hearer) take(t *testing.T, f store.Fresh) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, fed := range f.Entries {
		if e := fed.Event; e.Version > h.seen[e.Key]+1 {
			t.Errorf("%v: version %d comes after %d", e.Key, e.Version, h.seen[e.Key])
		} else {
			h.seen[e.Key] = max(h.seen[e.Key], e.Version)
		}
	}
}

func (y *yard) level(sku, site string) inventory.LevelKey {
	return inventory.LevelKey{Region: y.Topology.Names()[slices.Index(sites, site)], SKU: sku, Location: site}
}

func (h *hearer) last(level inventory.LevelKey) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen[level]
}

// until waits until everything has come that a level has.
func (h *hearer) until(t *testing.T, y *yard, level inventory.LevelKey) {
	t.Helper()
	began := time.Now()
	for tick := time.Tick(time.Millisecond); ; <-tick {
		levels, _, err := y.Levels(t.Context(), store.LevelFilter{Region: level.Region, SKU: level.SKU, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(levels) == 1 && h.last(level) >= levels[0].Version {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%v doesn't come", level)
		}
	}
}

// What was followed is deleted, and whoever was away meanwhile gets it all the same.
func TestBatchesThatWereDeletedStillCome(t *testing.T) {
	y := newYard(t, storetest.Open(t, devdb.CockroachDB))
	skus := y.products(t, 1)
	from, err := y.FeedNow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	y.receive(t, y.pods[0], sites[0], skus[0], 1)
	before, err := y.Moment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	y.receive(t, y.pods[0], sites[0], skus[0], 1)
	lease, ok, err := y.TakeLease(t.Context(), y.Topology.Names()[0], "feed_batches", "test", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	conn, err := pgx.Connect(t.Context(), y.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	clean := func(lease store.Lease, wantOK bool, wantLeft int) {
		t.Helper()
		gone, ok, err := y.CleanFeedBatches(t.Context(), lease, time.Time{}, before, 800)
		if err != nil || ok != wantOK || ok && !gone.Equal(before) {
			t.Fatalf("deleted up to %v, %t, %v; want %v, %t", gone, ok, err, before, wantOK)
		}
		var left int
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM feed_batches`).Scan(&left); err != nil || left != wantLeft {
			t.Fatalf("%d batches are left, %v; want %d", left, err, wantLeft)
		}
	}
	stale := lease
	stale.Token--
	clean(stale, false, 2)
	clean(lease, true, 1)
	clean(lease, true, 1)
	all := errors.New("all came")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var last int64
	err = y.stores[0].TailFeed(from).Run(ctx, nil, func(f store.Fresh) error {
		for _, fed := range f.Entries {
			if fed.Event.Version > last+1 {
				t.Errorf("version %d comes after %d", fed.Event.Version, last)
			}
			last = fed.Event.Version
		}
		if last == 2 {
			return all
		}
		return nil
	})
	if !errors.Is(err, all) {
		t.Errorf("version %d came, then %v", last, err)
	}
}
