package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

var selectKnownProducts = define("known_products", `
SELECT p.sku, p.archived_at IS NOT NULL
  FROM unnest($1) AS k(sku) JOIN products AS p ON p.sku = k.sku`, texts)

var selectKnownLocations = define("known_locations", `
SELECT l.name, l.archived_at IS NOT NULL
  FROM unnest($1) AS k(name) JOIN locations AS l ON l.name = k.name`, texts)

// ReadCatalogue tells the state what the catalogue knows of names. Only stock levels that never
// had an event need it: those that exist say themselves when their product or location is archived.
func (tx *Tx) ReadCatalogue(ctx context.Context, state *inventory.State, skus, locations []string) error {
	scan := func(add func(string, inventory.CatalogueEntry)) func(pgx.Rows) error {
		return func(r pgx.Rows) error {
			var name string
			entry := inventory.CatalogueEntry{Known: true}
			err := r.Scan(&name, &entry.Archived)
			add(name, entry)
			return err
		}
	}
	if len(skus) > 0 {
		tx.queue(selectKnownProducts, scan(state.AddProduct), unique(skus))
	}
	if len(locations) > 0 {
		tx.queue(selectKnownLocations, scan(state.AddLocation), unique(locations))
	}
	return tx.Run(ctx)
}

// Archiving closes every stock level of a product or location, so that commands refuse it without
// asking the catalogue. The levels are locked and must be empty.
var selectLevelsOfProduct = define("levels_of_product", `
SELECT l.region::text, l.sku, l.location,
       l.on_hand, l.held, l.allocated, l.quarantined, l.incoming, l.shortfall,
       l.version, l.updated_at, l.closed, l.head
  FROM unnest($1) AS k(region)
  JOIN stock_levels AS l ON l.region = k.region::crdb_internal_region AND l.sku = $2
 ORDER BY l.region, l.sku, l.location
   FOR UPDATE OF l`, texts, text)

var selectLevelsOfLocation = define("levels_of_location", `
SELECT l.region::text, l.sku, l.location,
       l.on_hand, l.held, l.allocated, l.quarantined, l.incoming, l.shortfall,
       l.version, l.updated_at, l.closed, l.head
  FROM stock_levels AS l
 WHERE l.region = $1::crdb_internal_region AND l.location = $2
 ORDER BY l.region, l.sku, l.location
   FOR UPDATE`, text, text)

var closeLevels = define("close_levels", `
UPDATE stock_levels AS l SET closed = $4
  FROM unnest($1, $2, $3) AS k(region, sku, location)
 WHERE l.region = k.region::crdb_internal_region AND l.sku = k.sku AND l.location = k.location`,
	texts, texts, texts, flag)

// LevelsOfProduct reads and locks a SKU's stock levels at all locations.
func (tx *Tx) LevelsOfProduct(ctx context.Context, sku string) ([]inventory.Level, error) {
	return tx.levels(ctx, selectLevelsOfProduct, tx.store.regions, sku)
}

// LevelsOfLocation reads and locks a location's stock levels.
func (tx *Tx) LevelsOfLocation(ctx context.Context, region, location string) ([]inventory.Level, error) {
	return tx.levels(ctx, selectLevelsOfLocation, region, location)
}

func (tx *Tx) levels(ctx context.Context, st *statement, args ...any) (levels []inventory.Level, err error) {
	tx.queue(st, func(r pgx.Rows) error {
		l, err := scanLevel(r)
		levels = append(levels, l)
		return err
	}, args...)
	return levels, tx.Run(ctx)
}

// SetClosed queues closing stock levels to commands, or opening them again.
func (tx *Tx) SetClosed(levels []inventory.Level, closed bool) {
	if len(levels) == 0 {
		return
	}
	keys := make([]inventory.LevelKey, len(levels))
	for i, l := range levels {
		keys[i] = l.Key
	}
	regions, skus, locations := levelColumns(unique(keys))
	tx.queue(closeLevels, nil, regions, skus, locations, closed)
}

// Now reads the time of the transaction.
func (tx *Tx) Now(ctx context.Context) (now time.Time, err error) {
	tx.queue(selectNow, func(r pgx.Rows) error { return r.Scan(&now) })
	err = tx.Run(ctx)
	return now.UTC(), err
}
