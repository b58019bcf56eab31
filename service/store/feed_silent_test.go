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
	if !errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
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
