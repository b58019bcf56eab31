package store_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/devdb"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// me asks for what names a session to whoever wants to end it.
func (b *bench) me() string {
	if b.Kind == devdb.CockroachDB {
		return "SELECT session_id FROM [SHOW session_id]"
	}
	return "SELECT pg_backend_pid()::text"
}

// end ends a session on the server.
func (b *bench) end(t *testing.T, session string) {
	t.Helper()
	if b.Kind == devdb.CockroachDB {
		b.Exec(t, "CANCEL SESSION '"+session+"'")
		return
	}
	b.Exec(t, "SELECT pg_terminate_backend("+session+")")
}

func TestConnectionLostBeforeTheCommitIsRetried(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		tries := 0
		err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			tries++
			var session string
			if err := tx.Raw(ctx, b.me(), &session); err != nil {
				return err
			}
			if tries == 1 {
				b.end(t, session)
			}
			value, err := b.read(ctx, tx, "a")
			if err != nil {
				return err
			}
			tx.RawAtCommit(b.set(value+1, "a"))
			return nil
		})
		if err != nil || tries != 2 || len(b.causes) != 1 {
			t.Errorf("%v after %d tries, %v", err, tries, b.causes)
		}
		b.wants(t, "a", 1)
	})
}

// The session ends between the last read and the commit: nobody can tell from the outside, and the
// store must not guess.
func TestConnectionLostAtTheCommitIsAmbiguous(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		tries := 0
		err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			tries++
			var session string
			if err := tx.Raw(ctx, b.me(), &session); err != nil {
				return err
			}
			b.end(t, session)
			tx.RawAtCommit(b.set(1, "a"))
			return nil
		})
		if !errors.Is(err, store.ErrAmbiguous) || tries != 1 {
			t.Errorf("%v after %d tries", err, tries)
		}
		b.wants(t, "a", 0)
	})
}

func TestCommitWhoseAnswerIsLostIsAmbiguous(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		proxy := storetest.NewProxy(t, b.URLs[0])
		s := b.open(t, proxy.URL)
		for value, fate := range map[int64]storetest.Fate{1: storetest.Lost, 2: storetest.Done} {
			b.Exec(t, b.set(0, "a"))
			tries := 0
			proxy.OnCommit(func() storetest.Fate { return fate })
			err := s.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				tries++
				if _, err := b.read(ctx, tx, "a"); err != nil {
					return err
				}
				tx.RawAtCommit(b.set(value, "a"))
				return nil
			})
			proxy.OnCommit(nil)
			if !errors.Is(err, store.ErrAmbiguous) || tries != 1 {
				t.Errorf("fate %d: %v after %d tries", fate, err, tries)
			}
			want := value
			if fate == storetest.Lost {
				want = 0
			}
			b.wants(t, "a", want)
		}
	})
}

// A cancelled statement of the commit's round trip may stand for a commit that went through:
// CockroachDB puts the cancellation in the place of what it knew.
func TestCancelledCommitIsAmbiguous(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		cancelled := "DO $$ BEGIN RAISE EXCEPTION 'cancelled' USING ERRCODE = '57014'; END $$"
		if b.Kind == devdb.CockroachDB {
			cancelled = "SELECT crdb_internal.force_error('57014', 'cancelled')"
		}
		err := b.store.InTx(t.Context(), func(_ context.Context, tx *store.Tx) error {
			tx.RawAtCommit(cancelled)
			return nil
		})
		if !errors.Is(err, store.ErrAmbiguous) {
			t.Error(err)
		}
	})
}

func TestReadIsRepeatedWhereItsConnectionWasLost(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		proxy := storetest.NewProxy(t, b.URLs[0])
		s := b.open(t, proxy.URL)
		for range 5 {
			if _, err := s.Locations(t.Context()); err != nil {
				t.Fatal(err)
			}
			if proxy.Cut() == 0 {
				t.Fatal("there was no connection to cut")
			}
		}
	})
}

