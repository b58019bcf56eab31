package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// A reservation and its lines in one statement, so that both are of one moment.
const reservationColumns = `r.region::text, r.id::text, r.status, coalesce(r.order_reference, ''), coalesce(r.channel, ''),
       r.expires_at, r.version, r.created_at, r.updated_at, now(),
       l.region::text, l.line, l.location, l.sku, l.quantity, l.held, l.allocated, l.fulfilled, l.released, l.expired`

var selectReservation = define("reservation", `
SELECT `+reservationColumns+`
  FROM reservations AS r
  JOIN unnest($3) AS k(region) ON true
  JOIN reservation_lines AS l ON l.region = k.region::crdb_internal_region AND l.reservation_id = r.id
 WHERE r.region = $1::crdb_internal_region AND r.id = $2::uuid
 ORDER BY l.line`, text, text, texts)

// Lists join the lines in the home region; of those reservations that span regions, the few there
// are, the rest is read by id.
func defineReservationList(name, where, order string, types ...uint32) *statement {
	return define(name, `
SELECT `+reservationColumns+`
  FROM (SELECT * FROM reservations AS r
         WHERE r.region = $1::crdb_internal_region AND `+where+`
           AND ($2 = '' OR EXISTS (SELECT 1 FROM reservation_lines AS a
                 WHERE a.region = $3::crdb_internal_region AND a.reservation_id = r.id AND a.location = $2))
         ORDER BY `+order+` LIMIT $4) AS r
  JOIN reservation_lines AS l ON l.region = r.region AND l.reservation_id = r.id
 ORDER BY `+order+`, l.line`, append([]uint32{text, text, text, bigint}, types...)...)
}

const statusNow = `CASE WHEN r.status = 'held' AND r.expires_at <= now() THEN 'expired' ELSE r.status END`

var (
	listReservations = defineReservationList("list_reservations",
		`r.id > $5::uuid AND ($6 = '' OR `+statusNow+` = $6)`, "r.id", text, text)
	listReservationsOfOrder = defineReservationList("list_reservations_of_order",
		`r.id > $5::uuid AND ($6 = '' OR `+statusNow+` = $6) AND r.order_reference = $7`, "r.id", text, text, text)
	listHeldReservations = defineReservationList("list_held_reservations",
		`r.status = 'held' AND r.expires_at > now() AND (r.expires_at, r.id) > ($5, $6::uuid)`, "r.expires_at, r.id", moment, text)
	listAllocatedReservations = defineReservationList("list_allocated_reservations",
		`r.status = 'allocated' AND (r.expires_at, r.id) > ($5, $6::uuid)`, "r.expires_at, r.id", moment, text)
)

var selectLapsedReservations = define("lapsed_reservations", `
SELECT r.region::text, r.id::text, r.expires_at, now()
  FROM reservations AS r
 WHERE r.region = $1::crdb_internal_region AND r.status = 'held' AND r.expires_at <= now()
 ORDER BY r.expires_at, r.id LIMIT $2`, text, bigint)

// FoundReservation is a reservation with its lines, in order, and the moment it speaks of.
type FoundReservation struct {
	inventory.Reservation
	Lines []inventory.Line
	AsOf  time.Time
}

// Reservation gives a reservation. Errors: ErrNotFound.
func (s *Store) Reservation(ctx context.Context, id inventory.ID) (FoundReservation, error) {
	in := []string{id.Region}
	if id.Spans() {
		in = s.regions
	}
	var found []FoundReservation
	err := s.read(ctx, selectReservation, scanReservationLines(&found), id.Region, uuidText(id.UUID), in)
	if err != nil || len(found) == 0 {
		return FoundReservation{}, foundOr(false, err)
	}
	return found[0], nil
}

// ReservationFilter selects reservations of one home region for a list.
type ReservationFilter struct {
	Region         string
	Status         inventory.Status
	OrderReference string
	Location       string
	LocationRegion string // where Location is
	AfterID        inventory.ID
	AfterExpiry    time.Time // used for the open statuses, whose lists are in the order of expiry
	Limit          int
}

// Reservations lists reservations of one home region: held and allocated ones in the order of
// their expiry, others by id.
func (s *Store) Reservations(ctx context.Context, f ReservationFilter) (found []FoundReservation, err error) {
	region := f.LocationRegion
	if region == "" {
		region = f.Region
	}
	args := []any{f.Region, f.Location, region, int64(f.Limit)}
	after := uuidText(f.AfterID.UUID)
	st := listReservations
	switch {
	case f.OrderReference != "":
		st, args = listReservationsOfOrder, append(args, after, string(f.Status), f.OrderReference)
	case f.Status == inventory.StatusHeld:
		st, args = listHeldReservations, append(args, f.AfterExpiry, after)
	case f.Status == inventory.StatusAllocated:
		st, args = listAllocatedReservations, append(args, f.AfterExpiry, after)
	default:
		args = append(args, after, string(f.Status))
	}
	if err := s.read(ctx, st, scanReservationLines(&found), args...); err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].ID.Spans() {
			if found[i], err = s.Reservation(ctx, found[i].ID); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// LapsedReservations gives the ids of holds of a home region that are over and not yet tidied
// away, longest over first, and how long the first one has been.
func (s *Store) LapsedReservations(ctx context.Context, region string, limit int) (ids []inventory.ID, lag time.Duration, err error) {
	err = s.read(ctx, selectLapsedReservations, func(r pgx.Rows) error {
		var id inventory.ID
		var uuid string
		var expired, now time.Time
		if err := r.Scan(&id.Region, &uuid, &expired, &now); err != nil {
			return err
		}
		lag = max(lag, now.Sub(expired))
		var err error
		id.UUID, err = parseUUID(uuid)
		ids = append(ids, id)
		return err
	}, region, int64(limit))
	return ids, lag, err
}

func scanReservationLines(into *[]FoundReservation) func(pgx.Rows) error {
	*into = nil
	return func(r pgx.Rows) error {
		var v FoundReservation
		var id string
		var l inventory.Line
		err := r.Scan(&v.ID.Region, &id, &v.Status, &v.OrderReference, &v.Channel, &v.ExpiresAt, &v.Version, &v.CreatedAt, &v.UpdatedAt, &v.AsOf,
			&l.Level.Region, &l.Number, &l.Level.Location, &l.Level.SKU,
			&l.Quantity, &l.Held, &l.Allocated, &l.Fulfilled, &l.Released, &l.Expired)
		if err != nil {
			return err
		}
		if v.ID.UUID, err = parseUUID(id); err != nil {
			return err
		}
		v.ExpiresAt, v.CreatedAt, v.UpdatedAt, v.AsOf = v.ExpiresAt.UTC(), v.CreatedAt.UTC(), v.UpdatedAt.UTC(), v.AsOf.UTC()
		if n := len(*into); n == 0 || (*into)[n-1].ID != v.ID {
			*into = append(*into, v)
		}
		last := &(*into)[len(*into)-1]
		last.Lines = append(last.Lines, l)
		return nil
	}
}
