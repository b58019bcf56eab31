package worker_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service"
	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
	"stockyard/service/worker"
)

type verifications struct{ done atomic.Int64 }

func (v *verifications) Verified(int, time.Duration)             { v.done.Add(1) }
func (*verifications) Counted([]inventory.Census, time.Duration) {}
func (*verifications) Alerted(string, int)                       {}

// Large books are not verified while much is written, and are once it was quiet for a while; small
// ones are verified whatever happens.
func TestLargeBooksAreVerifiedInQuiet(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		s := service.New(db.Store, service.Options{Region: region, Topology: db.Topology})
		t.Cleanup(s.Close)
		sku := rand.Text()
		stockUp(t, s, sku, 1)
		for range 5 {
			move(t, s, sku, "receive", 1)
		}
		for _, of := range []struct {
			large int64
			waits bool
		}{{large: 1_000_000}, {large: 5, waits: true}} {
			var asked, heard atomic.Int64
			var calm atomic.Bool
			seen := &verifications{}
			stop := start(t, db.Store, 5*time.Second, worker.Verification(s, worker.VerificationOptions{
				Every: 10 * time.Millisecond, Large: of.large, Quiet: 100 * time.Millisecond,
				Heard: func() int64 {
					asked.Add(1)
					if calm.Load() {
						return heard.Load()
					}
					return heard.Add(1_000_000)
				},
			}, seen, slog.New(slog.DiscardHandler)))
			eventually(t, "it was due many times, or was done", func() bool { return asked.Load() > 30 || seen.done.Load() > 0 })
			if done := seen.done.Load(); of.waits != (done == 0) {
				t.Errorf("large from %d events on: verified %d times while it was busy", of.large, done)
			}
			calm.Store(true)
			eventually(t, "it is done", func() bool { return seen.done.Load() > 0 })
			stop()
		}
	})
}

// Verifying takes no more than its share of the time.
func TestVerificationKeepsToItsShare(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		s := service.New(db.Store, service.Options{Region: region, Topology: db.Topology})
		t.Cleanup(s.Close)
		for _, of := range []struct {
			share int
			again bool
		}{{share: 1, again: true}, {share: 1_000_000}} {
			var asked atomic.Int64
			seen := &verifications{}
			stop := start(t, db.Store, 5*time.Second, worker.Verification(s, worker.VerificationOptions{
				Every: 10 * time.Millisecond, Share: of.share, Large: 1_000_000,
				Heard: func() int64 { return asked.Add(1) },
			}, seen, slog.New(slog.DiscardHandler)))
			eventually(t, "it is done", func() bool { return seen.done.Load() > 0 })
			asked.Store(0)
			eventually(t, "it is done again, or was not due many times", func() bool { return seen.done.Load() > 1 || asked.Load() > 30 })
			if again := seen.done.Load() > 1; again != of.again {
				t.Errorf("one part in %d: done again: %t", of.share, again)
			}
			stop()
		}
	})
}

// A verification of large books that is under way when the tills get busy gives way, and is done when
// they are quiet again. A lock makes it last.
func TestVerificationGivesWay(t *testing.T) {
	db := storetest.Open(t, devdb.PostgreSQL)
	s := service.New(db.Store, service.Options{Region: region, Topology: db.Topology})
	t.Cleanup(s.Close)
	stockUp(t, s, rand.Text(), 1)
	stockUp(t, s, rand.Text(), 1)
	conn, err := pgx.Connect(t.Context(), db.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE transfer_lines IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	verifying := func() (yes bool) {
		sql := "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'transfer_lines'::regclass AND NOT granted"
		if err := tx.QueryRow(t.Context(), sql).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		return yes
	}

	var heard atomic.Int64
	var busy atomic.Bool
	seen := &verifications{}
	stop := start(t, db.Store, 5*time.Second, worker.Verification(s, worker.VerificationOptions{
		Every: 10 * time.Millisecond, Large: 1, Quiet: 100 * time.Millisecond,
		Heard: func() int64 {
			if busy.Load() {
				return heard.Add(1_000_000)
			}
			return heard.Load()
		},
	}, seen, slog.New(slog.DiscardHandler)))
	defer stop()
	eventually(t, "large books are being verified", verifying)
	busy.Store(true)
	eventually(t, "the verification gives way", func() bool { return !verifying() })
	if done := seen.done.Load(); done > 0 {
		t.Errorf("verified %d times, past a lock", done)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	busy.Store(false)
	eventually(t, "it is done", func() bool { return seen.done.Load() > 0 })
}
