package feed_test

import (
	"testing"
	"time"

	"stockyard/service/devdb"
	"stockyard/service/feed"
	"stockyard/service/store/storetest"
)

// A pod that can't follow the feed knows it, and since when; it is well again with its next connection.
func TestAHubKnowsThatItCannotFollow(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		proxy := storetest.NewProxy(t, y.URLs[0])
		hub := y.hub(t, y.open(t, proxy.URL), feed.Options{})
		if failing := hub.Failing(); failing != 0 {
			t.Errorf("it follows, and has failed for %s", failing)
		}
		proxy.Refuse(true)
		proxy.Cut()
		eventually(t, "it fails without a connection", func() bool { return hub.Failing() > 2*time.Second })
		proxy.Refuse(false)
		eventually(t, "it is well with a connection", func() bool { return hub.Failing() == 0 })
	})
}

// A feed that stands still does so for every pod: none of them fails for it.
func TestAHubThatWaitsForATransactionDoesNotFail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		y := newYard(t, db)
		hub := y.hub(t, y.stores[0], feed.Options{})
		skus := y.products(t, 1)
		storetest.Undecided(t, db.Kind)
		y.receive(t, y.pods[0], sites[0], skus[0], 1)
		late := time.Second
		if db.Kind == devdb.CockroachDB {
			late = 8 * time.Second // 3 to 4 are usual
		}
		eventually(t, "it waits for the transaction", func() bool { return hub.Lag() > late })
		if failing := hub.Failing(); failing != 0 {
			t.Errorf("it has failed for %s", failing)
		}
	})
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	began := time.Now()
	for tick := time.Tick(5 * time.Millisecond); !is(); <-tick {
		if time.Since(began) > time.Minute {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}
