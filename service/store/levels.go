package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// A level as it is read counts lapsed holds as free, tidied away or not (I9): they are joined in by
// the partial index of held lines.
const levelNow = `
SELECT l.region::text, l.sku, l.location, l.on_hand, (l.held - coalesce(sum(h.held), 0))::bigint, l.allocated, l.quarantined,
       l.incoming, l.shortfall, l.version, l.updated_at, l.closed, now()
  FROM stock_levels AS l
  LEFT JOIN reservation_lines AS h
    ON h.region = l.region AND h.sku = l.sku AND h.location = l.location AND h.held > 0 AND h.expires_at <= now()`

const groupLevels = `
 GROUP BY l.region, l.sku, l.location, l.on_hand, l.held, l.allocated, l.quarantined, l.incoming, l.shortfall,
          l.version, l.updated_at, l.closed`

const belowAvailable = groupLevels + `
HAVING $1::bigint IS NULL
    OR l.on_hand - l.held - l.allocated - l.quarantined - l.shortfall + coalesce(sum(h.held), 0) < $1`

var selectLevel = define("level", levelNow+`
 WHERE l.region = $1::crdb_internal_region AND l.sku = $2 AND l.location = $3`+groupLevels, text, text, text)

var listLevels = define("list_levels", levelNow+`
 WHERE l.region = $2::crdb_internal_region AND (l.sku, l.location) > ($3, $4) AND NOT l.closed`+belowAvailable+`
 ORDER BY l.region, l.sku, l.location LIMIT $5`, bigint, text, text, text, bigint)

var listLevelsOfSKU = define("list_levels_of_sku", levelNow+`
 WHERE l.region = $2::crdb_internal_region AND l.sku = $3 AND l.location > $4 AND NOT l.closed`+belowAvailable+`
 ORDER BY l.region, l.sku, l.location LIMIT $5`, bigint, text, text, text, bigint)

var listLevelsOfLocation = define("list_levels_of_location", levelNow+`
 WHERE l.region = $2::crdb_internal_region AND l.location = $4 AND l.sku > $3 AND NOT l.closed`+belowAvailable+`
 ORDER BY l.region, l.location, l.sku LIMIT $5`, bigint, text, text, text, bigint)

// What a SKU has at all locations: the stock that sourcing chooses from, and availability.
var selectLevelsOfSKUs = define("levels_of_skus", `
SELECT l.region::text, l.sku, l.location, l.on_hand, (l.held - coalesce(sum(h.held), 0))::bigint, l.allocated, l.quarantined,
       l.incoming, l.shortfall, l.version, l.updated_at, l.closed, now()
  FROM unnest($1, $2) AS k(region, sku)
  JOIN stock_levels AS l ON l.region = k.region::crdb_internal_region AND l.sku = k.sku
  LEFT JOIN reservation_lines AS h
    ON h.region = l.region AND h.sku = l.sku AND h.location = l.location AND h.held > 0 AND h.expires_at <= now()
 WHERE NOT l.closed`+groupLevels+`
 ORDER BY l.sku, l.region, l.location`, texts, texts)

// The same with when the first of a level's holds lapses, or lapsed.
var selectHeldLevelsOfSKUs = define("held_levels_of_skus", `
SELECT l.region::text, l.sku, l.location, l.on_hand,
       (l.held - coalesce(sum(CASE WHEN h.expires_at <= now() THEN h.held ELSE 0 END), 0))::bigint, l.allocated, l.quarantined,
       l.incoming, l.shortfall, l.version, l.updated_at, l.closed, min(h.expires_at)
  FROM unnest($1, $2) AS k(region, sku)
  JOIN stock_levels AS l ON l.region = k.region::crdb_internal_region AND l.sku = k.sku
  LEFT JOIN reservation_lines AS h
    ON h.region = l.region AND h.sku = l.sku AND h.location = l.location AND h.held > 0
 WHERE NOT l.closed`+groupLevels+`
 ORDER BY l.sku, l.region, l.location`, texts, texts)

// Level gives a stock level and the moment it speaks of. Errors: ErrNotFound where the level never
// had an event, which speaks of a moment too.
func (s *Store) Level(ctx context.Context, key inventory.LevelKey) (l inventory.Level, asOf time.Time, err error) {
	found := false
	rows := func(r pgx.Rows) (err error) {
		found = true
		l, asOf, err = scanLevelNow(r)
		return err
	}
	if err = s.read(ctx, selectLevel, rows, key.Region, key.SKU, key.Location); err == nil && !found {
		asOf, err = s.readAt(ctx, selectLevel, rows, key.Region, key.SKU, key.Location)
	}
	return l, asOf, foundOr(found, err)
}

