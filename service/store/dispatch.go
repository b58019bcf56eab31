package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// What the one dispatcher of webhooks does. Each write is fenced: it takes effect only while the
// lease that it is done under is still the dispatcher's.

var moveWebhook = define("move_webhook", `
UPDATE webhooks SET cursor = $4
 WHERE region = $1::crdb_internal_region AND id = $2::uuid AND cursor = $3 AND active AND deleted_at IS NULL
RETURNING 1`, text, text, text, text)

// The feed gives an entry at least once; it becomes one delivery.
var insertDeliveries = define("insert_deliveries", `
INSERT INTO webhook_deliveries
       (region, webhook, id, kind, subject, sequence, payload, status, attempts, tried_from, next_attempt_at, created_at, updated_at)
SELECT $1::crdb_internal_region, $2::uuid, k.id::uuid, k.kind, k.subject, k.sequence, k.payload, 'pending', 0, now(), now(), now(), now()
  FROM unnest($3, $4, $5, $6, $7) AS k(id, kind, subject, sequence, payload)
    ON CONFLICT (region, webhook, id) DO NOTHING`, text, text, texts, texts, texts, ints, texts)

var countPending = define("count_pending_deliveries", `
SELECT count(*), coalesce(extract(epoch FROM now() - min(d.created_at)), 0)::float
  FROM webhook_deliveries AS d
 WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid AND d.status = 'pending'`, text, text)

const headsOfSubjects = `
SELECT DISTINCT ON (p.subject) p.subject, p.next_attempt_at
  FROM webhook_deliveries AS p
 WHERE p.region = $1::crdb_internal_region AND p.webhook = $2::uuid AND p.status = 'pending'
 ORDER BY p.subject, p.sequence, p.id`

// Of each subject whose first delivery is due, the first $5 that wait, in order: one of which many wait
// leaves others their turn. With $3, due or not.
var selectDue = define("due_deliveries", `
SELECT now(), `+deliveryColumns+`
  FROM (SELECT p.*, row_number() OVER of_subject AS nth, first_value(p.next_attempt_at) OVER of_subject AS due_at
          FROM webhook_deliveries AS p
         WHERE p.region = $1::crdb_internal_region AND p.webhook = $2::uuid AND p.status = 'pending'
        WINDOW of_subject AS (PARTITION BY p.subject ORDER BY p.sequence, p.id)) AS d
 WHERE d.nth <= $5 AND ($3 OR d.due_at <= now())
 ORDER BY d.due_at, d.subject, d.sequence, d.id LIMIT $4`, text, text, flag, bigint, bigint)

var selectNextDue = define("next_due_delivery", `
SELECT extract(epoch FROM min(h.next_attempt_at) - now())::float FROM (`+headsOfSubjects+`) AS h`, text, text)

// What was asked for again meanwhile begins anew: an attempt from before says nothing of it.
var recordAttempts = define("record_attempts", `
UPDATE webhook_deliveries AS d
   SET status = k.outcome, attempts = d.attempts + 1, next_attempt_at = now() + k.pause * '1 microsecond'::interval,
       last_status = nullif(k.code, 0), last_error = nullif(k.error, ''), updated_at = now()
  FROM unnest($3, $4, $5, $6, $7, $8) AS k(id, since, outcome, pause, code, error)
 WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid AND d.id = k.id::uuid AND d.tried_from = k.since AND d.status = 'pending'`,
	text, text, texts, times, texts, ints, ints, texts)

var parkOverdue = define("park_overdue_deliveries", `
UPDATE webhook_deliveries
   SET status = 'parked', last_error = coalesce(last_error, $4), updated_at = now()
 WHERE region = $1::crdb_internal_region AND webhook = $2::uuid AND status = 'pending' AND tried_from <= now() - $3 * '1 microsecond'::interval
RETURNING 1`, text, text, bigint, text)

