package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

var deleteDone = define("delete_done_deliveries", `
DELETE FROM webhook_deliveries
 WHERE region = $1::crdb_internal_region AND webhook = $2::uuid AND id IN (
       SELECT d.id FROM webhook_deliveries AS d
        WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid AND d.status = $3
          AND d.created_at < now() - $4 * '1 microsecond'::interval AND d.updated_at < now() - $4 * '1 microsecond'::interval
        ORDER BY d.created_at LIMIT $5)
RETURNING 1`, text, text, text, bigint, bigint)

var deleteOfDeleted = define("delete_deliveries_of_deleted", `
DELETE FROM webhook_deliveries
 WHERE region = $1::crdb_internal_region AND webhook = $2::uuid AND id IN (
       SELECT d.id FROM webhook_deliveries AS d
        WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid ORDER BY d.id LIMIT $3)
RETURNING 1`, text, text, bigint)

// A secret that was changed meanwhile stays as it is.
var resealWebhook = define("reseal_webhook", `
UPDATE webhooks SET secret = $4, old_secret = $5
 WHERE region = $1::crdb_internal_region AND id = $2::uuid AND version = $3`, text, text, bigint, blob, blob)

// Reseal writes a webhook's secrets as they are encrypted now.
func (s *Store) Reseal(ctx context.Context, lease Lease, w Webhook, secret, old []byte) error {
	_, err := s.held(ctx, lease, func(_ context.Context, tx *Tx) error {
		tx.queue(resealWebhook, nil, w.Region, uuidText(w.UUID), w.Version, secret, old)
		return nil
	})
	return err
}

// CleanDeliveries deletes up to limit deliveries of a webhook that have had a status for some time.
func (s *Store) CleanDeliveries(ctx context.Context, lease Lease, w Webhook, status string, after time.Duration, limit int) (n int, err error) {
	_, err = s.held(ctx, lease, func(_ context.Context, tx *Tx) error {
		n = 0
		tx.queue(deleteDone, func(pgx.Rows) error { n++; return nil }, w.Region, uuidText(w.UUID), status, after.Microseconds(), int64(limit))
		return nil
	})
	return n, err
}

// DeletedWebhooks gives the ids of webhooks of a region that are deleted and not gone yet.
func (s *Store) DeletedWebhooks(ctx context.Context, region string) (ids [][16]byte, err error) {
	err = s.read(ctx, listDeletedWebhooks, func(r pgx.Rows) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		uuid, err := parseUUID(id)
		ids = append(ids, uuid)
		return err
	}, region)
	return ids, err
}

// CleanDeleted deletes up to limit deliveries of a deleted webhook, and with the last of them the
// webhook itself.
func (s *Store) CleanDeleted(ctx context.Context, lease Lease, region string, webhook [16]byte, limit int) (n int, err error) {
	id := uuidText(webhook)
	_, err = s.held(ctx, lease, func(ctx context.Context, tx *Tx) error {
		n = 0
		tx.queue(deleteOfDeleted, func(pgx.Rows) error { n++; return nil }, region, id, int64(limit))
		if err := tx.Run(ctx); err != nil {
			return err
		}
		if n < limit {
			tx.queue(deleteWebhook, nil, region, id)
		}
		return nil
	})
	return n, err
}
