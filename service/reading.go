package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Reservation gives a reservation and the moment it speaks of.
func (s *Service) Reservation(ctx context.Context, caller Caller, id string) (*inventory.ReservationAnswer, time.Time, error) {
	if err := s.may(caller, auth.GetReservation); err != nil {
		return nil, time.Time{}, err
	}
	of, err := s.idOf("reservation", id)
	if err != nil {
		return nil, time.Time{}, err
	}
	found, err := s.store.Reservation(ctx, of)
	if errors.Is(err, store.ErrNotFound) {
		return nil, time.Time{}, missing("reservation", id)
	}
	if err != nil {
		return nil, time.Time{}, fromStore(err, false)
	}
	if err := s.mayTouchAny(caller, auth.GetReservation, placesOf(found.Lines)); err != nil {
		return nil, time.Time{}, err
	}
	return describe(found), found.AsOf, nil
}

func placesOf(lines []inventory.Line) []auth.Place {
	places := make([]auth.Place, len(lines))
	for i, l := range lines {
		places[i] = placeOf(l.Level)
	}
	return places
}

func describe(f store.FoundReservation) *inventory.ReservationAnswer {
	return inventory.Describe(f.Reservation, f.Lines, f.AsOf)
}

// ReservationsQuery selects reservations; empty fields select all.
type ReservationsQuery struct {
	Status, OrderReference, Location, Region string
}

type reservationsCursor struct {
	ID      inventory.ID `json:"id"`
	Expires time.Time    `json:"expires"`
}

func (c *reservationsCursor) isOurs() bool { return !c.ID.IsZero() && !c.Expires.IsZero() }

// Reservations lists reservations, home region after home region: held and allocated ones in the
// order of their expiry, others in an order that only is stable.
func (s *Service) Reservations(ctx context.Context, caller Caller, q ReservationsQuery, page Page) (Listed[*inventory.ReservationAnswer], error) {
	var none Listed[*inventory.ReservationAnswer]
	var c checker
	if q.Status != "" {
		known := make([]string, len(inventory.Statuses))
		for i, status := range inventory.Statuses {
			known[i] = string(status)
		}
		c.oneOf("status", q.Status, known...)
	}
	if err := c.err(); err != nil {
		return none, err
	}
	if err := s.may(caller, auth.ListReservations); err != nil {
		return none, err
	}
	if q.Region != "" && !s.options.Topology.Has(q.Region) {
		return none, missing("region", q.Region)
	}
	f := store.ReservationFilter{Status: inventory.Status(q.Status), OrderReference: q.OrderReference, Location: q.Location}
	if q.Location != "" {
		at, err := s.knownLevel(ctx, q.Location, "")
		if err != nil {
			return none, err
		}
		if err := s.mayAt(caller, auth.ListReservations, placeOf(at)); err != nil {
			return none, err
		}
		f.LocationRegion = at.Region
	}
	var homes []part
	for _, region := range s.store.Regions() {
		if q.Region == "" || q.Region == region {
			homes = append(homes, part{region: region})
		}
	}
	return s.reservations(ctx, caller.Principal.Scope(auth.ListReservations), homes, f, page)
}

// reservations lists those of home regions. A page that passed over reservations outside of the
// scope is shorter than was asked for.
func (s *Service) reservations(ctx context.Context, scope auth.Scope, homes []part, f store.ReservationFilter, page Page) (none Listed[*inventory.ReservationAnswer], err error) {
	var cursor reservationsCursor
	if err := page.open(&cursor); err != nil {
		return none, err
	}
	var found []store.FoundReservation
	err = eachPart(homes, part{region: cursor.ID.Region}, func(p part, first bool) (bool, error) {
		f.Region, f.AfterID, f.AfterExpiry, f.Limit = p.region, inventory.ID{}, time.Time{}, page.Size+1-len(found)
		if first {
			f.AfterID, f.AfterExpiry = cursor.ID, cursor.Expires
		}
		more, err := s.store.Reservations(ctx, f)
		found = append(found, more...)
		return len(found) <= page.Size, fromStore(err, false)
	})
	if err != nil {
		return none, err
	}
	list, err := listed(found, page, func(last store.FoundReservation) any { return reservationsCursor{last.ID, last.ExpiresAt} })
	answer := Listed[*inventory.ReservationAnswer]{Items: []*inventory.ReservationAnswer{}, NextPageToken: list.NextPageToken}
	for _, r := range list.Items {
		if scope.All || slices.ContainsFunc(placesOf(r.Lines), scope.Covers) {
			answer.Items = append(answer.Items, describe(r))
		}
		answer.AsOf = r.AsOf
	}
	return answer, err
}
