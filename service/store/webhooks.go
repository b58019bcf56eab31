package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// Webhook is an endpoint that is told of the change feed, and how it is doing.
// In JSON it is what the audit log shows of it: its settings.
type Webhook struct {
	Region string        `json:"-"`
	UUID   [16]byte      `json:"-"`
	Name   string        `json:"name"`
	URL    string        `json:"url"`
	Filter WebhookFilter `json:"filter"`
	Active bool          `json:"active"`
	// Secret and OldSecret are encrypted; the old ones, with spaces between, sign too, until OldSecretUntil.
	Secret         []byte     `json:"-"`
	OldSecret      []byte     `json:"-"`
	OldSecretUntil *time.Time `json:"old_secret_until,omitempty"`
	// Cursor is how far the feed has been read for it; "" says that its place is unknown.
	Cursor string `json:"-"`
	inventory.Stamp
	// Failures is how often in a row the endpoint as a whole did not do its part.
	Failures      int64      `json:"-"`
	FailingSince  *time.Time `json:"-"`
	NextAttemptAt *time.Time `json:"-"` // nil: at once
	SwitchedOff   string     `json:"-"` // why Stockyard made it inactive
	// Rest is how long the endpoint is left alone from now on, by the database's clock.
	Rest time.Duration `json:"-"`
}

// WebhookFilter is what of the feed a webhook gets; an empty list selects all.
type WebhookFilter struct {
	Regions   []string `json:"regions,omitempty"`
	Locations []string `json:"locations,omitempty"`
	SKUs      []string `json:"skus,omitempty"`
	Kinds     []string `json:"kinds,omitempty"`
}

const webhookColumns = `w.region::text, w.id::text, w.name, w.url, w.filter::text, w.active, w.secret, w.old_secret, w.old_secret_until, w.cursor,
       w.version, w.created_at, w.updated_at, w.failures, w.failing_since, w.next_attempt_at, coalesce(w.switched_off, ''),
       coalesce(greatest(extract(epoch FROM w.next_attempt_at - now()), 0), 0)::float`

var selectWebhook = define("webhook", `
SELECT `+webhookColumns+`
  FROM webhooks AS w WHERE w.region = $1::crdb_internal_region AND w.name = $2 AND w.deleted_at IS NULL`, text, text)

var lockWebhook = define("lock_webhook", selectWebhook.sql+` FOR UPDATE`, text, text)

var listWebhooks = define("list_webhooks", `
SELECT `+webhookColumns+`
  FROM webhooks AS w
 WHERE w.region = $1::crdb_internal_region AND w.name > $2 AND w.deleted_at IS NULL
 ORDER BY w.name LIMIT $3`, text, text, bigint)

var listDeletedWebhooks = define("list_deleted_webhooks", `
SELECT w.id::text FROM webhooks AS w WHERE w.region = $1::crdb_internal_region AND w.deleted_at IS NOT NULL`, text)

// Where the feed has been read to is moved by the dispatcher alone, unless it is unknown.
var upsertWebhook = define("upsert_webhook", `
INSERT INTO webhooks AS w (region, id, name, url, filter, active, secret, old_secret, old_secret_until, cursor, version, created_at, updated_at)
VALUES ($1::crdb_internal_region, $2::uuid, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (region, id) DO UPDATE SET url = excluded.url, filter = excluded.filter, active = excluded.active, secret = excluded.secret,
       old_secret = excluded.old_secret, old_secret_until = excluded.old_secret_until,
       cursor = CASE WHEN w.cursor = '' THEN excluded.cursor ELSE w.cursor END, version = excluded.version, updated_at = excluded.updated_at,
       failures = 0, failing_since = NULL, next_attempt_at = NULL, switched_off = NULL`,
	text, text, text, text, text, flag, blob, blob, moment, text, bigint, moment, moment)

var hideWebhook = define("hide_webhook", `
UPDATE webhooks SET deleted_at = now(), active = false, version = version + 1
 WHERE region = $1::crdb_internal_region AND id = $2::uuid`, text, text)

var deleteWebhook = define("delete_webhook", `
DELETE FROM webhooks WHERE region = $1::crdb_internal_region AND id = $2::uuid AND deleted_at IS NOT NULL`, text, text)

// What waits is tried at once, and given the whole time again.
var restartDeliveries = define("restart_deliveries", `
UPDATE webhook_deliveries SET tried_from = now(), next_attempt_at = now()
 WHERE region = $1::crdb_internal_region AND webhook = $2::uuid AND status = 'pending'`, text, text)

// Webhook gives a webhook. Errors: ErrNotFound.
func (s *Store) Webhook(ctx context.Context, region, name string) (w Webhook, err error) {
	found := false
	err = s.read(ctx, selectWebhook, func(r pgx.Rows) (err error) {
		found = true
		w, err = scanWebhook(r)
		return err
	}, region, name)
	return w, foundOr(found, err)
}

// Webhooks lists webhooks of a region, in the order of their names.
func (s *Store) Webhooks(ctx context.Context, region, after string, limit int) (items []Webhook, err error) {
	err = s.read(ctx, listWebhooks, func(r pgx.Rows) error {
		w, err := scanWebhook(r)
		items = append(items, w)
		return err
	}, region, after, int64(limit))
	return items, err
}

// Webhook reads and locks a webhook. Errors: ErrNotFound.
func (tx *Tx) Webhook(ctx context.Context, region, name string) (w Webhook, err error) {
	found := false
	tx.queue(lockWebhook, func(r pgx.Rows) (err error) {
		found = true
		w, err = scanWebhook(r)
		return err
	}, region, name)
	return w, foundOr(found, tx.Run(ctx))
}

// PutWebhook queues a webhook to be written as it is given, with a new start for what waits.
func (tx *Tx) PutWebhook(w Webhook) error {
	filter, err := json.Marshal(w.Filter)
	if err != nil {
		return err
	}
	id := uuidText(w.UUID)
	tx.queue(upsertWebhook, nil, w.Region, id, w.Name, w.URL, string(filter), w.Active, w.Secret, w.OldSecret, w.OldSecretUntil,
		w.Cursor, w.Version, w.CreatedAt, w.UpdatedAt)
	if w.Version > 1 {
		tx.queue(restartDeliveries, nil, w.Region, id)
	}
	return nil
}

// DeleteWebhook queues that a webhook is gone. What it has yet to be told goes in the background.
func (tx *Tx) DeleteWebhook(w Webhook) { tx.queue(hideWebhook, nil, w.Region, uuidText(w.UUID)) }

func scanWebhook(r pgx.Rows) (w Webhook, err error) {
	var id, filter string
	var rest float64
	err = r.Scan(&w.Region, &id, &w.Name, &w.URL, &filter, &w.Active, &w.Secret, &w.OldSecret, &w.OldSecretUntil, &w.Cursor,
		&w.Version, &w.CreatedAt, &w.UpdatedAt, &w.Failures, &w.FailingSince, &w.NextAttemptAt, &w.SwitchedOff, &rest)
	if err != nil {
		return w, err
	}
	inUTC(&w.Stamp)
	w.Rest = time.Duration(rest * float64(time.Second))
	for _, at := range []*time.Time{w.OldSecretUntil, w.FailingSince, w.NextAttemptAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	if w.UUID, err = parseUUID(id); err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(filter), &w.Filter)
}
