package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed plain.sql
var plainSetup string

// plainTables makes tables as somebody makes them who has no Stockyard.
func plainTables(ctx context.Context, s *system, o *options) error {
	fill := fmt.Sprintf(`INSERT INTO plain_levels (location, sku, on_hand, held, version, updated_at)
		SELECT 'bench', 'sku-' || i::text, 1000000000, 0, 1, now() FROM generate_series(1, %d) AS g(i)`, o.SKUs)
	return execute(ctx, s.database, append(statements(plainSetup), fill, "ANALYZE plain_levels")...)
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
func (s *system) bench(ctx context.Context, j job, script string) (sample, error) {
	dir, err := os.MkdirTemp(s.dir, "pgbench-")
	if err != nil {
		return sample{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return sample{}, err
	}
	skus := j.skus
	if j.pattern == "hot" {
		skus = 1
	}
	seconds := int(math.Ceil((j.warmup + j.duration).Seconds()))
	args := []string{
		"--no-vacuum", "--protocol=prepared", "--file=" + file, "--define=skus=" + strconv.Itoa(skus), "--client=" + strconv.Itoa(j.clients),
		"--jobs=" + strconv.Itoa(min(j.clients, runtime.NumCPU())), "--time=" + strconv.Itoa(seconds),
		"--log", "--log-prefix=" + filepath.Join(dir, "log"), "--max-tries=0",
	}
	cmd := child(ctx, s.pgbench, args...)
	if cmd.Env, err = s.pgEnvironment(); err != nil {
		return sample{}, err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return readLogs(dir, j)
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

// done is a transaction: when it ended, and how long it took.
type done struct{ at, took time.Duration }

// readLogs counts what ended after the warm-up, within the time measured, as `stockyard load` does.
func readLogs(dir string, j job) (sample, error) {
	files, err := filepath.Glob(filepath.Join(dir, "log.*"))
	if err != nil {
		return sample{}, err
	}
	var all []done
	var failed int64
	for _, file := range files {
		got, bad, err := readLog(file)
		if err != nil {
			return sample{}, err
		}
		all, failed = append(all, got...), failed+bad
	}
	if len(all) == 0 {
		return sample{}, errors.New("pgbench: no transaction came to an end")
	}
	begun := slices.MinFunc(all, func(a, b done) int { return int(a.at - a.took - (b.at - b.took)) })
	from := begun.at - begun.took + j.warmup
	var took []time.Duration
	for _, d := range all {
		if d.at >= from && d.at < from+j.duration {
			took = append(took, d.took)
		}
	}
	slices.Sort(took)
	return sample{PerSecond: float64(len(took)) / j.duration.Seconds(), P50: percentile(took, 50), P99: percentile(took, 99), Failed: failed}, nil
}

// readLog reads lines of: client, transaction, microseconds or "failed", script, seconds, microseconds.
func readLog(file string) (all []done, failed int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 {
			return nil, 0, fmt.Errorf("a line of pgbench's log: %q", lines.Text())
		}
		took, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			failed++
			continue
		}
		seconds, err := strconv.ParseInt(fields[4], 10, 64)
		if err != nil {
			return nil, 0, err
		}
		micros, err := strconv.ParseInt(fields[5], 10, 64)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, done{time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond, time.Duration(took) * time.Microsecond})
	}
	return all, failed, lines.Err()
}

// percentile of sorted durations, in milliseconds.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := (len(sorted)*p + 99) / 100
	return float64(sorted[max(at, 1)-1].Microseconds()) / 1000
}
