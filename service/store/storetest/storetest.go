// Package storetest gives tests real databases: PostgreSQL always, CockroachDB where there is one.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
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

// Open makes a migrated database of the test's own on one kind.
func Open(t testing.TB, kind devdb.Kind) *DB {
	t.Helper()
	urls := fresh(t, kind)
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{URL: urls[0], Regions: topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &DB{Store: s, Kind: kind, URLs: urls, Topology: topology}
}

// Fresh gives the connection strings, one a region, of an empty database of the test's own.
func Fresh(t testing.TB, kind devdb.Kind) []string { return fresh(t, kind) }

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
	exec(t, db.URLs[0], sql)
}

func fresh(t testing.TB, kind devdb.Kind) []string {
	t.Helper()
	admin, err := servers(kind)
	if errors.Is(err, errNone) {
		t.Skipf("NOT TESTED ON COCKROACHDB: there is no binary (COCKROACH_BINARY, or cockroach on PATH)")
	}
	if err != nil {
		t.Fatalf("no %s to test on: %v", kind, err)
	}
	name := "test_" + strings.ToLower(rand.Text()[:12])
	exec(t, admin[0], "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(t, admin[0], dropDatabase(kind, name)) })
	urls := make([]string, len(admin))
	for i, raw := range admin {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		urls[i] = u.String()
	}
	return urls
}

func dropDatabase(kind devdb.Kind, name string) string {
	if kind == devdb.CockroachDB {
		return "DROP DATABASE " + name + " CASCADE"
	}
	return "DROP DATABASE " + name + " WITH (FORCE)"
}

func exec(t testing.TB, url, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
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

	startedMu sync.Mutex
	stop      []func() error
)

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

// Main runs a package's tests and stops the servers they started: func TestMain(m) { storetest.Main(m) }.
func Main(m *testing.M) {
	code := m.Run()
	startedMu.Lock()
	defer startedMu.Unlock()
	for _, s := range stop {
		if err := s(); err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = 1
		}
	}
	os.Exit(code)
}
