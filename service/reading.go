package service

import (
	"context"
	"errors"
	"time"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Reservation gives a reservation and the moment it speaks of.
func (s *Service) Reservation(ctx context.Context, id string) (*inventory.ReservationAnswer, time.Time, error) {
	of, err := s.reservationID(id)
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
	return describe(found), found.AsOf, nil
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
func (s *Service) Reservations(ctx context.Context, q ReservationsQuery, page Page) (Listed[*inventory.ReservationAnswer], error) {
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
	f := store.ReservationFilter{Status: inventory.Status(q.Status), OrderReference: q.OrderReference, Location: q.Location}
	if q.Location != "" {
		at, err := s.knownLevel(ctx, q.Location, "")
		if err != nil {
			return none, err
		}
		f.LocationRegion = at.Region
	}
	regions, err := s.regionsOf(ctx, q.Region, "")
	if err != nil {
		return none, err
	}
	return s.reservations(ctx, regions, f, page)
}

func (s *Service) reservations(ctx context.Context, regions []string, f store.ReservationFilter, page Page) (none Listed[*inventory.ReservationAnswer], err error) {
	var cursor reservationsCursor
	if err := page.open(&cursor); err != nil {
		return none, err
	}
	var found []store.FoundReservation
	err = eachRegion(regions, cursor.ID.Region, func(region string, first bool) (bool, error) {
		f.Region, f.AfterID, f.AfterExpiry, f.Limit = region, inventory.ID{}, time.Time{}, page.Size+1-len(found)
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
	items := make([]*inventory.ReservationAnswer, len(found))
	for i, r := range found {
		items[i] = describe(r)
	}
	return listed(items, page, func(*inventory.ReservationAnswer) any {
		r := found[page.Size-1].Reservation
		return reservationsCursor{r.ID, r.ExpiresAt}
	})
}
