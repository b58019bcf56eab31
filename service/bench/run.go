package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"stockyard/service/devdb"
)

// say tells people how far it has come.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// run measures on one database after the other, and writes what came of it.
func run(ctx context.Context, o options) (err error) {
	if err := o.settle(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o750); err != nil {
		return err
	}
	pgbench, err := findPgBench(&o)
	if err != nil {
		return fmt.Errorf("--pgbench: %w", err)
	}
	dir, remove, err := workplace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	binary, err := build(ctx, &o, dir)
	if err != nil {
		return err
	}
	results := &results{Machine: readMachine(), Options: o}
	kinds := o.kinds()
	say("about %s on each of %v; results go to %s", (o.takes() + time.Minute).Round(time.Minute), kinds, o.Out)
	if pgbench == "" {
		say("WARNING: no pgbench here (Debian: postgresql; or --pgbench): the plain ways are left out, and so are all ratios to them")
	}
	for _, kind := range kinds {
		if err = onDatabase(ctx, &o, kind, binary, pgbench, dir, results); err != nil {
			err = fmt.Errorf("%s: %w", kind, err)
			break
		}
	}
	if len(results.Databases) == 0 {
		return err
	}
	results.Machine.LoadAfter = loadAverage()
	return errors.Join(err, results.write(o.Out)) // what was measured before something went wrong is of use
}

// onDatabase measures all there is to measure on one database, and leaves nothing of it.
func onDatabase(ctx context.Context, o *options, kind devdb.Kind, binary, pgbench, dir string, all *results) (err error) {
	server, err := startServer(ctx, o, kind, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	r := &result{Database: server.title(), Kind: string(kind)}
	m := &measurement{options: o, result: r, way: usable(o, pgbench)}
	if err := m.compare(ctx, server, binary, pgbench, dir); err != nil {
		return err
	}
	if err := m.sizes(ctx, server, binary, pgbench, dir); err != nil {
		return err
	}
	all.Databases = append(all.Databases, r)
	return nil
}

// usable are the ways asked for that this machine has the programs for.
func usable(o *options, pgbench string) (list []way) {
	for _, name := range o.Way {
		if w, _ := findWay(name); !w.plain || pgbench != "" {
			list = append(list, w)
		}
	}
	return list
}

// measurement is what is going on at one database.
type measurement struct {
	options *options
	result  *result
	way     []way
}

// compare measures all ways in interleaved rounds: what changes on the machine meanwhile changes
// for all of them.
func (m *measurement) compare(ctx context.Context, server *server, binary, pgbench, dir string) (err error) {
	sys, err := newSystem(ctx, server, binary, pgbench, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sys.close()) }()
	plainSet := false
	for _, w := range m.way {
		if w.plain && plainSet {
			continue
		}
		if err := w.setup(ctx, sys, m.options); err != nil {
			return err
		}
		plainSet = plainSet || w.plain
	}
	for round := range m.options.Rounds {
		if err := m.round(ctx, sys, round); err != nil {
			return err
		}
	}
	if err := m.halfPeak(ctx, sys); err != nil {
		return err
	}
	if m.options.Verify {
		say("verify")
		clean, err := sys.verify(ctx)
		if err != nil || !clean {
			return errors.Join(fmt.Errorf("verify: clean is %t", clean), err)
		}
		m.result.Verified = true
	}
	return nil
}

func (m *measurement) round(ctx context.Context, sys *system, round int) error {
	o := m.options
	for _, pattern := range o.Pattern {
		for _, clients := range o.Clients {
			for i := range m.way {
				w := m.way[(i+round)%len(m.way)] // nobody is always the first
				j := job{pattern: pattern, clients: clients, skus: o.SKUs, warmup: o.Warmup, duration: o.Duration, prepared: pattern == "uniform"}
				got, err := w.run(ctx, sys, j)
				if err != nil {
					return fmt.Errorf("%s, %s, %d clients: %w", w.name, pattern, clients, err)
				}
				say("%s round %d/%d %-7s %3d clients %-11s %7.0f/s  p50 %s ms  p99 %s ms", m.result.Kind, round+1, o.Rounds, pattern, clients, w.name, got.PerSecond, digits(got.P50), digits(got.P99))
				m.result.add(w, pattern, clients, got)
			}
		}
	}
	return nil
}

// halfPeak measures latencies at half of the most that each of our ways did on uniform reservations.
func (m *measurement) halfPeak(ctx context.Context, sys *system) error {
	const clients = 512 // more than are ever needed at once
	for round := range m.options.Rounds {
		for _, w := range m.way {
			peak := m.result.peak(w.name, "uniform")
			if w.plain || peak == 0 {
				continue
			}
			o := m.options
			got, err := w.run(ctx, sys, job{pattern: "uniform", clients: clients, rate: peak / 2, skus: o.SKUs, warmup: o.Warmup, duration: o.Duration, prepared: true})
			if err != nil {
				return fmt.Errorf("%s at half its peak: %w", w.name, err)
			}
			say("%s round %d/%d uniform at %.0f starts/s %s  p50 %s ms  p99 %s ms", m.result.Kind, round+1, o.Rounds, peak/2, w.name, digits(got.P50), digits(got.P99))
			m.result.addOpen(w, peak/2, got)
		}
	}
	return nil
}
