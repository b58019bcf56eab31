package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

var selectVersion = define("version", `
SELECT l.version FROM stock_levels AS l
 WHERE l.region = $1::crdb_internal_region AND l.sku = $2 AND l.location = $3`, text, text, text)

var selectRecordedTimes = define("recorded_times", `
SELECT e.version, e.recorded_at
  FROM unnest($4) AS v(version)
  JOIN stock_events AS e ON e.region = $1::crdb_internal_region AND e.sku = $2 AND e.location = $3 AND e.version = v.version
 ORDER BY e.version`, text, text, text, ints)

// Sums stop at int64: a part of the events may add up to more than all of them do.
var sumEffective = define("sum_effective", `
SELECT coalesce(max(e.version), 0), max(e.effective_at),
       `+boundedSum("on_hand")+`, `+boundedSum("held")+`, `+boundedSum("allocated")+`,
       `+boundedSum("quarantined")+`, `+boundedSum("incoming")+`, `+boundedSum("shortfall")+`
  FROM stock_events AS e
 WHERE e.region = $1::crdb_internal_region AND e.sku = $2 AND e.location = $3 AND e.version > $4 AND e.effective_at <= $5`,
	text, text, text, bigint, moment)

func boundedSum(quantity string) string {
	return "least(greatest(coalesce(sum(e." + quantity + "_delta), 0), -9223372036854775807), 9223372036854775807)::bigint"
}

// EventAt gives the last event of a level that was recorded up to a time. Errors: ErrNotFound where
// there was none yet. A level's events are recorded in the order of their versions, so that it is
// found by halving the ledger, whatever its length: in fact by cutting it into 32 each time.
func (s *Store) EventAt(ctx context.Context, key inventory.LevelKey, at time.Time) (e inventory.Event, err error) {
	var last int64
	err = s.read(ctx, selectVersion, func(r pgx.Rows) error { return r.Scan(&last) }, key.Region, key.SKU, key.Location)
	if err != nil {
		return e, err
	}
	var first int64 // the newest version known to be up to the time
	for first < last {
		if first, last, err = s.narrow(ctx, key, first, last, at); err != nil {
			return e, err
		}
	}
	if first == 0 {
		return e, ErrNotFound
	}
	events, err := s.Events(ctx, key, first-1, 1)
	if err == nil && len(events) == 0 {
		err = errors.New("an event that was there is gone")
	}
	if err != nil {
		return e, err
	}
	return events[0], nil
}

func (s *Store) narrow(ctx context.Context, key inventory.LevelKey, first, last int64, at time.Time) (int64, int64, error) {
	const parts = 32
	step := max((last-first)/parts, 1)
	var probes []int64
	for v := first + step; v < last; v += step {
		probes = append(probes, v)
	}
	probes = append(probes, last)
	err := s.read(ctx, selectRecordedTimes, func(r pgx.Rows) error {
		var version int64
		var recorded time.Time
		if err := r.Scan(&version, &recorded); err != nil {
			return err
		}
		switch {
		case !recorded.After(at):
			first = version
		case version <= last:
			last = version - 1
		}
		return nil
	}, key.Region, key.SKU, key.Location, probes)
	return first, last, err
}

// Effective is what a level's events after a version add up to that were effective up to a time:
// the newest of their versions, 0 for none, and the latest of their times.
func (s *Store) Effective(ctx context.Context, key inventory.LevelKey, after int64, at time.Time) (sum inventory.Balances, version int64, latest time.Time, err error) {
	err = s.read(ctx, sumEffective, func(r pgx.Rows) error {
		var effective *time.Time
		err := r.Scan(&version, &effective, &sum.OnHand, &sum.Held, &sum.Allocated, &sum.Quarantined, &sum.Incoming, &sum.Shortfall)
		if effective != nil {
			latest = effective.UTC()
		}
		return err
	}, key.Region, key.SKU, key.Location, after, at)
	return sum, version, latest, err
}
