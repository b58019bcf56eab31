package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

const locationColumns = `l.name, l.title, l.region::text, l.kind, l.country, l.latitude, l.longitude, l.priority,
       l.version, l.archived_at, l.created_at, l.updated_at`

var lockLocation = define("lock_location", `
SELECT `+locationColumns+`
  FROM locations AS l WHERE l.name = $1 FOR UPDATE`, text)

// Every pod keeps the locations and channels in memory: there are few, and each command needs them.
var selectLocations = define("all_locations", `
SELECT `+locationColumns+`
  FROM locations AS l ORDER BY l.name`)

var upsertLocation = define("upsert_location", `
INSERT INTO locations (name, title, region, kind, country, latitude, longitude, priority, version, archived_at, created_at, updated_at)
VALUES ($1, $2, $3::crdb_internal_region, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (name) DO UPDATE SET title = excluded.title, kind = excluded.kind, country = excluded.country,
       latitude = excluded.latitude, longitude = excluded.longitude, priority = excluded.priority,
       version = excluded.version, archived_at = excluded.archived_at, updated_at = excluded.updated_at`,
	text, text, text, text, text, float, float, bigint, bigint, moment, moment, moment)

// Locations gives all locations, archived ones too, by name.
func (s *Store) Locations(ctx context.Context) (all []inventory.Location, err error) {
	err = s.read(ctx, selectLocations, func(r pgx.Rows) error {
		l, err := scanLocation(r)
		all = append(all, l)
		return err
	})
	return all, err
}

// Location reads and locks a location. Errors: ErrNotFound.
func (tx *Tx) Location(ctx context.Context, name string) (l inventory.Location, err error) {
	found := false
	tx.queue(lockLocation, func(r pgx.Rows) (err error) {
		found = true
		l, err = scanLocation(r)
		return err
	}, name)
	return l, foundOr(found, tx.Run(ctx))
}

// PutLocation queues a location to be written as it is given; its region only when it is new.
func (tx *Tx) PutLocation(l inventory.Location) {
	tx.queue(upsertLocation, nil, l.Name, l.Title, l.Region, l.Kind, l.Country, l.Latitude, l.Longitude, l.Priority,
		l.Version, l.ArchivedAt, l.CreatedAt, l.UpdatedAt)
}

func scanLocation(r pgx.Rows) (l inventory.Location, err error) {
	err = r.Scan(&l.Name, &l.Title, &l.Region, &l.Kind, &l.Country, &l.Latitude, &l.Longitude, &l.Priority,
		&l.Version, &l.ArchivedAt, &l.CreatedAt, &l.UpdatedAt)
	inUTC(&l.Stamp)
	return l, err
}
