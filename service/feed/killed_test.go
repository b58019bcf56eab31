package feed_test

import (
	"context"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/devdb"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
)

// Of a PostgreSQL that is killed only what was committed is sure to be on disk. It gives the ids of
// transactions that were rolled back, or still ran, to others again: what is then committed under them
// comes all the same, to who followed and to who begins where the feed stood before.
func TestAKilledServerGivesIdsAgain(t *testing.T) {
	servers, db := storetest.Own(t, devdb.PostgreSQL)
	y := newYard(t, db)
	// Nothing but a commit writes the log.
	db.Exec(t, `ALTER SYSTEM SET wal_writer_delay = '10s'`)
	db.Exec(t, `ALTER SYSTEM SET autovacuum = off`)
	db.Exec(t, `SELECT pg_reload_conf()`)
	var looks looksCounted
	hub := y.hub(t, y.stores[0], feed.Options{Sinks: []feed.Sink{&looks}})
	skus := y.products(t, 1)
	followed := y.follow(t, hub, "", skus)
	reused := false
	for round := 0; round < 5 && !reused; round++ {
		y.receive(t, y.pods[0], sites[0], skus[0], 1)
		followed.until(t, y, "who follows")

		conn, err := pgx.Connect(t.Context(), db.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		rolledBack := burn(t, conn, fewIDs)
		looks.await(t)
		now, err := hub.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		begun, kept := followed.beside(""), followed.beside(now)
		begun.open(t, y, hub)
		if err := begun.read(t, 1); err != nil {
			t.Fatal(err)
		}
		running, err := pgx.Connect(t.Context(), db.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := running.Exec(t.Context(), "BEGIN; SELECT pg_current_xact_id()"); err != nil {
			t.Fatal(err)
		}
		burn(t, conn, fewIDs)
		looks.await(t)

		node := servers.Nodes()[0]
		if err := node.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := node.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Close(t.Context()), running.Close(t.Context())
		back := time.Now()
		for began, tick := time.Now(), time.Tick(time.Millisecond); !hub.AsOf().After(back); <-tick {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("the hub is complete up to %s before the server came back, and doesn't come on", back.Sub(hub.AsOf()))
			}
		}

		y.receive(t, y.pods[0], sites[0], skus[0], 1)
		followed.until(t, y, "who follows")
		begun.until(t, y, "who began where the hub stood")
		kept.open(t, y, hub)
		kept.until(t, y, "who kept a cursor of then")
		reused = lastTransaction(t, db.URLs[0]) <= rolledBack
	}
	if !reused {
		t.Error("the server gave no id again: the test proves nothing")
	}
	db.Verify(t)
}

// beside is another who has what the follower has, and goes on by a cursor.
func (f *follower) beside(cursor string) *follower {
	return &follower{cursor: cursor, skus: f.skus, seen: maps.Clone(f.seen)}
}

// fewIDs is how many ids are lost at a time: a page of the log that is full is written, commit or not.
const fewIDs = 20

// burn rolls transactions back that have ids, and gives the last one's.
func burn(t *testing.T, conn *pgx.Conn, n int) (id int64) {
	t.Helper()
	for range n {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRow(t.Context(), `SELECT pg_current_xact_id()::text::bigint`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// lastTransaction is the id of the one that wrote the newest event.
func lastTransaction(t *testing.T, url string) (id int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), `SELECT tx FROM stock_events ORDER BY recorded_at DESC LIMIT 1`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// looksCounted counts how often a hub has looked.
type looksCounted struct{ atomic.Int64 }

func (l *looksCounted) Apply([]*inventory.Event, time.Time) { l.Add(1) }
func (*looksCounted) Reset()                                {}

// await returns when a look that began after the call has ended.
func (l *looksCounted) await(t *testing.T) {
	t.Helper()
	began := time.Now()
	for before, tick := l.Load(), time.Tick(time.Millisecond); l.Load() < before+2; <-tick {
		if time.Since(began) > 30*time.Second {
			t.Fatal("the hub doesn't look")
		}
	}
}
