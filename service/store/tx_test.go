package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// bench is a store of the test's own with two rows to play with, in the table of leases.
type bench struct {
	*storetest.DB
	store  *store.Store
	name   string
	mu     sync.Mutex
	causes []string // why transactions ran again
}

func onBench(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		b := &bench{DB: db, name: rand.Text()}
		b.store = b.open(t, db.URLs[0])
		db.Exec(t, fmt.Sprintf(`INSERT INTO leases (region, name, holder, token, expires_at)
			VALUES ('us-east1', '%[1]s-a', '', 0, now()), ('us-east1', '%[1]s-b', '', 0, now())`, b.name))
		test(t, b)
		eventually(t, "all connections are given back", func() bool {
			_, inUse, _ := b.store.PoolStats()
			return inUse == 0
		})
	})
}

func (b *bench) open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Regions: b.Topology.Names(), MaxConns: 4, OnRetry: func(cause string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.causes = append(b.causes, cause)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// row names one of the rows, "a" or "b".
func (b *bench) row(which string) string {
	return fmt.Sprintf("region = 'us-east1' AND name = '%s-%s'", b.name, which)
}

func (b *bench) read(ctx context.Context, tx *store.Tx, which string) (value int64, err error) {
	return value, tx.Raw(ctx, "SELECT token FROM leases WHERE "+b.row(which), &value)
}

func (b *bench) set(value int64, which string) string {
	return fmt.Sprintf("UPDATE leases SET token = %d WHERE %s", value, b.row(which))
}

func (b *bench) wants(t *testing.T, which string, want int64) {
	t.Helper()
	var got int64
	err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		defer tx.Nothing()
		got, err = b.read(ctx, tx, which)
		return err
	})
	if err != nil || got != want {
		t.Errorf("row %s is %d, %v; want %d", which, got, err, want)
	}
}

// pair runs two transactions whose first tries meet: each has done its first half before either
// goes on. It gives the tries that both took together.
func (b *bench) pair(t *testing.T, first, second func(ctx context.Context, tx *store.Tx, i int) error) (tries int) {
	t.Helper()
	var met, both sync.WaitGroup
	met.Add(2)
	var mu sync.Mutex
	for i := range 2 {
		both.Go(func() {
			mine := 0
			err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				mu.Lock()
				tries++
				mu.Unlock()
				mine++
				err := first(ctx, tx, i)
				if mine == 1 {
					met.Done()
					met.Wait()
				}
				if err != nil {
					return err
				}
				return second(ctx, tx, i)
			})
			if err != nil {
				t.Errorf("transaction %d: %v", i, err)
			}
		})
	}
	both.Wait()
	return tries
}

func TestConflictingTransactionsRunAgain(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		var seen [2]int64
		tries := b.pair(t, func(ctx context.Context, tx *store.Tx, i int) (err error) {
			seen[i], err = b.read(ctx, tx, "a")
			return err
		}, func(_ context.Context, tx *store.Tx, i int) error {
			tx.RawAtCommit(b.set(seen[i]+1, "a"))
			return nil
		})
		if tries < 3 || !slices.Contains(b.causes, "40001") {
			t.Errorf("%d tries, %v", tries, b.causes)
		}
		b.wants(t, "a", 2)
	})
}

// Write skew: each reads what the other writes. Only the commit finds out.
func TestWriteSkewIsRetried(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		rows := []string{"a", "b"}
		var seen [2]int64
		tries := b.pair(t, func(ctx context.Context, tx *store.Tx, i int) (err error) {
			seen[i], err = b.read(ctx, tx, rows[1-i])
			return err
		}, func(_ context.Context, tx *store.Tx, i int) error {
			tx.RawAtCommit(b.set(seen[i]+1, rows[i]))
			return nil
		})
		if tries < 3 {
			t.Errorf("%d tries: both were committed on what the other changed", tries)
		}
	})
}

func TestDeadlockIsRetried(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		rows := []string{"a", "b"}
		add := func(which string) string { return "UPDATE leases SET token = token + 1 WHERE " + b.row(which) }
		tries := b.pair(t,
			func(ctx context.Context, tx *store.Tx, i int) error { return tx.Raw(ctx, add(rows[i])) },
			func(ctx context.Context, tx *store.Tx, i int) error { return tx.Raw(ctx, add(rows[1-i])) })
		if tries < 3 || b.Kind == devdb.PostgreSQL && !slices.Contains(b.causes, "40P01") {
			t.Errorf("%d tries, %v", tries, b.causes)
		}
		b.wants(t, "a", 2)
		b.wants(t, "b", 2)
	})
}

// again is a statement that asks for another run, after some time on CockroachDB.
func (b *bench) again() string {
	if b.Kind == devdb.CockroachDB {
		return "SELECT crdb_internal.force_retry('1h')"
	}
	return "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"
}

func TestServerAsksForAnotherRun(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		tries := 0
		err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			tries++
			value, err := b.read(ctx, tx, "a") // once rows were given the server can't run it again by itself
			if err != nil {
				return err
			}
			if tries <= 2 {
				var ignored any
				if err := tx.Raw(ctx, b.again(), &ignored); err != nil {
					return fmt.Errorf("in a closure that wraps what it got: %w", err)
				}
			}
			tx.RawAtCommit(b.set(value+1, "a"))
			return nil
		})
		if err != nil || tries != 3 || !slices.Equal(b.causes, []string{"40001", "40001"}) {
			t.Errorf("%v after %d tries, %v", err, tries, b.causes)
		}
		b.wants(t, "a", 1)
	})
}

func TestEndlessContentionIsGivenUp(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		tries := 0
		err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			tries++
			if _, err := b.read(ctx, tx, "a"); err != nil {
				return err
			}
			var ignored any
			return tx.Raw(ctx, b.again(), &ignored)
		})
		if !errors.Is(err, store.ErrContention) || tries != 41 {
			t.Errorf("%v after %d tries", err, tries)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err = b.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			if _, err := b.read(ctx, tx, "a"); err != nil {
				return err
			}
			var ignored any
			return tx.Raw(ctx, b.again(), &ignored)
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("past its deadline: %v", err)
		}
	})
}

func TestDuplicateKeyIsNamed(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		record := func(answer string) error {
			return b.store.InTx(t.Context(), func(_ context.Context, tx *store.Tx) error {
				tx.RawAtCommit("UPDATE leases SET token = token + 1 WHERE " + b.row("a"))
				tx.WriteBatch(&inventory.Changes{}, []store.Recorded{{
					CommandKey: store.CommandKey{Region: "us-east1", Key: b.name}, Operation: "test", InputHash: []byte("x"), Answer: answer,
				}})
				return nil
			})
		}
		if err := record("first"); err != nil {
			t.Fatal(err)
		}
		if err := record("second"); !errors.Is(err, store.ErrDuplicateKey) {
			t.Errorf("the key again: %v", err)
		}
		b.wants(t, "a", 1)
		b.Exec(t, fmt.Sprintf("DELETE FROM commands WHERE key = '%s'", b.name))
	})
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
