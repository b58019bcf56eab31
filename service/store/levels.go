package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// A level as it is read counts lapsed holds as free, tidied away or not (I9). The sum is over the
// partial index of held lines, and only where something is held.
const levelNow = `
SELECT l.region::text, l.sku, l.location, l.on_hand, l.held - l.lapsed, l.allocated, l.quarantined, l.incoming, l.shortfall,
       l.version, l.updated_at, l.closed, now()
  FROM (SELECT v.*, CASE WHEN v.held = 0 THEN 0 ELSE
               (SELECT coalesce(sum(h.held), 0)::bigint FROM reservation_lines AS h
                 WHERE h.region = v.region AND h.sku = v.sku AND h.location = v.location
                   AND h.held > 0 AND h.expires_at <= now()) END AS lapsed
          FROM stock_levels AS v`

const belowAvailable = `
 WHERE $1::bigint IS NULL OR l.on_hand - l.held - l.allocated - l.quarantined - l.shortfall + l.lapsed < $1`

var selectLevel = define("level", levelNow+`
         WHERE v.region = $1::crdb_internal_region AND v.sku = $2 AND v.location = $3) AS l`, text, text, text)

var listLevels = define("list_levels", levelNow+`
         WHERE v.region = $2::crdb_internal_region AND (v.sku, v.location) > ($3, $4) AND NOT v.closed) AS l`+belowAvailable+`
 ORDER BY l.sku, l.location LIMIT $5`, bigint, text, text, text, bigint)

var listLevelsOfSKU = define("list_levels_of_sku", levelNow+`
         WHERE v.region = $2::crdb_internal_region AND v.sku = $3 AND v.location > $4 AND NOT v.closed) AS l`+belowAvailable+`
 ORDER BY l.location LIMIT $5`, bigint, text, text, text, bigint)

var listLevelsOfLocation = define("list_levels_of_location", levelNow+`
         WHERE v.region = $2::crdb_internal_region AND v.location = $4 AND v.sku > $3 AND NOT v.closed) AS l`+belowAvailable+`
 ORDER BY l.sku LIMIT $5`, bigint, text, text, text, bigint)

// What a SKU has at all locations: the stock that sourcing chooses from, and availability.
var selectLevelsOfSKUs = define("levels_of_skus", levelNow+`
          JOIN unnest($1, $2) AS k(region, sku) ON v.region = k.region::crdb_internal_region AND v.sku = k.sku
         WHERE NOT v.closed) AS l
 ORDER BY l.sku, l.region, l.location`, texts, texts)

// Level gives a stock level and the moment it speaks of. Errors: ErrNotFound where the level never
// had an event.
func (s *Store) Level(ctx context.Context, key inventory.LevelKey) (l inventory.Level, asOf time.Time, err error) {
	found := false
	err = s.read(ctx, selectLevel, func(r pgx.Rows) (err error) {
		found = true
		l, asOf, err = scanLevelNow(r)
		return err
	}, key.Region, key.SKU, key.Location)
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

// Levels lists stock levels of one region.
func (s *Store) Levels(ctx context.Context, f LevelFilter) (items []inventory.Level, err error) {
	st, sku, location := listLevels, f.After.SKU, f.After.Location
	switch {
	case f.SKU != "" && f.Location != "":
		return s.oneLevel(ctx, f)
	case f.SKU != "":
		st, sku = listLevelsOfSKU, f.SKU
	case f.Location != "":
		st, location = listLevelsOfLocation, f.Location
	}
	err = s.read(ctx, st, func(r pgx.Rows) error {
		l, _, err := scanLevelNow(r)
		items = append(items, l)
		return err
	}, f.AvailableBelow, f.Region, sku, location, int64(f.Limit))
	return items, err
}

func (s *Store) oneLevel(ctx context.Context, f LevelFilter) ([]inventory.Level, error) {
	key := inventory.LevelKey{Region: f.Region, SKU: f.SKU, Location: f.Location}
	if f.After.SKU != "" {
		return nil, nil
	}
	l, _, err := s.Level(ctx, key)
	switch {
	case err == ErrNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case l.Closed || f.AvailableBelow != nil && l.Available() >= *f.AvailableBelow:
		return nil, nil
	}
	return []inventory.Level{l}, nil
}

// LevelsOfSKUs gives what SKUs have at all locations of regions.
func (s *Store) LevelsOfSKUs(ctx context.Context, regions, skus []string) (items []inventory.Level, asOf time.Time, err error) {
	var inRegions, inSKUs []string
	for _, region := range regions {
		for _, sku := range skus {
			inRegions, inSKUs = append(inRegions, region), append(inSKUs, sku)
		}
	}
	err = s.read(ctx, selectLevelsOfSKUs, func(r pgx.Rows) error {
		l, at, err := scanLevelNow(r)
		items, asOf = append(items, l), at
		return err
	}, inRegions, inSKUs)
	return items, asOf, err
}

func scanLevelNow(r pgx.Rows) (l inventory.Level, asOf time.Time, err error) {
	err = r.Scan(&l.Key.Region, &l.Key.SKU, &l.Key.Location,
		&l.OnHand, &l.Held, &l.Allocated, &l.Quarantined, &l.Incoming, &l.Shortfall,
		&l.Version, &l.UpdatedAt, &l.Closed, &asOf)
	l.UpdatedAt = l.UpdatedAt.UTC()
	return l, asOf.UTC(), err
}
