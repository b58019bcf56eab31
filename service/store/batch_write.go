package store

import (
	"time"

	"github.com/google/uuid"

	"stockyard/service/inventory"
)

var updateLevels = define("update_levels", `
UPDATE stock_levels AS l
   SET on_hand = k.on_hand, held = k.held, allocated = k.allocated, quarantined = k.quarantined,
       incoming = k.incoming, shortfall = k.shortfall, version = k.version, updated_at = $11, head = k.new_head
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12)
       AS k(region, sku, location, on_hand, held, allocated, quarantined, incoming, shortfall, version, new_head)
 WHERE l.region = k.region::crdb_internal_region AND l.sku = k.sku AND l.location = k.location`,
	texts, texts, texts, ints, ints, ints, ints, ints, ints, ints, moment, blobs)

// CockroachDB joins a table of some dozens of rows by reading all of it, which locks rows that nobody
// named, and waits for whoever has written to one. A row that is alone needs no join.
var updateLevel = defineOn(cockroachdb, "update_level", `
UPDATE stock_levels AS l
   SET on_hand = $4, held = $5, allocated = $6, quarantined = $7, incoming = $8, shortfall = $9, version = $10, updated_at = $11, head = $12
 WHERE l.region = $1::crdb_internal_region AND l.sku = $2 AND l.location = $3`,
	text, text, text, bigint, bigint, bigint, bigint, bigint, bigint, bigint, moment, blob)

var insertLevels = define("insert_levels", `
INSERT INTO stock_levels (region, sku, location, on_hand, held, allocated, quarantined, incoming, shortfall, version, updated_at, head)
SELECT k.region::crdb_internal_region, k.sku, k.location,
       k.on_hand, k.held, k.allocated, k.quarantined, k.incoming, k.shortfall, k.version, $11, k.new_head
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12)
       AS k(region, sku, location, on_hand, held, allocated, quarantined, incoming, shortfall, version, new_head)`,
	texts, texts, texts, ints, ints, ints, ints, ints, ints, ints, moment, blobs)

const insertEventsSQL = `
INSERT INTO stock_events (region, sku, location, version, kind,
       on_hand_delta, held_delta, allocated_delta, quarantined_delta, incoming_delta, shortfall_delta,
       on_hand, held, allocated, quarantined, incoming, shortfall,
       movement_home, movement_id, reservation_home, reservation_id, transfer_home, transfer_id,
       unit_cost, currency, reason, reference, channel, actor, effective_at, recorded_at, hash)
SELECT k.region::crdb_internal_region, k.sku, k.location, k.version, k.kind,
       k.d1, k.d2, k.d3, k.d4, k.d5, k.d6, k.b1, k.b2, k.b3, k.b4, k.b5, k.b6,
       k.movement_home::crdb_internal_region, k.movement_id::uuid,
       nullif(k.reservation_home, '')::crdb_internal_region, nullif(k.reservation_id, '')::uuid,
       nullif(k.transfer_home, '')::crdb_internal_region, nullif(k.transfer_id, '')::uuid,
       nullif(k.unit_cost, '')::decimal, nullif(k.currency, ''), nullif(k.reason, ''), nullif(k.reference, ''),
       nullif(k.channel, ''), k.actor, k.effective_at, $31, k.hash
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
              $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $32)
       AS k(region, sku, location, version, kind, d1, d2, d3, d4, d5, d6, b1, b2, b3, b4, b5, b6,
            movement_home, movement_id, reservation_home, reservation_id, transfer_home, transfer_id,
            unit_cost, currency, reason, reference, channel, actor, effective_at, hash)`

var eventTypes = []uint32{
	texts, texts, texts, ints, texts, ints, ints, ints, ints, ints, ints, ints, ints, ints, ints, ints, ints,
	texts, texts, texts, texts, texts, texts, texts, texts, texts, texts, texts, texts, times, moment, blobs,
}

// On PostgreSQL it gives their place in the feed.
var (
	insertEvents       = defineOn(cockroachdb, "insert_events", insertEventsSQL, eventTypes...)
	insertPlacedEvents = defineOn(postgresql, "insert_events", insertEventsSQL+` RETURNING tx`, eventTypes...)
)

var insertReservations = define("insert_reservations", `
INSERT INTO reservations (region, id, status, order_reference, channel, expires_at, version, created_at, updated_at)
SELECT k.region::crdb_internal_region, k.id::uuid, k.status, nullif(k.order_reference, ''), nullif(k.channel, ''),
       k.expires_at, k.version, k.created_at, k.updated_at
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
       AS k(region, id, status, order_reference, channel, expires_at, version, created_at, updated_at)`,
	texts, texts, texts, texts, texts, times, ints, times, times)

