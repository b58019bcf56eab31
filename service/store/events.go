package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

const eventColumns = `e.region::text, e.sku, e.location, e.version, e.kind,
       e.on_hand_delta, e.held_delta, e.allocated_delta, e.quarantined_delta, e.incoming_delta, e.shortfall_delta,
       e.on_hand, e.held, e.allocated, e.quarantined, e.incoming, e.shortfall,
       e.movement_home::text, e.movement_id::text, coalesce(e.reservation_home::text, ''), coalesce(e.reservation_id::text, ''),
       coalesce(e.transfer_home::text, ''), coalesce(e.transfer_id::text, ''),
       coalesce(e.unit_cost::text, ''), coalesce(e.currency, ''), coalesce(e.reason, ''), coalesce(e.reference, ''),
       coalesce(e.channel, ''), e.actor, e.effective_at, e.recorded_at, e.hash`

var listEvents = define("list_events", `
SELECT `+eventColumns+`
  FROM stock_events AS e
 WHERE e.region = $1::crdb_internal_region AND e.sku = $2 AND e.location = $3 AND e.version > $4
 ORDER BY e.version LIMIT $5`, text, text, text, bigint, bigint)

// Events lists a stock level's events after a version, in the order of their versions.
func (s *Store) Events(ctx context.Context, key inventory.LevelKey, after int64, limit int) (items []inventory.Event, err error) {
	err = s.read(ctx, listEvents, func(r pgx.Rows) error {
		e, err := scanEvent(r)
		items = append(items, e)
		return err
	}, key.Region, key.SKU, key.Location, after, int64(limit))
	return items, err
}

func scanEvent(r pgx.Rows) (inventory.Event, error) {
	var row eventRow
	if err := r.Scan(row.columns()...); err != nil {
		return row.e, err
	}
	return row.event()
}

// eventRow takes the columns of an event as they come.
type eventRow struct {
	e                                                              inventory.Event
	movement, reservationHome, reservation, transferHome, transfer string
	cost                                                           inventory.Money
}

// columns are where to scan eventColumns.
func (row *eventRow) columns() []any {
	e := &row.e
	d, b, m := &e.Deltas, &e.Balances, &e.Meta
	return []any{
		&e.Key.Region, &e.Key.SKU, &e.Key.Location, &e.Version, &e.Kind,
		&d.OnHand, &d.Held, &d.Allocated, &d.Quarantined, &d.Incoming, &d.Shortfall,
		&b.OnHand, &b.Held, &b.Allocated, &b.Quarantined, &b.Incoming, &b.Shortfall,
		&e.Command.Region, &row.movement, &row.reservationHome, &row.reservation, &row.transferHome, &row.transfer,
		&row.cost.Amount, &row.cost.Currency, &m.Reason, &m.Reference, &m.Channel, &m.Actor, &m.EffectiveAt, &e.RecordedAt, (*hashColumn)(&e.Hash),
	}
}

// event puts together what was scanned; the row may take the next one then.
func (row *eventRow) event() (e inventory.Event, err error) {
	e = row.e
	e.Meta.EffectiveAt, e.RecordedAt = e.Meta.EffectiveAt.UTC(), e.RecordedAt.UTC()
	if cost := row.cost; cost.Amount != "" {
		e.UnitCost = &cost
	}
	if e.Reservation, err = orNone(row.reservationHome, row.reservation); err != nil {
		return e, err
	}
	if e.Transfer, err = orNone(row.transferHome, row.transfer); err != nil {
		return e, err
	}
	e.Command.UUID, err = parseUUID(row.movement)
	return e, err
}

// orNone is an id that may not be there.
func orNone(region, uuid string) (*inventory.ID, error) {
	if uuid == "" {
		return nil, nil
	}
	u, err := parseUUID(uuid)
	return &inventory.ID{Region: region, UUID: u}, err
}
