package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"stockyard/service/devdb"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// A changefeed whose connection was cut without a word ends, and goes on from where it was.
func TestAChangefeedThatStandsStillBeginsAgain(t *testing.T) {
	db := storetest.Open(t, devdb.CockroachDB)
	proxy := storetest.NewProxy(t, db.URLs[0])
	st, err := store.Open(t.Context(), store.Options{URL: proxy.URL, Regions: db.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	from, err := db.FeedNow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tail := st.TailFeed(from)
	store.HavePatience(tail, 5*time.Second)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var last store.Position
	err = tail.Run(ctx, nil, func(f store.Fresh) error {
		if last = f.UpTo; last.Compare(from) > 0 {
			proxy.Deafen()
		}
		return nil
	})
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, store.ErrFeedStandsStill) || ctx.Err() != nil {
		t.Fatalf("the tail ended with %v", err)
	}
	again := errors.New("goes on")
	store.HavePatience(tail, time.Minute)
	if err := tail.Run(ctx, nil, func(f store.Fresh) error {
		if f.UpTo.Compare(last) > 0 {
			return again
		}
		return nil
	}); !errors.Is(err, again) {
		t.Fatalf("after it stood still: %v", err)
	}
}

// A changefeed looks for its tables where it begins, so that none begins before they are there, nor while the
// schema is another's.
func TestAFeedBeginsBehindItsSchema(t *testing.T) {
	db := storetest.Open(t, devdb.CockroachDB)
	recent, err := db.FeedRecent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	came := errors.New("it comes on")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := db.TailFeed(recent).Run(ctx, nil, func(store.Fresh) error { return came }); !errors.Is(err, came) {
		t.Fatal("a feed that begins right after the schema was made: ", err)
	}
	db.Exec(t, `DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)`)
	if p, err := db.FeedRecent(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("with the schema of an earlier release it begins at %v, %v", p, err)
	}
}

// Nodes' clocks differ: a place that one of them gave out a moment ago is no other database's.
func TestAPlaceMayBeALittleAhead(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		now, err := db.FeedNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		near, far := now, now
		if db.Kind == devdb.CockroachDB {
			near.At.Wall = time.Now().Add(400 * time.Millisecond).UnixNano()
		}
		far.At.Wall += int64(time.Hour)
		for p, want := range map[store.Position]bool{now: true, near: true, far: false} {
			if reached, err := db.FeedReached(t.Context(), p); err != nil || reached != want {
				t.Errorf("of %v it says %t, %v", p, reached, err)
			}
		}
	})
}
