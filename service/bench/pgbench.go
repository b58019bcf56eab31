package main

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed plain.sql
var plainSetup string

//go:embed plain_preload.sql
var plainPreload string

// plainTables makes tables as somebody makes them who has no Stockyard.
func plainTables(ctx context.Context, s *system, o *options) error {
	return s.plain(ctx, int64(o.SKUs), 0)
}

// plain makes these tables with so many levels, and so many events of each.
func (s *system) plain(ctx context.Context, levels, events int64) error {
	if err := execute(ctx, s.database, statements(plainSetup)...); err != nil {
		return err
	}
	if err := s.fill(ctx, plainPreload, levels, events); err != nil {
		return err
	}
	return execute(ctx, s.database, "ANALYZE plain_levels", "ANALYZE plain_events")
}

// findPgBench gives pgbench's path, "" where there is none.
func findPgBench(o *options) (string, error) {
	if o.PgBench != "" {
		return exec.LookPath(o.PgBench)
	}
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	places, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench") // fails for a bad pattern only
	if len(places) == 0 {
		return "", nil
	}
	return places[len(places)-1], nil
}

// bench runs a script by pgbench. Transactions that fail to serialize are repeated until they don't.
// Its time begins before its connections are made: where they took so long that it didn't run for
// all of the time measured, it is run again for longer.
func (s *system) bench(ctx context.Context, j job, script string) (sample, error) {
	const tries = 8
	connecting := max(s.connecting[j.clients], time.Duration(j.clients)*4*time.Millisecond)
	for attempt := range tries {
		logs, ends, err := s.pgbenchFor(ctx, j, script, connecting+j.warmup+j.duration)
		if err != nil {
			return sample{}, err
		}
		if len(logs.all) == 0 {
			connecting = 2*connecting + time.Second
			continue
		}
		from := logs.begun() + j.warmup
		if missing := from + j.duration - ends; missing > 0 {
			connecting += missing + time.Duration(attempt)*500*time.Millisecond // it varies
			continue
		}
		s.connecting[j.clients] = connecting
		return logs.count(from, j.duration), nil
	}
	return sample{}, fmt.Errorf("pgbench did not get to %s of work with %d clients, in %d tries", j.duration, j.clients, tries)
}

// pgbenchFor runs a script so long, and gives what it logged and the moment from which on it began
// no more.
func (s *system) pgbenchFor(ctx context.Context, j job, script string, whole time.Duration) (logs, time.Duration, error) {
	dir, err := os.MkdirTemp(s.dir, "pgbench-")
	if err != nil {
		return logs{}, 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return logs{}, 0, err
	}
	skus := j.skus
	if j.pattern == "hot" {
		skus = 1
	}
	seconds := int(math.Ceil(whole.Seconds()))
	cmd := child(ctx, s.pgbench,
		"--no-vacuum", "--protocol=prepared", "--file="+file, "--define=skus="+strconv.Itoa(skus), "--client="+strconv.Itoa(j.clients),
		"--jobs="+strconv.Itoa(min(j.clients, runtime.NumCPU())), "--time="+strconv.Itoa(seconds),
		"--log", "--log-prefix="+filepath.Join(dir, "log"), "--max-tries=0")
	if cmd.Env, err = s.pgEnvironment(); err != nil {
		return logs{}, 0, err
	}
	started := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return logs{}, 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	got, err := readLogs(dir)
	return got, time.Duration(started.UnixNano()) + time.Duration(seconds)*time.Second, err
}

// pgEnvironment says where the database is, which no process list shows then.
func (s *system) pgEnvironment() ([]string, error) {
	c, err := pgx.ParseConfig(s.database)
	if err != nil {
		return nil, err
	}
	mode := "disable"
	if c.TLSConfig != nil {
		mode = "require"
	}
	return append(s.environment(), "PGHOST="+c.Host, "PGPORT="+strconv.Itoa(int(c.Port)), "PGUSER="+c.User, "PGPASSWORD="+c.Password,
		"PGDATABASE="+c.Database, "PGSSLMODE="+mode), nil
}
