// Package storetest gives tests real databases: PostgreSQL always, CockroachDB where there is one.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/regions"
	"stockyard/service/devdb"
	"stockyard/service/store"
)

// DB is a migrated database of a test's own on one of the two.
type DB struct {
	*store.Store
	Kind     devdb.Kind
	URLs     []string // one a region, in the topology's order
	Topology *regions.Topology
}

// Each runs the test on a database of its own, once a kind. CockroachDB's turn is skipped, and
// says so, where there is none.
func Each(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) {
			test(t, Open(t, kind))
		})
	}
}

// EachShared is Each on databases that the process's tests share: making one takes CockroachDB
// seconds. A test keeps to SKUs and idempotency keys of its own and leaves the schema as it was.
func EachShared(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) {
			db, err := shared[kind]()
			orSkip(t, kind, err)
			test(t, db)
		})
	}
}

// Open makes a migrated database of the test's own on one kind.
func Open(t testing.TB, kind devdb.Kind) *DB {
	t.Helper()
	db, err := open(t.Context(), fresh(t, kind))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	db.Kind = kind
	return db
}

func open(ctx context.Context, urls []string) (*DB, error) {
	topology, err := regions.Default()
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, store.Options{URL: urls[0], Regions: topology.Names()})
	if err != nil {
		return nil, err
	}
	if _, err := s.Migrate(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return &DB{Store: s, URLs: urls, Topology: topology}, nil
}

// Own starts servers that the test may kill, with a migrated database.
func Own(t *testing.T, kind devdb.Kind) (*devdb.Database, *DB) {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED in short mode: it takes a database of its own")
	}
	if _, found := devdb.FindCockroach(); kind == devdb.CockroachDB && !found {
		orSkip(t, kind, errNone)
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // who runs PostgreSQL for root must get in
		t.Fatal(err)
	}
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	servers, err := devdb.Start(t.Context(), devdb.Options{Kind: kind, Dir: dir, Regions: topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := servers.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	db, err := open(t.Context(), servers.URLs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	db.Kind = kind
	return servers, db
}

// Fresh gives the connection strings, one a region, of an empty database of the test's own.
func Fresh(t testing.TB, kind devdb.Kind) []string { return fresh(t, kind) }

// Undecided leaves a change of a schema open, in a database of its own, until the test ends.
func Undecided(t testing.TB, kind devdb.Kind) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), fresh(t, kind)[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	begin := "BEGIN"
	if kind == devdb.CockroachDB {
		begin = "BEGIN PRIORITY HIGH" // or whoever waits for it pushes it aside, with luck
	}
	for _, sql := range []string{begin, "CREATE TABLE undecided (id INT PRIMARY KEY)"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// Background runs something beside a test until stop is called, at the latest when the test ends.
func Background(t testing.TB, run func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// Verify fails the test unless every invariant holds.
func (db *DB) Verify(t testing.TB) {
	t.Helper()
	v, err := db.Store.Verify(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Checks {
		for _, violation := range c.Violations {
			t.Errorf("verify: %s: %s: %s", c.Name, violation.Key, violation.Detail)
		}
	}
}

// Exec runs SQL as it is, behind the store's back.
func (db *DB) Exec(t testing.TB, sql string) {
	t.Helper()
	if err := exec(context.WithoutCancel(t.Context()), db.URLs[0], sql); err != nil {
		t.Fatal(err)
	}
}

func fresh(t testing.TB, kind devdb.Kind) []string {
	t.Helper()
	urls, drop, err := create(t.Context(), kind)
	orSkip(t, kind, err)
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return urls
}

func orSkip(t testing.TB, kind devdb.Kind, err error) {
	t.Helper()
	if errors.Is(err, errNone) {
		t.Skipf("NOT TESTED ON COCKROACHDB: there is no binary (COCKROACH_BINARY, or cockroach on PATH)")
	}
	if err != nil {
		t.Fatalf("no %s to test on: %v", kind, err)
	}
}

// create makes an empty database, and says how to drop it.
func create(ctx context.Context, kind devdb.Kind) (urls []string, drop func() error, err error) {
	admin, err := servers(kind)
	if err != nil {
		return nil, nil, err
	}
	name := "test_" + strings.ToLower(rand.Text()[:12])
	if err := exec(ctx, admin[0], "CREATE DATABASE "+name); err != nil {
		return nil, nil, err
	}
	drop = func() error { return exec(context.Background(), admin[0], dropDatabase(kind, name)) }
	urls = make([]string, len(admin))
	for i, raw := range admin {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, nil, errors.Join(err, drop())
		}
		u.Path = "/" + name
		urls[i] = u.String()
	}
	return urls, drop, nil
}

func dropDatabase(kind devdb.Kind, name string) string {
	if kind == devdb.CockroachDB {
		return "DROP DATABASE " + name + " CASCADE"
	}
	return "DROP DATABASE " + name + " WITH (FORCE)"
}

func exec(ctx context.Context, url, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

var errNone = errors.New("there is none")

// servers gives the servers' connection strings: those that `make test` started, or else this
// process's own, started once.
func servers(kind devdb.Kind) ([]string, error) {
	if kind == devdb.PostgreSQL {
		if url := os.Getenv("STOCKYARD_TEST_POSTGRES_URL"); url != "" {
			return []string{url, url, url}, nil
		}
		return startPostgres()
	}
	if urls := os.Getenv("STOCKYARD_TEST_COCKROACH_URLS"); urls != "" {
		return strings.Split(urls, ","), nil
	}
	if _, found := devdb.FindCockroach(); !found || os.Getenv("STOCKYARD_TEST_POSTGRES_URL") != "" {
		return nil, errNone
	}
	return startCockroach()
}

var (
	startPostgres  = sync.OnceValues(func() ([]string, error) { return start(devdb.PostgreSQL) })
	startCockroach = sync.OnceValues(func() ([]string, error) { return start(devdb.CockroachDB) })

	shared = map[devdb.Kind]func() (*DB, error){
		devdb.PostgreSQL:  sync.OnceValues(func() (*DB, error) { return share(devdb.PostgreSQL) }),
		devdb.CockroachDB: sync.OnceValues(func() (*DB, error) { return share(devdb.CockroachDB) }),
	}

	startedMu sync.Mutex
	stop      []func() error
)

// share makes a database that lasts as long as the process.
func share(kind devdb.Kind) (*DB, error) {
	ctx := context.Background()
	urls, drop, err := create(ctx, kind)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, urls)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	db.Kind = kind
	startedMu.Lock()
	defer startedMu.Unlock()
	stop = append(stop, func() error {
		db.Close()
		return drop()
	})
	return db, nil
}

func start(kind devdb.Kind) ([]string, error) {
	topology, err := regions.Default()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "stockyard-test-")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	db, err := devdb.Start(ctx, devdb.Options{Kind: kind, Dir: dir, Regions: topology.Names(), Ephemeral: true, Log: func(string, ...any) {}})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	startedMu.Lock()
	defer startedMu.Unlock()
	stop = append(stop, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return errors.Join(db.Stop(ctx), os.RemoveAll(dir))
	})
	return db.URLs, nil
}

// Main runs a package's tests, drops the databases they shared and stops the servers they started: func TestMain(m) { storetest.Main(m) }.
func Main(m *testing.M) {
	code := m.Run()
	startedMu.Lock()
	defer startedMu.Unlock()
	for _, s := range slices.Backward(stop) {
		if err := s(); err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = 1
		}
	}
	os.Exit(code)
}
