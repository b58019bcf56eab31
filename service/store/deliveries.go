package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Statuses of a delivery.
const (
	DeliveryPending   = "pending"
	DeliveryDelivered = "delivered"
	DeliveryParked    = "parked" // given up, until somebody asks for it again
)

// Delivery is an entry of the feed on its way to a webhook.
type Delivery struct {
	UUID [16]byte
	// Kind is the type of the CloudEvent.
	Kind string
	// Subject is what order is kept within: what has the same is delivered by sequence.
	Subject  string
	Sequence int64
	Payload  string
	Status   string
	Attempts int64
	// TriedFrom is the time from which giving up is counted.
	TriedFrom     time.Time
	NextAttemptAt time.Time
	LastStatus    int64 // the HTTP status of the last attempt; 0: there was no answer
	LastError     string
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

const deliveryColumns = `d.id::text, d.kind, d.subject, d.sequence, d.payload, d.status, d.attempts, d.tried_from, d.next_attempt_at,
       coalesce(d.last_status, 0), coalesce(d.last_error, ''), d.created_at, d.updated_at`

// Newest first.
var listDeliveries = define("list_deliveries", `
SELECT `+deliveryColumns+`
  FROM webhook_deliveries AS d
 WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid AND (d.created_at, d.id) < ($3, $4::uuid)
 ORDER BY d.created_at DESC, d.id DESC LIMIT $5`, text, text, moment, text, bigint)

var listDeliveriesOfStatus = define("list_deliveries_of_status", `
SELECT `+deliveryColumns+`
  FROM webhook_deliveries AS d
 WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid AND d.status = $6 AND (d.created_at, d.id) < ($3, $4::uuid)
 ORDER BY d.created_at DESC, d.id DESC LIMIT $5`, text, text, moment, text, bigint, text)

var redeliver = define("redeliver", `
UPDATE webhook_deliveries AS d
   SET status = 'pending', attempts = 0, tried_from = now(), next_attempt_at = now(), updated_at = now()
 WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid AND d.id = $3::uuid
RETURNING `+deliveryColumns, text, text, text)

// An endpoint that fails is tried again at once.
var hurryWebhook = define("hurry_webhook", `
UPDATE webhooks SET next_attempt_at = NULL WHERE region = $1::crdb_internal_region AND id = $2::uuid`, text, text)

// DeliveryFilter selects deliveries of a webhook, newest first.
type DeliveryFilter struct {
	Region   string
	Webhook  [16]byte
	Status   string    // "": any
	Before   time.Time // not included, but for those of that moment with an id below BeforeID
	BeforeID [16]byte
	Limit    int
}

// Deliveries lists what a webhook was told and has yet to be told.
func (s *Store) Deliveries(ctx context.Context, f DeliveryFilter) (items []Delivery, err error) {
	st := listDeliveries
	args := []any{f.Region, uuidText(f.Webhook), f.Before, uuidText(f.BeforeID), int64(f.Limit)}
	if f.Status != "" {
		st, args = listDeliveriesOfStatus, append(args, f.Status)
	}
	err = s.read(ctx, st, func(r pgx.Rows) error {
		d, err := scanDelivery(r)
		items = append(items, d)
		return err
	}, args...)
	return items, err
}

// Redeliver makes a delivery pending again, whatever became of it. Errors: ErrNotFound.
func (tx *Tx) Redeliver(ctx context.Context, w Webhook, id [16]byte) (d Delivery, err error) {
	found := false
	tx.queue(redeliver, func(r pgx.Rows) (err error) {
		found = true
		d, err = scanDelivery(r)
		return err
	}, w.Region, uuidText(w.UUID), uuidText(id))
	tx.queue(hurryWebhook, nil, w.Region, uuidText(w.UUID))
	return d, foundOr(found, tx.Run(ctx))
}

func scanDelivery(r pgx.Rows) (d Delivery, err error) {
	var id string
	err = r.Scan(&id, &d.Kind, &d.Subject, &d.Sequence, &d.Payload, &d.Status, &d.Attempts, &d.TriedFrom, &d.NextAttemptAt,
		&d.LastStatus, &d.LastError, &d.CreatedAt, &d.UpdatedAt)
	if err != nil {
		return d, err
	}
	for _, at := range []*time.Time{&d.TriedFrom, &d.NextAttemptAt, &d.CreatedAt, &d.UpdatedAt} {
		*at = at.UTC()
	}
	d.UUID, err = parseUUID(id)
	return d, err
}