// LevelFilter selects stock levels of one region for a list, in the order of SKU and location.
type LevelFilter struct {
	Region         string
	SKU            string
	Location       string
	AvailableBelow *int64
	After          inventory.LevelKey
	Limit          int
}

// Of gives what the filter selects of levels that are all there are of its SKU.
func (f *LevelFilter) Of(levels []inventory.Level) (items []inventory.Level) {
	for _, l := range levels {
		if l.Key.Region != f.Region || f.Location != "" && l.Key.Location != f.Location ||
			f.After.SKU != "" && l.Key.Location <= f.After.Location ||
			f.AvailableBelow != nil && l.Available() >= *f.AvailableBelow || len(items) == f.Limit {
			continue
		}
		items = append(items, l)
	}
	return items
}

// Levels lists stock levels of one region, as of a moment.
func (s *Store) Levels(ctx context.Context, f LevelFilter) (items []inventory.Level, asOf time.Time, err error) {
	st, sku, location := listLevels, f.After.SKU, f.After.Location
	switch {
	case f.SKU != "" && f.Location != "":
		return s.oneLevel(ctx, f)
	case f.SKU != "":
		st, sku = listLevelsOfSKU, f.SKU
	case f.Location != "":
		st, location = listLevelsOfLocation, f.Location
	}
	asOf, err = s.readAt(ctx, st, func(r pgx.Rows) error {
		l, _, err := scanLevelNow(r)
		items = append(items, l)
		return err
	}, f.AvailableBelow, f.Region, sku, location, int64(f.Limit))
	return items, asOf, err
}

func (s *Store) oneLevel(ctx context.Context, f LevelFilter) ([]inventory.Level, time.Time, error) {
	key := inventory.LevelKey{Region: f.Region, SKU: f.SKU, Location: f.Location}
	l, asOf, err := s.Level(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, asOf, nil
	case err != nil:
		return nil, asOf, err
	case l.Closed || f.After.SKU != "" || f.AvailableBelow != nil && l.Available() >= *f.AvailableBelow:
		return nil, asOf, nil
	}
	return []inventory.Level{l}, asOf, nil
}

// LevelsOfSKUs gives what SKUs have at all locations of regions, as of a moment.
func (s *Store) LevelsOfSKUs(ctx context.Context, regions, skus []string) (items []inventory.Level, asOf time.Time, err error) {
	inRegions, inSKUs := each(regions, skus)
	rows := func(r pgx.Rows) error {
		l, at, err := scanLevelNow(r)
		items, asOf = append(items, l), at
		return err
	}
	if err = s.read(ctx, selectLevelsOfSKUs, rows, inRegions, inSKUs); err == nil && len(items) == 0 {
		asOf, err = s.readAt(ctx, selectLevelsOfSKUs, rows, inRegions, inSKUs)
	}
	return items, asOf, err
}

// HeldLevel is a level and when the first of its holds lapses, or lapsed; zero where it has none.
type HeldLevel struct {
	inventory.Level
	Lapses time.Time
}

// HeldLevelsOfSKUs is LevelsOfSKUs with what is to be known of holds.
func (s *Store) HeldLevelsOfSKUs(ctx context.Context, regions, skus []string) (items []HeldLevel, asOf time.Time, err error) {
	inRegions, inSKUs := each(regions, skus)
	asOf, err = s.readAt(ctx, selectHeldLevelsOfSKUs, func(r pgx.Rows) error {
		var l HeldLevel
		var lapses *time.Time
		err := r.Scan(append(levelTargets(&l.Level), &lapses)...)
		l.UpdatedAt = l.UpdatedAt.UTC()
		if lapses != nil {
			l.Lapses = lapses.UTC()
		}
		items = append(items, l)
		return err
	}, inRegions, inSKUs)
	return items, asOf, err
}

// each pairs regions with SKUs.
// each gives every SKU in every region once: what is joined to one that is there twice counts twice.
func each(regions, skus []string) (inRegions, inSKUs []string) {
	skus = unique(skus)
	for _, region := range unique(regions) {
		for _, sku := range skus {
			inRegions, inSKUs = append(inRegions, region), append(inSKUs, sku)
		}
	}
	return inRegions, inSKUs
}

func levelTargets(l *inventory.Level) []any {
	return []any{
		&l.Key.Region, &l.Key.SKU, &l.Key.Location,
		&l.OnHand, &l.Held, &l.Allocated, &l.Quarantined, &l.Incoming, &l.Shortfall, &l.Version, &l.UpdatedAt, &l.Closed,
	}
}

func scanLevelNow(r pgx.Rows) (l inventory.Level, asOf time.Time, err error) {
	err = r.Scan(append(levelTargets(&l), &asOf)...)
	l.UpdatedAt = l.UpdatedAt.UTC()
	return l, asOf.UTC(), err
}
