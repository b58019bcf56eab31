// Package store is all SQL of Stockyard: the only package that speaks to the database.
//
// There is one way to write, Store.InTx, and every statement is declared once, with the types of
// its parameters, beside the code that scans its rows. What differs between CockroachDB and
// PostgreSQL is in dialect.go.
package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is a pool of connections to one database.
type Store struct {
	pool    *pgxpool.Pool
	dialect *dialect
	regions []string
	retries RetryObserver
	// answered is when the database last did what it was asked to, in nanoseconds since 1970.
	answered *atomic.Int64
	// begin is how reads begin that are more than one statement by itself: see AtMost.
	begin         string
	follower, now *Store
	followers     *followers
}

// RetryObserver is told why a transaction runs again.
type RetryObserver func(cause string)

// Options of a store.
type Options struct {
	URL     string
	Regions []string // all regions of the topology: what statements over all regions bind
	// MaxConns bounds the pool; 0 means 16.
	MaxConns int
	// OnRetry is called for each transaction that runs again; it may be nil.
	OnRetry RetryObserver
}

// Open connects, finds out which database it is, and makes sure that it gives serializable
// transactions. Errors: ErrUnavailable where the database can't be reached.
func Open(ctx context.Context, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, errUnreadableURL
	}
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	config.MaxConns = int32(min(max(o.MaxConns, 2), 1000))
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.HealthCheckPeriod = 5 * time.Second
	if config.ConnConfig.ConnectTimeout == 0 { // unless the URL has a connect_timeout
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	config.ConnConfig.Tracer = tracer{}
	s := &Store{regions: o.Regions, retries: o.OnRetry, answered: new(atomic.Int64), followers: &followers{}}
	if s.retries == nil {
		s.retries = func(string) {}
	}
	config.AfterConnect = s.setUpSession
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, classify(err)
	}
	if err := s.checkServer(ctx); err != nil {
		s.pool.Close()
		return nil, err
	}
	if s.dialect.followerRead != "" {
		follower := *s
		follower.begin, follower.now = s.dialect.followerRead, s
		s.follower = &follower
	}
	return s, nil
}

// AtMost gives the store whose reads of stock may be so old: on CockroachDB, from followerAge on, they
// speak of a moment that the nearest replica can tell of by itself.
func (s *Store) AtMost(age time.Duration) *Store {
	if s.follower == nil || age < followerAge {
		return s
	}
	return s.follower
}

// Close closes every connection, waiting for those in use.
func (s *Store) Close() { s.pool.Close() }

// Database says which database this is, for people.
func (s *Store) Database() string { return s.dialect.version }

// IsCockroach says whether this is the database that Stockyard is for.
func (s *Store) IsCockroach() bool { return s.dialect.cockroach }

// Regions lists all regions of the topology.
func (s *Store) Regions() []string { return s.regions }

// Answers makes sure that the database answers. That it just did is proof enough: a question of its
// own would wait for a connection behind all others, and take a busy pod for one that is cut off.
func (s *Store) Answers(ctx context.Context) error {
	const just = time.Second
	if time.Since(time.Unix(0, s.answered.Load())) < just {
		return nil
	}
	return classify(s.pool.Ping(ctx))
}

// PoolStats says how many connections there are, how many are in use, and the most there may be.
func (s *Store) PoolStats() (total, inUse, limit int32) {
	stat := s.pool.Stat()
	return stat.TotalConns(), stat.AcquiredConns(), stat.MaxConns()
}

func (s *Store) setUpSession(ctx context.Context, conn *pgx.Conn) (err error) {
	defer func() {
		if err != nil && conn.IsClosed() {
			err = &lostError{err}
		}
	}()
	var version string
	if err := conn.QueryRow(ctx, "SELECT version()", pgx.QueryExecModeSimpleProtocol).Scan(&version); err != nil {
		return err
	}
	d := dialectOf(version)
	if _, err := conn.Exec(ctx, d.session, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	conn.PgConn().CustomData()[sessionKey] = &session{prepared: map[string]*ready{}, server: describe(conn, d)}
	return nil
}

func (s *Store) checkServer(ctx context.Context) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return classify(err)
	}
	defer conn.Release()
	var version, isolation string
	if err := conn.QueryRow(ctx, "SELECT version()", pgx.QueryExecModeSimpleProtocol).Scan(&version); err != nil {
		return classify(err)
	}
	s.dialect = dialectOf(version)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
	if err != nil {
		return classify(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if err := tx.QueryRow(ctx, "SHOW transaction_isolation", pgx.QueryExecModeSimpleProtocol).Scan(&isolation); err != nil {
		return classify(err)
	}
	if isolation != "serializable" {
		return fmt.Errorf("the database gives %q transactions; Stockyard needs serializable ones", isolation)
	}
	return nil
}
