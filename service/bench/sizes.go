package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"stockyard/regions"
	"stockyard/service/devdb"
)

//go:embed preload.sql
var preloadSQL string

// sizes measures Stockyard with databases of several sizes, in interleaved rounds, and beside it what
// one SQL statement does there: pages that aren't in memory cost both.
func (m *measurement) sizes(ctx context.Context, server *server, binary, pgbench, dir string) error {
	var byLevels, byEvents []*sized
	for _, n := range m.options.Levels {
		byLevels = append(byLevels, &sized{Levels: n, Events: n})
	}
	for _, n := range m.options.Events {
		perLevel := n / m.options.EventLevels
		byEvents = append(byEvents, &sized{Levels: m.options.EventLevels, Events: perLevel * m.options.EventLevels})
	}
	for _, group := range [][]*sized{byLevels, byEvents} {
		if err := m.sizeGroup(ctx, server, binary, pgbench, dir, group); err != nil {
			return err
		}
		m.result.Sizes = append(m.result.Sizes, group...)
	}
	return nil
}

func (m *measurement) sizeGroup(ctx context.Context, server *server, binary, pgbench, dir string, group []*sized) (err error) {
	var systems []*system
	defer func() {
		for _, sys := range slices.Backward(systems) {
			err = errors.Join(err, sys.close())
		}
	}()
	for _, size := range group {
		sys, err := newSystem(ctx, server, binary, pgbench, dir)
		if err != nil {
			return err
		}
		systems = append(systems, sys)
		perLevel := size.Events / size.Levels
		if err := sys.preload(ctx, size.Levels, perLevel); err != nil {
			return fmt.Errorf("preloading %d levels with %d events: %w", size.Levels, size.Events, err)
		}
		if pgbench == "" {
			continue
		}
		if err := sys.plain(ctx, size.Levels, perLevel); err != nil {
			return fmt.Errorf("preloading %d plain levels with %d events: %w", size.Levels, size.Events, err)
		}
	}
	o := m.options
	for round := range o.Rounds {
		for i, size := range group {
			j := job{pattern: "uniform", clients: o.SizeClients, skus: int(size.Levels), warmup: o.Warmup, duration: o.Duration, prepared: true}
			got, err := systems[i].load(ctx, j)
			if err != nil {
				return err
			}
			say("%s round %d/%d %d levels, %d events: %.0f/s  p99 %s ms", m.result.Kind, round+1, o.Rounds, size.Levels, size.Events, got.PerSecond, digits(got.P99))
			size.Rounds = append(size.Rounds, got)
			size.Median = median(size.Rounds)
			if pgbench == "" {
				continue
			}
			if got, err = statement.run(ctx, systems[i], j); err != nil {
				return err
			}
			say("%s round %d/%d the same by one statement: %.0f/s  p99 %s ms", m.result.Kind, round+1, o.Rounds, got.PerSecond, digits(got.P99))
			size.Plain = append(size.Plain, got)
			size.PlainMedian = median(size.Plain)
		}
	}
	return nil
}

// preload puts levels with so many events each behind the service's back. They have no hashes, as
// events from before there were any: `verify` accepts that, and new events are chained to them.
func (s *system) preload(ctx context.Context, levels, events int64) error {
	// The first level is made by the service itself, with the location.
	if err := prepareStock(ctx, s, &options{SKUs: 1}); err != nil {
		return err
	}
	if err := s.stock(ctx, levels-1, events); err != nil {
		return err
	}
	return s.forget(ctx)
}

// stock inserts so many levels after the first.
func (s *system) stock(ctx context.Context, levels, events int64) error {
	topology, err := regions.Default()
	if err != nil {
		return err
	}
	replace := strings.NewReplacer("{region}", topology.Primary, "{location}", prefix+"-"+topology.Primary, "{prefix}", prefix)
	if err := s.fill(ctx, replace.Replace(preloadSQL), levels, events); err != nil {
		return err
	}
	return execute(ctx, s.database, "ANALYZE products", "ANALYZE stock_levels", "ANALYZE stock_events")
}

// forget starts the pod anew, with no place in the change feed: what was preloaded is no news, and to
// raise alerts for it would take the pod minutes, which are to be measured.
func (s *system) forget(ctx context.Context) error {
	pod := len(s.ends) - 1
	err := s.ends[pod]()
	s.ends = s.ends[:pod]
	if err != nil {
		return err
	}
	if err := execute(ctx, s.database, "DELETE FROM feed_cursors"); err != nil {
		return err
	}
	return s.serve(ctx)
}

// fill runs statements that insert levels from one number to another with so many events each, until
// there are so many levels.
func (s *system) fill(ctx context.Context, sql string, levels, events int64) error {
	pool, err := pgxpool.New(ctx, s.database)
	if err != nil {
		return err
	}
	defer pool.Close()
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(4)
	chunk := s.chunk(events)
	told := time.Now()
	for first := int64(1); first <= levels && working.Err() == nil; first += chunk {
		last := min(first+chunk-1, levels)
		if time.Since(told) > 10*time.Second {
			say("preloading: %d of %d levels", first, levels)
			told = time.Now()
		}
		work.Go(func() error {
			for _, sql := range statements(sql) {
				if _, err := pool.Exec(working, sql, pgx.QueryExecModeExec, first, last, events); err != nil {
					return fmt.Errorf("%.60s: %w", sql, err)
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// chunk is how many levels go into a transaction: CockroachDB keeps all that one writes in memory.
func (s *system) chunk(events int64) int64 {
	rows := int64(200_000)
	if s.server.kind == devdb.CockroachDB {
		rows = 5_000
	}
	return max(rows/max(events, 1), 1)
}