func TestDatabaseThatIsNotThereIsUnavailable(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		nobody := listener.Addr().String()
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = store.Open(t.Context(), store.Options{URL: "postgres://root@" + nobody + "/x?sslmode=disable"})
		if !errors.Is(err, store.ErrUnavailable) || time.Since(began) > 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// A server that is slow to greet newcomers has a transaction wait for it, and costs nobody the
// connection that he has.
func TestServerSlowToGreetIsTriedAgain(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		proxy := storetest.NewProxy(t, b.URLs[0])
		s := b.open(t, proxy.URL+"&connect_timeout=1")
		session := func(ctx context.Context) (id string, err error) {
			err = s.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.Raw(ctx, b.me(), &id) })
			return id, err
		}
		before, err := session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = s.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error { // in the only connection there is
			if err := tx.Raw(ctx, b.set(1, "a")); err != nil {
				return err
			}
			proxy.Silence(1)
			_, err := session(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b.wants(t, "a", 1)
		proxy.Silence(100)
		var kept bool
		for range 2 { // the pool has two: one of them is that of before
			err = s.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				var now string
				if err := tx.Raw(ctx, b.me(), &now); err != nil {
					return err
				}
				kept = kept || now == before
				other, err := session(ctx)
				kept = kept || other == before
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !kept {
			t.Error("the connection of before is gone")
		}
		began := time.Now()
		err = s.InTx(t.Context(), func(ctx context.Context, _ *store.Tx) error {
			return s.InTx(ctx, func(ctx context.Context, _ *store.Tx) error {
				_, err := session(ctx)
				return err
			})
		})
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v after %s, want the database unavailable", err, time.Since(began))
		}
	})
}

// A pod whose connections are all at work is no pod without a database.
func TestBusyDatabaseAnswers(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		answers := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			return b.store.Answers(ctx)
		}
		// held has every connection be taken while then runs.
		held := func(then func() error) error {
			hold := func(context.Context, *store.Tx) error { return then() }
			for range 4 {
				inner := hold
				hold = func(ctx context.Context, tx *store.Tx) error {
					tx.Nothing()
					return b.store.InTx(ctx, inner)
				}
			}
			return hold(t.Context(), &store.Tx{})
		}
		began := time.Now()
		for held(answers) != nil { // unless taking them all took long
			if time.Since(began) > time.Minute {
				t.Fatal("a database that just answered counts as one that doesn't")
			}
			if _, err := b.store.Moment(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		err := held(func() error {
			for answers() == nil {
				if time.Since(began) > 2*time.Minute {
					return nil
				}
			}
			return errSilent
		})
		if !errors.Is(err, errSilent) {
			t.Errorf("a database that says nothing counts as one that answers: %v", err)
		}
	})
}

var errSilent = errors.New("silent")

func TestErrorOfTheClosureRollsBack(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		mine := errors.New("mine")
		for range 10 {
			err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				if err := tx.Raw(ctx, b.set(1, "a")); err != nil {
					return err
				}
				tx.RawAtCommit(b.set(1, "b"))
				return mine
			})
			if !errors.Is(err, mine) {
				t.Fatal(err)
			}
		}
		b.wants(t, "a", 0)
		b.wants(t, "b", 0)
		err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			tx.Nothing()
			return tx.Raw(ctx, b.set(1, "a"))
		})
		if err != nil {
			t.Error(err)
		}
		b.wants(t, "a", 0)
		if total, _, _ := b.store.PoolStats(); total != 1 {
			t.Errorf("%d connections: they are not usable after an error", total)
		}
	})
}

func TestSQLErrorLeavesTheConnectionUsable(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		for _, sql := range []string{"SELECT 1/0", "SELECT * FROM nowhere", "UPDATE leases SET token = NULL WHERE " + b.row("a")} {
			err := b.store.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				var ignored any
				return tx.Raw(ctx, sql, &ignored)
			})
			if err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrContention) || errors.Is(err, store.ErrAmbiguous) {
				t.Errorf("%s: %v", sql, err)
			}
			err = b.store.InTx(t.Context(), func(_ context.Context, tx *store.Tx) error {
				tx.RawAtCommit(sql)
				return nil
			})
			if err == nil || errors.Is(err, store.ErrAmbiguous) || !strings.Contains(err.Error(), "raw_") {
				t.Errorf("%s, with the commit: %v", sql, err)
			}
			b.wants(t, "a", 0)
		}
		if total, _, _ := b.store.PoolStats(); total != 1 {
			t.Errorf("%d connections", total)
		}
	})
}

// Callers give up while they wait for a lock, for a connection and for the server.
func TestCancelledContextLeaksNoConnection(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		conn, err := pgx.Connect(t.Context(), b.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(t.Context()) }()
		if _, err := conn.Exec(t.Context(), "BEGIN; "+b.set(7, "a"), pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		var gaveUp atomic.Int64
		done := make(chan error, 12) // more than there are connections
		for i := range cap(done) {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(20+10*i)*time.Millisecond)
				defer cancel()
				done <- b.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
					return tx.Raw(ctx, fmt.Sprintf("UPDATE leases SET token = token + 1 WHERE %s", b.row("a")))
				})
			}()
		}
		for range cap(done) {
			if err := <-done; errors.Is(err, context.DeadlineExceeded) {
				gaveUp.Add(1)
			} else {
				t.Error(err)
			}
		}
		if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
			t.Fatal(err)
		}
		b.wants(t, "a", 7)
	})
}