// The first of a subject that was refused the longest ago, with what the endpoint says of it.
var parkRefused = define("park_refused_deliveries", `
UPDATE webhook_deliveries AS d
   SET status = 'parked', last_error = coalesce(d.last_error, '') || $5, updated_at = now()
 WHERE d.region = $1::crdb_internal_region AND d.webhook = $2::uuid AND d.status = 'pending' AND d.id IN (
       SELECT h.id
         FROM (SELECT DISTINCT ON (p.subject) p.subject, p.id, p.last_status, p.tried_from
                 FROM webhook_deliveries AS p
                WHERE p.region = $1::crdb_internal_region AND p.webhook = $2::uuid AND p.status = 'pending'
                ORDER BY p.subject, p.sequence, p.id) AS h
        WHERE h.last_status = ANY ($3) ORDER BY h.tried_from, h.id LIMIT $4)
RETURNING 1`, text, text, ints, bigint, text)

// A webhook that was put meanwhile begins anew.
var recordHealth = define("record_webhook_health", `
UPDATE webhooks
   SET failures = $3, failing_since = CASE WHEN $3 = 0 THEN NULL ELSE coalesce(failing_since, now()) END,
       next_attempt_at = CASE WHEN $4 = 0 THEN NULL ELSE now() + $4 * '1 microsecond'::interval END
 WHERE region = $1::crdb_internal_region AND id = $2::uuid AND version = $5`, text, text, bigint, bigint, bigint)

// A webhook that was put meanwhile stays on.
var switchOff = define("switch_off_webhook", `
UPDATE webhooks
   SET active = false, switched_off = $4, cursor = CASE WHEN $5 THEN '' ELSE cursor END, version = version + 1, updated_at = now()
 WHERE region = $1::crdb_internal_region AND id = $2::uuid AND version = $3 AND active
RETURNING 1`, text, text, bigint, text, flag)

// held runs fn in a transaction if the lease is still good; ok says whether it was.
func (s *Store) held(ctx context.Context, lease Lease, fn func(context.Context, *Tx) error) (ok bool, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		held := tx.queueLeases([]Lease{lease})
		if err := tx.Run(ctx); err != nil {
			return err
		}
		if ok = held[lease]; !ok {
			tx.Nothing()
			return nil
		}
		return fn(ctx, tx)
	})
	return ok && err == nil, err
}

// Materialise moves a webhook's place in the feed on and adds what lies between, or does neither:
// ok says which. It is not, where the lease is another's or the webhook was changed meanwhile.
func (s *Store) Materialise(ctx context.Context, lease Lease, w Webhook, to string, ds []Delivery) (ok bool, err error) {
	moved := false
	ok, err = s.held(ctx, lease, func(ctx context.Context, tx *Tx) error {
		moved = false
		id := uuidText(w.UUID)
		tx.queue(moveWebhook, func(pgx.Rows) error { moved = true; return nil }, w.Region, id, w.Cursor, to)
		if err := tx.Run(ctx); err != nil {
			return err
		}
		if !moved {
			tx.Nothing()
			return nil
		}
		if len(ds) > 0 {
			tx.queue(insertDeliveries, nil, w.Region, id,
				column(ds, func(d *Delivery) string { return uuidText(d.UUID) }),
				column(ds, func(d *Delivery) string { return d.Kind }),
				column(ds, func(d *Delivery) string { return d.Subject }),
				column(ds, func(d *Delivery) int64 { return d.Sequence }),
				column(ds, func(d *Delivery) string { return d.Payload }))
		}
		return nil
	})
	return ok && moved, err
}

// PendingDeliveries is how many deliveries a webhook waits for, and how old the oldest is.
func (s *Store) PendingDeliveries(ctx context.Context, w Webhook) (n int64, age time.Duration, err error) {
	err = s.read(ctx, countPending, func(r pgx.Rows) error {
		var seconds float64
		err := r.Scan(&n, &seconds)
		age = time.Duration(seconds * float64(time.Second))
		return err
	}, w.Region, uuidText(w.UUID))
	return n, age, err
}

// DueDeliveries gives deliveries that are due, up to limit, the first each of a subject in order, and the
// database's time. With probe, the one that is due first, even if it isn't yet.
func (s *Store) DueDeliveries(ctx context.Context, w Webhook, probe bool, limit, each int) (due []Delivery, now time.Time, err error) {
	err = s.read(ctx, selectDue, func(r pgx.Rows) error {
		d, err := scanDelivery(after{r, &now})
		due = append(due, d)
		return err
	}, w.Region, uuidText(w.UUID), probe, int64(limit), int64(each))
	return due, now.UTC(), err
}

