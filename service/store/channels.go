package store

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

const channelColumns = `c.name, c.title, c.kind, c.locations::text, c.safety_stock,
       c.version, c.archived_at, c.created_at, c.updated_at`

var lockChannel = define("lock_channel", `
SELECT `+channelColumns+`
  FROM channels AS c WHERE c.name = $1 FOR UPDATE`, text)

var selectChannels = define("all_channels", `
SELECT `+channelColumns+`
  FROM channels AS c ORDER BY c.name`)

var upsertChannel = define("upsert_channel", `
INSERT INTO channels (name, title, kind, locations, safety_stock, version, archived_at, created_at, updated_at)
VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $8, $9)
    ON CONFLICT (name) DO UPDATE SET title = excluded.title, kind = excluded.kind, locations = excluded.locations,
       safety_stock = excluded.safety_stock, version = excluded.version, archived_at = excluded.archived_at,
       updated_at = excluded.updated_at`, text, text, text, text, bigint, bigint, moment, moment, moment)

// Channels gives all channels, archived ones too, by name.
func (s *Store) Channels(ctx context.Context) (all []inventory.Channel, err error) {
	err = s.read(ctx, selectChannels, func(r pgx.Rows) error {
		c, err := scanChannel(r)
		all = append(all, c)
		return err
	})
	return all, err
}

// Channel reads and locks a channel. Errors: ErrNotFound.
func (tx *Tx) Channel(ctx context.Context, name string) (c inventory.Channel, err error) {
	found := false
	tx.queue(lockChannel, func(r pgx.Rows) (err error) {
		found = true
		c, err = scanChannel(r)
		return err
	}, name)
	return c, foundOr(found, tx.Run(ctx))
}

// PutChannel queues a channel to be written as it is given.
func (tx *Tx) PutChannel(c inventory.Channel) error {
	locations, err := json.Marshal(append([]string{}, c.Locations...))
	if err != nil {
		return err
	}
	tx.queue(upsertChannel, nil, c.Name, c.Title, c.Kind, string(locations), c.SafetyStock,
		c.Version, c.ArchivedAt, c.CreatedAt, c.UpdatedAt)
	return nil
}

func scanChannel(r pgx.Rows) (c inventory.Channel, err error) {
	var locations string
	if err = r.Scan(&c.Name, &c.Title, &c.Kind, &locations, &c.SafetyStock, &c.Version, &c.ArchivedAt, &c.CreatedAt, &c.UpdatedAt); err != nil {
		return c, err
	}
	inUTC(&c.Stamp)
	return c, json.Unmarshal([]byte(locations), &c.Locations)
}
