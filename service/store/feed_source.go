package store

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// A changefeed costs the database, and each pod that follows it, by the row. What a transaction writes
// to the ledger is therefore written once more, whole, to one row of feed_batches, and that is what
// pods follow. A pod of an earlier release writes the ledger only, which is followed until somebody
// says that none is left.

// FeedSource is which table the pods follow on CockroachDB.
type FeedSource string

// The tables: feed_batches, and stock_events.
const (
	ByBatches FeedSource = "batches"
	ByEvents  FeedSource = "events"
)

func (f FeedSource) table() string {
	if f == ByBatches {
		return "feed_batches"
	}
	return "stock_events"
}

// ErrOneFeedSource says that there is nothing to choose.
var ErrOneFeedSource = errors.New("the feed of PostgreSQL has one source, the ledger")

var (
	insertFeedBatch = defineOn(cockroachdb, "insert_feed_batch", `
INSERT INTO feed_batches (region, shard, written_at, events)
VALUES ($1::crdb_internal_region, $2, $3, $4)`, text, bigint, moment, blob)

	deleteFeedBatches = defineOn(cockroachdb, "delete_feed_batches", `
DELETE FROM feed_batches
 WHERE region = $1::crdb_internal_region AND shard = $2 AND written_at >= $3 AND written_at < $4
 ORDER BY region, shard, written_at, id LIMIT $5
RETURNING written_at`, text, bigint, moment, moment, bigint)

	selectFeedSource = defineOn(cockroachdb, "feed_source", `SELECT batches_since FROM feed_source WHERE id = 1`)

	followBatches = defineOn(cockroachdb, "follow_batches", `
INSERT INTO feed_source (id, batches_since) VALUES (1, floor(cluster_logical_timestamp())::bigint)
    ON CONFLICT (id) DO NOTHING`)

	followBatchesAlways = defineOn(cockroachdb, "follow_batches_always", `
INSERT INTO feed_source (id, batches_since) VALUES (1, 0) ON CONFLICT (id) DO NOTHING`)

	followEvents = defineOn(cockroachdb, "follow_events", `DELETE FROM feed_source WHERE id = 1`)
)

// feedShards is in how many places of a region's feed_batches rows are written.
const feedShards = 8

// queueBatch queues what a transaction writes to the ledger for those who follow it.
func (tx *Tx) queueBatch(events []inventory.Event) {
	first := &events[0]
	tx.queue(insertFeedBatch, nil, first.Key.Region, int64(first.Key.Hash()%feedShards), first.RecordedAt, inventory.PackEvents(events))
}

// CleanedFeedBatches is up to when whoever had a lease before has deleted a region's feed_batches.
func (s *Store) CleanedFeedBatches(ctx context.Context, lease Lease) (gone time.Time, err error) {
	cursor, err := s.FeedCursor(ctx, lease.Region, lease.Name)
	if err != nil || cursor == "" {
		return gone, err
	}
	return time.Parse(time.RFC3339Nano, cursor)
}

// CleanFeedBatches deletes, under a lease, up to limit of the rows of a region's feed_batches that were
// written between two moments, and keeps that there are none before the first. gone is up to when there are
// none now; ok says whether the lease was still held. The rows stay in the database's history for as long as
// a changefeed can go back.
func (s *Store) CleanFeedBatches(ctx context.Context, lease Lease, from, to time.Time, limit int) (gone time.Time, ok bool, err error) {
	each := limit / feedShards
	ok, err = s.held(ctx, lease, func(_ context.Context, tx *Tx) error {
		gone = to
		tx.QueueFeedCursor(lease, from.Format(time.RFC3339Nano))
		for shard := range int64(feedShards) {
			n := 0
			tx.queue(deleteFeedBatches, func(r pgx.Rows) error {
				var written time.Time
				if err := r.Scan(&written); err != nil {
					return err
				}
				if n++; n == each && written.Before(gone) {
					gone = written
				}
				return nil
			}, lease.Region, shard, from, to, int64(each))
		}
		return nil
	})
	return gone, ok, err
}

// FeedSource says what the pods follow. Errors: ErrOneFeedSource.
func (s *Store) FeedSource(ctx context.Context) (FeedSource, error) {
	if !s.dialect.cockroach {
		return "", ErrOneFeedSource
	}
	since, err := s.batchesSince(ctx)
	if since == never {
		return ByEvents, classify(err)
	}
	return ByBatches, classify(err)
}

// SetFeedSource has the pods follow a table, from feedAsked on. Batches may be followed while no pod
// runs of a release that doesn't write them. Errors: ErrOneFeedSource.
func (s *Store) SetFeedSource(ctx context.Context, source FeedSource) error {
	switch {
	case !s.dialect.cockroach:
		return ErrOneFeedSource
	case source == ByBatches:
		return s.run(ctx, followBatches)
	}
	return s.run(ctx, followEvents)
}

// followFromTheStart is for a database that is new, to which no pod has written.
func (s *Store) followFromTheStart(ctx context.Context) error { return s.run(ctx, followBatchesAlways) }

func (s *Store) run(ctx context.Context, st *statement) error {
	return s.InTx(ctx, func(_ context.Context, tx *Tx) error {
		tx.queue(st, nil)
		return nil
	})
}

// never is when batches are complete that are not.
const never = math.MaxInt64

func (s *Store) batchesSince(ctx context.Context) (since int64, err error) {
	err = s.onConn(ctx, func(conn *pgx.Conn) (err error) {
		since, err = batchesSince(ctx, conn)
		return err
	})
	return since, err
}

// batchesSince is from when on every transaction has a batch.
func batchesSince(ctx context.Context, conn *pgx.Conn) (since int64, err error) {
	since = never
	err = roundTrip(ctx, conn, "", []call{{st: selectFeedSource, rows: func(r pgx.Rows) error { return r.Scan(&since) }}}, "")
	return since, err
}