// The new values have names of their own: on a table with partial indexes CockroachDB v21.1 takes
// those of the table's columns for ambiguous.
var updateReservations = define("update_reservations", `
UPDATE reservations AS r
   SET status = k.new_status, expires_at = k.new_expires_at, version = k.new_version, updated_at = k.new_updated_at
  FROM unnest($1, $2, $3, $4, $5, $6) AS k(region, id, new_status, new_expires_at, new_version, new_updated_at)
 WHERE r.region = k.region::crdb_internal_region AND r.id = k.id::uuid`,
	texts, texts, texts, times, ints, times)

var insertLines = define("insert_lines", `
INSERT INTO reservation_lines (region, reservation_id, line, home, location, sku,
       quantity, held, allocated, fulfilled, released, expired, expires_at)
SELECT k.region::crdb_internal_region, k.id::uuid, k.line, k.home::crdb_internal_region, k.location, k.sku,
       k.quantity, k.held, k.allocated, k.fulfilled, k.released, k.expired, k.expires_at
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       AS k(region, id, line, home, location, sku, quantity, held, allocated, fulfilled, released, expired, expires_at)`,
	texts, texts, ints, texts, texts, texts, ints, ints, ints, ints, ints, ints, times)

var updateLines = define("update_lines", `
UPDATE reservation_lines AS r
   SET held = k.new_held, allocated = k.new_allocated, fulfilled = k.new_fulfilled, released = k.new_released,
       expired = k.new_expired, expires_at = k.new_expires_at
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
       AS k(region, id, line, new_held, new_allocated, new_fulfilled, new_released, new_expired, new_expires_at)
 WHERE r.region = k.region::crdb_internal_region AND r.reservation_id = k.id::uuid AND r.line = k.line`,
	texts, texts, ints, ints, ints, ints, ints, ints, times)

// WriteBatch queues everything a batch changes, one statement a table; it goes out with the commit.
func (tx *Tx) WriteBatch(c *inventory.Changes, commands []Recorded) {
	if len(c.Levels) > 0 {
		tx.updateLevels(c.Levels)
	}
	if len(c.NewLevels) > 0 {
		tx.queue(insertLevels, nil, levelRows(c.NewLevels)...)
	}
	if len(c.Events) > 0 {
		tx.queueEvents(c.Events)
	}
	if len(c.NewReservations) > 0 {
		tx.queue(insertReservations, nil, newReservationRows(c.NewReservations)...)
	}
	if len(c.Reservations) > 0 {
		tx.queue(updateReservations, nil, reservationRows(c.Reservations)...)
	}
	if len(c.NewLines) > 0 {
		tx.queue(insertLines, nil, newLineRows(c.NewLines)...)
	}
	if len(c.Lines) > 0 {
		tx.queue(updateLines, nil, lineRows(c.Lines)...)
	}
	tx.writeTransfers(c)
	if len(commands) > 0 {
		tx.queue(insertCommands, nil, commandRows(commands)...)
	}
}

func (tx *Tx) updateLevels(ls []inventory.Level) {
	if !tx.store.dialect.cockroach || len(ls) > 1 {
		tx.queue(updateLevels, nil, levelRows(ls)...)
		return
	}
	l := ls[0]
	tx.queue(updateLevel, nil, l.Key.Region, l.Key.SKU, l.Key.Location,
		l.OnHand, l.Held, l.Allocated, l.Quarantined, l.Incoming, l.Shortfall, l.Version, l.UpdatedAt, l.Head[:])
}

func levelRows(ls []inventory.Level) []any {
	type row = inventory.Level
	return []any{
		column(ls, func(l *row) string { return l.Key.Region }),
		column(ls, func(l *row) string { return l.Key.SKU }),
		column(ls, func(l *row) string { return l.Key.Location }),
		column(ls, func(l *row) int64 { return l.OnHand }),
		column(ls, func(l *row) int64 { return l.Held }),
		column(ls, func(l *row) int64 { return l.Allocated }),
		column(ls, func(l *row) int64 { return l.Quarantined }),
		column(ls, func(l *row) int64 { return l.Incoming }),
		column(ls, func(l *row) int64 { return l.Shortfall }),
		column(ls, func(l *row) int64 { return l.Version }),
		ls[0].UpdatedAt, // one batch, one time
		column(ls, func(l *row) []byte { return l.Head[:] }),
	}
}