// after scans a row's first column by itself.
type after struct {
	pgx.Rows
	first any
}

// Scan implements pgx.Rows.
func (a after) Scan(rest ...any) error { return a.Rows.Scan(append([]any{a.first}, rest...)...) }

// ParkRefused parks, under a lease, up to limit of the deliveries that hold up their subjects because they
// were refused with one of some statuses. ok is false where the lease is another's.
func (s *Store) ParkRefused(ctx context.Context, lease Lease, w Webhook, statuses []int64, limit int, why string) (parked int, ok bool, err error) {
	ok, err = s.held(ctx, lease, func(_ context.Context, tx *Tx) error {
		parked = 0
		tx.queue(parkRefused, func(pgx.Rows) error { parked++; return nil }, w.Region, uuidText(w.UUID), statuses, int64(limit), why)
		return nil
	})
	return parked, ok, err
}

// NextDue is how long it is until the next delivery is due; ok says that there is one.
func (s *Store) NextDue(ctx context.Context, w Webhook) (pause time.Duration, ok bool, err error) {
	err = s.read(ctx, selectNextDue, func(r pgx.Rows) error {
		var seconds *float64
		err := r.Scan(&seconds)
		if ok = seconds != nil; ok {
			pause = time.Duration(*seconds * float64(time.Second))
		}
		return err
	}, w.Region, uuidText(w.UUID))
	return pause, ok, err
}

// Attempt is what came of an attempt to deliver.
type Attempt struct {
	UUID      [16]byte
	TriedFrom time.Time // of the delivery, when the attempt began
	Status    string    // of the delivery from now on
	Pause     time.Duration
	Code      int64 // the HTTP status; 0: there was no answer
	Error     string
}

// Round is what came of several attempts at a webhook.
type Round struct {
	Attempts []Attempt
	// Failures is how often in a row the endpoint as a whole has failed, and Pause how long it is
	// left alone.
	Failures int64
	Pause    time.Duration
	// Overdue, where it isn't 0, parks what has waited for longer, with a reason.
	Overdue       time.Duration
	OverdueReason string
	// SwitchOff is why the webhook is to be inactive from now on; "": it isn't.
	SwitchOff string
}

// RecordRound writes what came of a round; ok is false where the lease is another's. parked is how
// many deliveries it parked for having waited too long.
func (s *Store) RecordRound(ctx context.Context, lease Lease, w Webhook, round Round) (parked int, ok bool, err error) {
	ok, err = s.held(ctx, lease, func(_ context.Context, tx *Tx) error {
		parked = 0
		id := uuidText(w.UUID)
		if len(round.Attempts) > 0 {
			tx.queue(recordAttempts, nil, w.Region, id,
				column(round.Attempts, func(a *Attempt) string { return uuidText(a.UUID) }),
				column(round.Attempts, func(a *Attempt) time.Time { return a.TriedFrom }),
				column(round.Attempts, func(a *Attempt) string { return a.Status }),
				column(round.Attempts, func(a *Attempt) int64 { return a.Pause.Microseconds() }),
				column(round.Attempts, func(a *Attempt) int64 { return a.Code }),
				column(round.Attempts, func(a *Attempt) string { return a.Error }))
		}
		if round.Overdue > 0 {
			tx.queue(parkOverdue, func(pgx.Rows) error { parked++; return nil }, w.Region, id, round.Overdue.Microseconds(), round.OverdueReason)
		}
		if round.Failures != w.Failures || round.Pause > 0 || w.NextAttemptAt != nil {
			tx.queue(recordHealth, nil, w.Region, id, round.Failures, round.Pause.Microseconds(), w.Version)
		}
		if round.SwitchOff != "" {
			tx.queue(switchOff, nil, w.Region, id, w.Version, round.SwitchOff, false)
		}
		return nil
	})
	return parked, ok, err
}

// LoseWebhook makes a webhook inactive whose place in the feed is no place of this database's.
func (s *Store) LoseWebhook(ctx context.Context, lease Lease, w Webhook, why string) (ok bool, err error) {
	return s.held(ctx, lease, func(_ context.Context, tx *Tx) error {
		tx.queue(switchOff, nil, w.Region, uuidText(w.UUID), w.Version, why, true)
		return nil
	})
}
