package main

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
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/regions"
	"stockyard/service/devdb"
)

// server is a database server, or a cluster of them.
type server struct {
	kind    devdb.Kind
	version string
	nodes   int
	admin   string // connection string
	durable string // what it says about what it answers being on disk
	// processes are those of its nodes, as far as they run on this machine.
	processes []int
	stop      func() error
}

// startServer uses what is given, or starts what keeps its data on disk as a production system
// does: three nodes of CockroachDB, or PostgreSQL with fsync.
func startServer(ctx context.Context, o *options, kind devdb.Kind, dir string) (*server, error) {
	topology, err := regions.Default()
	if err != nil {
		return nil, err
	}
	d := devdb.Options{
		Kind: kind, Dir: filepath.Join(dir, string(kind)), Regions: topology.Names(),
		Log: func(format string, args ...any) { say(format, args...) },
	}
	given := o.PostgresURL
	if kind == devdb.CockroachDB {
		given = strings.Join(o.CockroachURL[:min(len(o.CockroachURL), 1)], "")
	}
	if given != "" {
		d.URL = given
	}
	db, err := devdb.Start(ctx, d)
	if err != nil {
		return nil, err
	}
	stop := func() error {
		stopping, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return db.Stop(stopping)
	}
	s := &server{kind: kind, version: db.Version, nodes: max(len(db.Nodes()), 1), admin: db.URLs[0], stop: stop}
	if kind == devdb.CockroachDB && given != "" {
		s.nodes = len(o.CockroachURL)
	}
	urls := db.URLs
	if kind == devdb.CockroachDB && given != "" {
		urls = o.CockroachURL
	}
	for _, at := range urls {
		if pid, found := serving(at); found && !slices.Contains(s.processes, pid) {
			s.processes = append(s.processes, pid)
		}
	}
	if kind == devdb.PostgreSQL && given == "" {
		if err := makeLog(ctx, s.admin); err != nil {
			return nil, errors.Join(err, stop())
		}
	}
	if s.durable, err = durability(ctx, s, given != ""); err != nil {
		return nil, errors.Join(err, stop())
	}
	return s, nil
}

// makeLog makes a new PostgreSQL write its log as one does that has run for a while: into old files,
// used again. Each file of 16 MB that it has to make first keeps every commit waiting for some 50 ms.
func makeLog(ctx context.Context, admin string) error {
	const files = 64 // as many as a gigabyte has
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	run := func(sql string) error {
		_, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	for _, sql := range []string{"ALTER SYSTEM SET min_wal_size = '1GB'", "SELECT pg_reload_conf()"} {
		if err := run(sql); err != nil {
			return err
		}
	}
	for range files {
		if err := run("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()"); err != nil {
			return err
		}
	}
	return run("CHECKPOINT")
}

// durability is told with the figures: a server that doesn't wait for its disk makes others of them.
func durability(ctx context.Context, s *server, given bool) (string, error) {
	if s.kind == devdb.CockroachDB {
		if given {
			return "its disks as they were given", nil
		}
		return "data on disk", nil
	}
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var sync, commit string
	err = conn.QueryRow(ctx, "SELECT current_setting('fsync'), current_setting('synchronous_commit')").Scan(&sync, &commit)
	return "fsync " + sync + ", synchronous_commit " + commit, err
}

// title is what tables and charts call it.
func (s *server) title() string {
	if s.kind == devdb.CockroachDB {
		return fmt.Sprintf("CockroachDB %s, %d nodes, %s", s.version, s.nodes, s.durable)
	}
	return fmt.Sprintf("PostgreSQL %s, %s", s.version, s.durable)
}

// create makes a database of our own, which drop drops again.
func (s *server) create(ctx context.Context) (database string, drop func() error, err error) {
	name := "stockyard_bench_" + strings.ToLower(rand.Text()[:8])
	if err := execute(ctx, s.admin, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(s.admin)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	how := " WITH (FORCE)"
	if s.kind == devdb.CockroachDB {
		how = " CASCADE"
	}
	return u.String(), func() error {
		stopping, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		return execute(stopping, s.admin, "DROP DATABASE "+name+how)
	}, nil
}

// execute runs statements one by one, each in a transaction of its own.
func execute(ctx context.Context, database string, statements ...string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("%.80s: %w", strings.TrimSpace(sql), err)
		}
	}
	return nil
}

// workplace is a directory for data and logs that the user who runs PostgreSQL for root can pass.
func workplace() (dir string, remove func() error, err error) {
	if dir, err = os.MkdirTemp("", "stockyard-bench-data-"); err != nil {
		return "", nil, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return dir, remove, nil
}

// statements splits a file of SQL at its semicolons; there are none within statements.
func statements(file string) []string {
	var all []string
	for s := range strings.SplitSeq(file, ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}