func eventRows(es []inventory.Event) []any {
	type row = inventory.Event
	return []any{
		column(es, func(e *row) string { return e.Key.Region }),
		column(es, func(e *row) string { return e.Key.SKU }),
		column(es, func(e *row) string { return e.Key.Location }),
		column(es, func(e *row) int64 { return e.Version }),
		column(es, func(e *row) string { return string(e.Kind) }),
		column(es, func(e *row) int64 { return e.Deltas.OnHand }),
		column(es, func(e *row) int64 { return e.Deltas.Held }),
		column(es, func(e *row) int64 { return e.Deltas.Allocated }),
		column(es, func(e *row) int64 { return e.Deltas.Quarantined }),
		column(es, func(e *row) int64 { return e.Deltas.Incoming }),
		column(es, func(e *row) int64 { return e.Deltas.Shortfall }),
		column(es, func(e *row) int64 { return e.Balances.OnHand }),
		column(es, func(e *row) int64 { return e.Balances.Held }),
		column(es, func(e *row) int64 { return e.Balances.Allocated }),
		column(es, func(e *row) int64 { return e.Balances.Quarantined }),
		column(es, func(e *row) int64 { return e.Balances.Incoming }),
		column(es, func(e *row) int64 { return e.Balances.Shortfall }),
		column(es, func(e *row) string { return e.Command.Region }),
		column(es, func(e *row) [16]byte { return e.Command.UUID }),
		column(es, func(e *row) string { return orEmpty(e.Reservation, regionOf) }),
		column(es, func(e *row) *inventory.ID { return e.Reservation }),
		column(es, func(e *row) string { return orEmpty(e.Transfer, regionOf) }),
		column(es, func(e *row) *inventory.ID { return e.Transfer }),
		column(es, func(e *row) string { return orEmpty(e.UnitCost, func(m inventory.Money) string { return m.Amount }) }),
		column(es, func(e *row) string { return orEmpty(e.UnitCost, func(m inventory.Money) string { return m.Currency }) }),
		column(es, func(e *row) string { return e.Meta.Reason }),
		column(es, func(e *row) string { return e.Meta.Reference }),
		column(es, func(e *row) string { return e.Meta.Channel }),
		column(es, func(e *row) string { return e.Meta.Actor }),
		column(es, func(e *row) time.Time { return e.Meta.EffectiveAt }),
		es[0].RecordedAt,
		column(es, func(e *row) []byte { return e.Hash[:] }),
	}
}

func orEmpty[T any](v *T, show func(T) string) string {
	if v == nil {
		return ""
	}
	return show(*v)
}

func regionOf(id inventory.ID) string { return id.Region }

func newReservationRows(rs []inventory.Reservation) []any {
	type row = inventory.Reservation
	return []any{
		column(rs, func(r *row) string { return r.ID.Region }),
		column(rs, func(r *row) [16]byte { return r.ID.UUID }),
		column(rs, func(r *row) string { return string(r.Status) }),
		column(rs, func(r *row) string { return r.OrderReference }),
		column(rs, func(r *row) string { return r.Channel }),
		column(rs, func(r *row) time.Time { return r.ExpiresAt }),
		column(rs, func(r *row) int64 { return r.Version }),
		column(rs, func(r *row) time.Time { return r.CreatedAt }),
		column(rs, func(r *row) time.Time { return r.UpdatedAt }),
	}
}

func reservationRows(rs []inventory.Reservation) []any {
	all := newReservationRows(rs)
	return []any{all[0], all[1], all[2], all[5], all[6], all[8]}
}

func newLineRows(ls []inventory.Line) []any {
	type row = inventory.Line
	return []any{
		column(ls, func(l *row) string { return l.Level.Region }),
		column(ls, func(l *row) [16]byte { return l.Reservation.UUID }),
		column(ls, func(l *row) int64 { return int64(l.Number) }),
		column(ls, func(l *row) string { return l.Reservation.Region }),
		column(ls, func(l *row) string { return l.Level.Location }),
		column(ls, func(l *row) string { return l.Level.SKU }),
		column(ls, func(l *row) int64 { return l.Quantity }),
		column(ls, func(l *row) int64 { return l.Held }),
		column(ls, func(l *row) int64 { return l.Allocated }),
		column(ls, func(l *row) int64 { return l.Fulfilled }),
		column(ls, func(l *row) int64 { return l.Released }),
		column(ls, func(l *row) int64 { return l.Expired }),
		column(ls, func(l *row) time.Time { return l.ExpiresAt }),
	}
}

func lineRows(ls []inventory.Line) []any {
	all := newLineRows(ls)
	return append(all[:3:3], all[7:]...)
}

func parseUUID(s string) ([16]byte, error) {
	u, err := uuid.Parse(s)
	return u, err
}
