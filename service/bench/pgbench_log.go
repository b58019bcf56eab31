package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// logs are what pgbench told of its transactions.
type logs struct {
	all    []done
	failed int64
}

// done is a transaction: when it ended, since 1970, and how long it took.
type done struct{ at, took time.Duration }

func readLogs(dir string) (l logs, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "log.*"))
	if err != nil {
		return l, err
	}
	for _, file := range files {
		all, failed, err := readLog(file)
		if err != nil {
			return l, err
		}
		l.all, l.failed = append(l.all, all...), l.failed+failed
	}
	return l, nil
}

// begun is when the first transaction was through: preparing a statement for the first time takes
// CockroachDB up to seconds.
func (l *logs) begun() time.Duration {
	first := l.all[0].at
	for _, d := range l.all {
		first = min(first, d.at)
	}
	return first
}

// count takes what ended within the time measured, as `stockyard load` does.
func (l *logs) count(from, duration time.Duration) sample {
	var took []time.Duration
	for _, d := range l.all {
		if d.at >= from && d.at < from+duration {
			took = append(took, d.took)
		}
	}
	slices.Sort(took)
	return sample{PerSecond: float64(len(took)) / duration.Seconds(), P50: percentile(took, 50), P99: percentile(took, 99), Failed: l.failed}
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

// percentile of sorted durations, in milliseconds; 0 where there are none.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := (len(sorted)*p + 99) / 100
	return float64(sorted[max(at, 1)-1].Microseconds()) / 1000
}
