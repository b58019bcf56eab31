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

// sizes measures Stockyard with databases of several sizes, in interleaved rounds.
func (m *measurement) sizes(ctx context.Context, server *server, binary, dir string) error {
	var byLevels, byEvents []*sized
	for _, n := range m.options.Levels {
		byLevels = append(byLevels, &sized{Levels: n, Events: n})
	}
	for _, n := range m.options.Events {
		perLevel := n / m.options.EventLevels
		byEvents = append(byEvents, &sized{Levels: m.options.EventLevels, Events: perLevel * m.options.EventLevels})
	}
	for _, group := range [][]*sized{byLevels, byEvents} {
		if err := m.sizeGroup(ctx, server, binary, dir, group); err != nil {
			return err
		}
		m.result.Sizes = append(m.result.Sizes, group...)
	}
	return nil
}

func (m *measurement) sizeGroup(ctx context.Context, server *server, binary, dir string, group []*sized) (err error) {
	var systems []*system
	defer func() {
		for _, sys := range slices.Backward(systems) {
			err = errors.Join(err, sys.close())
		}
	}()
	for _, size := range group {
		sys, err := newSystem(ctx, server, binary, "", dir)
		if err != nil {
			return err
		}
		systems = append(systems, sys)
		if err := sys.preload(ctx, size.Levels, size.Events/size.Levels); err != nil {
			return fmt.Errorf("preloading %d levels with %d events: %w", size.Levels, size.Events, err)
		}
	}
	o := m.options
	for round := range o.Rounds {
		for i, size := range group {
			got, err := systems[i].load(ctx, job{
				pattern: "uniform", clients: o.SizeClients, skus: int(size.Levels), warmup: o.Warmup, duration: o.Duration, prepared: true,
			})
			if err != nil {
				return err
			}
			say("%s round %d/%d %d levels, %d events: %.0f/s  p99 %s ms", m.result.Kind, round+1, o.Rounds, size.Levels, size.Events, got.PerSecond, digits(got.P99))
			size.Rounds = append(size.Rounds, got)
			size.Median = median(size.Rounds)
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
	if err := s.fill(ctx, levels, events); err != nil {
		return err
	}
	return s.forget(ctx)
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

// fill inserts all levels but the first.
func (s *system) fill(ctx context.Context, levels, events int64) error {
	topology, err := regions.Default()
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, s.database)
	if err != nil {
		return err
	}
	defer pool.Close()
	replace := strings.NewReplacer("{region}", topology.Primary, "{location}", prefix+"-"+topology.Primary, "{prefix}", prefix)
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(4)
	chunk := s.chunk(events)
	told := time.Now()
	for first := int64(1); first < levels && working.Err() == nil; first += chunk {
		last := min(first+chunk, levels) - 1
		if time.Since(told) > 10*time.Second {
			say("preloading: %d of %d levels", first, levels)
			told = time.Now()
		}
		work.Go(func() error {
			for _, sql := range statements(preloadSQL) {
				if _, err := pool.Exec(working, replace.Replace(sql), pgx.QueryExecModeExec, first, last, events); err != nil {
					return fmt.Errorf("%.60s: %w", sql, err)
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	return execute(ctx, s.database, "ANALYZE products", "ANALYZE stock_levels", "ANALYZE stock_events")
}

// chunk is how many levels go into a transaction: CockroachDB keeps all that one writes in memory.
func (s *system) chunk(events int64) int64 {
	rows := int64(200_000)
	if s.server.kind == devdb.CockroachDB {
		rows = 5_000
	}
	return max(rows/events, 1)
}
