package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"

	"stockyard/service/telemetry/tracing"
)

const (
	begin    = "BEGIN ISOLATION LEVEL SERIALIZABLE"
	commit   = "COMMIT"
	rollback = "ROLLBACK"

	// A transaction that has lost this often against others is given up as contention.
	maxRetries = 40
	maxPause   = 100 * time.Millisecond
)

// Tx is a serializable transaction. Statements gather until they are run together, so that a
// transaction takes as many round trips as it has dependencies: BEGIN goes out with the first
// reads, COMMIT with the last writes.
type Tx struct {
	store *Store
	conn  *pgx.Conn
	calls []call
	begun bool
	// nothing says that there is nothing to commit.
	nothing bool
	// written is what it writes to the ledger, where the feed can be told so.
	written written
}

// InTx runs fn in a serializable transaction and commits it, again and again while the database
// reports that it lost against another one. fn may run more than once: it sets its outputs anew
// each time and touches nothing else. Errors: ErrContention, ErrUnavailable (nothing was written),
// ErrAmbiguous (nobody knows), ErrDuplicateKey, what fn returned, or the context's.
func (s *Store) InTx(ctx context.Context, fn func(context.Context, *Tx) error) error {
	attempt := 0
	err := crdb.ExecuteCtx(crdb.WithMaxRetries(ctx, maxRetries), func(ctx context.Context, _ ...any) error {
		if attempt > 0 {
			if err := pause(ctx, attempt); err != nil {
				return err
			}
		}
		attempt++
		err := s.tryTx(ctx, fn)
		if cause := retryCause(err); cause != "" {
			s.retries(cause)
			tracing.Retried(ctx, cause)
		}
		return err
	})
	return classify(err)
}

// pause lets the winner finish: nothing at first, then up to a growing bound, at random, so that
// those who lost together don't meet again.
func pause(ctx context.Context, attempt int) error {
	bound := min(time.Millisecond<<min(attempt, 10), maxPause)
	timer := time.NewTimer(rand.N(bound))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) tryTx(ctx context.Context, fn func(context.Context, *Tx) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx := &Tx{store: s, conn: conn.Conn()}
	err = fn(ctx, tx)
	if err == nil && !tx.nothing {
		if err = tx.commit(ctx); err == nil && tx.written.tx > 0 {
			s.followers.tell(tx.written)
		}
	}
	if err != nil || tx.nothing {
		tx.rollback(ctx)
	}
	if err == nil {
		s.answered.Store(time.Now().UnixNano())
	}
	if isLost(err) && ctx.Err() == nil {
		// The others of the pool were most likely lost with it.
		s.pool.Reset()
	}
	return err
}

// queue adds a statement to the next round trip.
func (tx *Tx) queue(st *statement, rows func(pgx.Rows) error, args ...any) {
	tx.calls = append(tx.calls, call{st: st, args: args, rows: rows})
}

// Run runs what is queued, in one round trip. An error of it is one of before the commit: nothing
// was written, and the whole may run again.
func (tx *Tx) Run(ctx context.Context) error {
	before := ""
	if !tx.begun {
		before = begin
	}
	tx.begun = true
	calls := tx.calls
	tx.calls = nil
	err := roundTrip(ctx, tx.conn, before, calls, "")
	if isLost(err) && ctx.Err() == nil {
		return &againError{fmt.Errorf("before the commit: %w", err)}
	}
	return beforeCommit(err)
}

// Nothing says that the transaction has nothing to write: it is rolled back, without an error.
func (tx *Tx) Nothing() { tx.nothing = true }

func (tx *Tx) commit(ctx context.Context) error {
	before := ""
	if !tx.begun {
		before = begin
	}
	tx.begun = true
	err := roundTrip(ctx, tx.conn, before, tx.calls, commit)
	if err != nil && !isDefinite(err) {
		return &ambiguousError{err}
	}
	return beforeCommit(err)
}

// rollback goes on when the caller has given up: a cancelled one would cost the connection.
func (tx *Tx) rollback(ctx context.Context) {
	if !tx.begun || tx.conn.IsClosed() || tx.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := roundTrip(ctx, tx.conn, "", nil, rollback); err != nil {
		_ = tx.conn.Close(ctx)
	}
}

// read runs one statement outside of a transaction, again where the connection was lost before the
// first row came: when a server dies, it takes many of the pool's connections along.
func (s *Store) read(ctx context.Context, st *statement, rows func(pgx.Rows) error, args ...any) error {
	return s.readAll(ctx, call{st: st, args: args, rows: rows})
}

var selectMoment = define("moment", `SELECT now()`)

// readAt is read for statements that may have no row to tell their moment: nothing that was committed
// by then is missing.
func (s *Store) readAt(ctx context.Context, st *statement, rows func(pgx.Rows) error, args ...any) (asOf time.Time, err error) {
	moment := func(r pgx.Rows) error { return r.Scan(&asOf) }
	err = s.readAll(ctx, call{st: selectMoment, rows: moment}, call{st: st, args: args, rows: rows})
	return asOf.UTC(), err
}

// Moment asks the database for its time.
func (s *Store) Moment(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, selectMoment, func(r pgx.Rows) error { return r.Scan(&at) })
	return at.UTC(), err
}

// readAll runs statements in one round trip; the last one's rows are what can't be had twice.
func (s *Store) readAll(ctx context.Context, calls ...call) error {
	const tries = 4
	came := false
	last := &calls[len(calls)-1]
	rows := last.rows
	last.rows = func(r pgx.Rows) error {
		came = true
		return rows(r)
	}
	for attempt := 1; ; attempt++ {
		err := s.readOnce(ctx, calls)
		if s.begin != "" && isBeforeSchema(err) {
			return s.now.readAll(ctx, calls...)
		}
		if !isLost(err) || came || attempt == tries {
			return classify(err)
		}
		s.pool.Reset()
		if pause(ctx, attempt) != nil {
			return classify(err)
		}
	}
}

func (s *Store) readOnce(ctx context.Context, calls []call) error {
	end := ""
	if s.begin != "" {
		end = commit
	}
	return s.onConn(ctx, func(conn *pgx.Conn) error {
		err := roundTrip(ctx, conn, s.begin, calls, end)
		if err != nil && s.begin != "" && !conn.IsClosed() {
			_ = roundTrip(context.WithoutCancel(ctx), conn, "", nil, rollback)
		}
		return err
	})
}
