package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stockyard/service/cache"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// The ways to read stock.
const (
	strong  = "strong"  // all that is committed
	bounded = "bounded" // on CockroachDB what the nearest replica tells by itself, some seconds ago
	cached  = "cached"  // the pod's memory
)

// Freshness is how fresh a caller wants an answer about stock. The zero value is strong.
type Freshness struct {
	Consistency  string // strong (default), bounded or cached
	MaxStaleness string // with bounded or cached: a duration as Go writes it, 0 to MaxStaleness
	MinVersion   *int64 // the version that a level must have reached
}

// MaxStaleness is the most that a caller may ask for: databases forget their past after some hours.
const MaxStaleness = time.Hour

// usualStaleness is what max_staleness is where it isn't given. On CockroachDB the change feed says
// only after 3 to 4 seconds that nothing is missing, so memory needs more room than replicas do.
const (
	usualStaleness       = 5 * time.Second
	usualStalenessOfFeed = 10 * time.Second
)

// Check names every invalid field.
func (f Freshness) Check() []inventory.FieldError {
	var c checker
	if known := []string{strong, bounded, cached}; f.Consistency != "" && !slices.Contains(known, f.Consistency) {
		c.add("consistency", fmt.Sprintf("must be one of %v", known))
	}
	if f.MaxStaleness != "" {
		switch d, err := time.ParseDuration(f.MaxStaleness); {
		case err != nil || d < 0 || d > MaxStaleness:
			c.add("max_staleness", `must be a duration such as "5s", from 0 to 1h`)
		case f.Consistency == "" || f.Consistency == strong:
			c.add("max_staleness", "means nothing with consistency strong")
		}
	}
	if f.MinVersion != nil && *f.MinVersion < 0 {
		c.add("min_version", "must be at least 0")
	}
	return c.wrong
}

// staleness is how old an answer may be.
func (s *Service) staleness(f Freshness) time.Duration {
	switch d, err := time.ParseDuration(f.MaxStaleness); {
	case f.Consistency != bounded && f.Consistency != cached:
		return 0
	case err == nil:
		return d
	case f.Consistency == cached && s.store.IsCockroach():
		return usualStalenessOfFeed
	}
	return usualStaleness
}

// reached refuses a level that is older than the caller asked for.
func (f Freshness) reached(version int64) error {
	if f.MinVersion == nil || version >= *f.MinVersion {
		return nil
	}
	return &inventory.Refusal{
		Kind: inventory.VersionMismatch, Expected: *f.MinVersion, Current: version,
		Detail: fmt.Sprintf("min_version %d was asked for; the level is at version %d", *f.MinVersion, version),
	}
}

// remembered gives what the pod's memory has of SKUs, no older than age; ok is false where it hasn't.
func (s *Service) remembered(ctx context.Context, skus []string, age time.Duration) (stocks []cache.Stock, ok bool) {
	if s.options.Cache == nil || age == 0 {
		return nil, false
	}
	return s.options.Cache.Stock(ctx, skus, age)
}

// levelFresh reads a level as the caller asked for, and strongly where that is not enough. Errors:
// those of store.Level.
func (s *Service) levelFresh(ctx context.Context, key inventory.LevelKey, f Freshness) (inventory.Level, time.Time, error) {
	age := s.staleness(f)
	switch f.Consistency {
	case cached:
		if stocks, ok := s.remembered(ctx, []string{key.SKU}, age); ok {
			levels := stocks[0].Levels
			i := slices.IndexFunc(levels, func(l inventory.Level) bool { return l.Key == key })
			if i >= 0 && f.reached(levels[i].Version) == nil {
				return levels[i], stocks[0].AsOf, nil
			}
		}
	case bounded:
		l, asOf, err := s.store.AtMost(age).Level(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) || f.reached(l.Version) == nil {
			return l, asOf, err
		}
	}
	return s.levelNow(ctx, key)
}

// answered is what a strong reading gave.
type answered[Stock any] struct {
	stock Stock
	asOf  time.Time
}

// levelNow is store.Level, shared with others who ask at the same time.
func (s *Service) levelNow(ctx context.Context, key inventory.LevelKey) (inventory.Level, time.Time, error) {
	a, err := s.levelReads.do(ctx, key, func(ctx context.Context) (answered[inventory.Level], error) {
		level, asOf, err := s.store.Level(ctx, key)
		return answered[inventory.Level]{level, asOf}, err
	})
	return a.stock, a.asOf, err
}

// skuRead names the reading of a SKU in regions.
type skuRead struct{ regions, sku string }

// levelsNow is store.LevelsOfSKUs; one SKU is shared with others who ask at the same time.
func (s *Service) levelsNow(ctx context.Context, regions, skus []string) ([]inventory.Level, time.Time, error) {
	if len(skus) != 1 {
		return s.store.LevelsOfSKUs(ctx, regions, skus)
	}
	a, err := s.skuReads.do(ctx, skuRead{strings.Join(regions, " "), skus[0]}, func(ctx context.Context) (answered[[]inventory.Level], error) {
		levels, asOf, err := s.store.LevelsOfSKUs(ctx, regions, skus)
		return answered[[]inventory.Level]{levels, asOf}, err
	})
	return a.stock, a.asOf, err
}

// levelsFresh is levelFresh for all levels of SKUs in regions.
func (s *Service) levelsFresh(ctx context.Context, regions, skus []string, f Freshness) (levels []inventory.Level, asOf time.Time, err error) {
	age := s.staleness(f)
	switch f.Consistency {
	case bounded:
		return s.store.AtMost(age).LevelsOfSKUs(ctx, regions, skus)
	case cached:
	default:
		return s.levelsNow(ctx, regions, skus)
	}
	distinct := skus
	if len(skus) > 1 {
		distinct = slices.Compact(slices.Sorted(slices.Values(skus)))
	}
	stocks, ok := s.remembered(ctx, distinct, age)
	if !ok {
		return s.levelsNow(ctx, regions, skus)
	}
	for i, stock := range stocks {
		for _, l := range stock.Levels {
			if slices.Contains(regions, l.Key.Region) {
				levels = append(levels, l)
			}
		}
		if i == 0 || stock.AsOf.Before(asOf) {
			asOf = stock.AsOf
		}
	}
	return levels, asOf, nil
}

// listFresh is levelFresh for a part of a list. From memory comes what is of one SKU.
func (s *Service) listFresh(ctx context.Context, filter store.LevelFilter, f Freshness) ([]inventory.Level, time.Time, error) {
	age := s.staleness(f)
	if f.Consistency == cached && filter.SKU != "" {
		if stocks, ok := s.remembered(ctx, []string{filter.SKU}, age); ok {
			return filter.Of(stocks[0].Levels), stocks[0].AsOf, nil
		}
	}
	if f.Consistency == cached {
		age = 0
	}
	return s.store.AtMost(age).Levels(ctx, filter)
}
