package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

var selectFeedCursor = define("feed_cursor", `
SELECT c.cursor FROM feed_cursors AS c
 WHERE c.region = $1::crdb_internal_region AND c.name = $2`, text, text)

var upsertFeedCursor = define("upsert_feed_cursor", `
INSERT INTO feed_cursors (region, name, cursor, updated_at)
VALUES ($1::crdb_internal_region, $2, $3, now())
    ON CONFLICT (region, name) DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at`, text, text, text)

// FeedCursor is where a worker of a region goes on reading the change feed; "" where it never began.
func (s *Store) FeedCursor(ctx context.Context, region, name string) (cursor string, err error) {
	err = s.read(ctx, selectFeedCursor, func(r pgx.Rows) error { return r.Scan(&cursor) }, region, name)
	return cursor, err
}

// QueueFeedCursor moves the cursor of the worker that has a lease.
func (tx *Tx) QueueFeedCursor(lease Lease, cursor string) {
	tx.queue(upsertFeedCursor, nil, lease.Region, lease.Name, cursor)
}

// Holds says whether a lease is still its holder's.
func (tx *Tx) Holds(ctx context.Context, lease Lease) (bool, error) {
	held := tx.queueLeases([]Lease{lease})
	err := tx.Run(ctx)
	return held[lease], err
}
