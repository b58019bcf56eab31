package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Level gives a stock level and the moment it speaks of. A known SKU at a known location that
// never had an event is all zeros at version 0.
func (s *Service) Level(ctx context.Context, caller Caller, location, sku string, fresh Freshness) (inventory.LevelAnswer, time.Time, error) {
	key, err := s.readable(ctx, caller, auth.GetLevel, location, sku)
	if err != nil {
		return inventory.LevelAnswer{}, time.Time{}, err
	}
	level, asOf, err := s.levelFresh(ctx, key, fresh)
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return inventory.LevelAnswer{}, asOf, fromStore(err, false)
	}
	if unknown || level.Closed {
		if _, err := s.product(ctx, sku); err != nil {
			return inventory.LevelAnswer{}, asOf, err
		}
	}
	if unknown {
		level = inventory.Level{Key: key}
	}
	return inventory.DescribeLevel(level), asOf, fresh.reached(level.Version)
}

// readable resolves a level that the caller may look at.
func (s *Service) readable(ctx context.Context, caller Caller, op auth.Operation, location, sku string) (inventory.LevelKey, error) {
	if err := s.may(caller, op); err != nil {
		return inventory.LevelKey{}, err
	}
	key, err := s.knownLevel(ctx, location, sku)
	if err != nil {
		return key, err
	}
	return key, s.mayAt(caller, op, placeOf(key))
}

func (s *Service) knownLevel(ctx context.Context, location, sku string) (inventory.LevelKey, error) {
	l, ok, err := s.places.location(ctx, location)
	switch {
	case err != nil:
		return inventory.LevelKey{}, err
	case !ok || l.ArchivedAt != nil:
		return inventory.LevelKey{}, missing("location", location)
	}
	return inventory.LevelKey{Region: l.Region, SKU: sku, Location: location}, nil
}

// LevelsQuery selects stock levels; empty fields select all.
type LevelsQuery struct {
	SKU, Location, Region string
	AvailableBelow        *int64
	Fresh                 Freshness // without MinVersion: each level has versions of its own
}

type levelsCursor struct {
	Region   string `json:"region"`
	SKU      string `json:"sku"`
	Location string `json:"location"`
}

func (c *levelsCursor) isOurs() bool {
	return c.Region != "" && inventory.CheckSKU(c.SKU) == "" && inventory.CheckIdentifier(c.Location) == ""
}

// Levels lists stock levels, region after region, each in the order of SKU and location.
func (s *Service) Levels(ctx context.Context, caller Caller, q LevelsQuery, page Page) (Listed[inventory.LevelAnswer], error) {
	var none Listed[inventory.LevelAnswer]
	parts, err := s.partsOf(ctx, caller, auth.ListLevels, q.Region, q.Location)
	if err != nil {
		return none, err
	}
	var cursor levelsCursor
	if err := page.open(&cursor); err != nil {
		return none, err
	}
	var items []inventory.LevelAnswer
	var asOf time.Time
	if len(parts) == 0 {
		if asOf, err = s.store.Moment(ctx); err != nil {
			return none, fromStore(err, false)
		}
	}
	err = eachPart(parts, part{cursor.Region, cursor.Location}, func(p part, first bool) (bool, error) {
		f := store.LevelFilter{Region: p.region, SKU: q.SKU, Location: p.location, AvailableBelow: q.AvailableBelow, Limit: page.Size + 1 - len(items)}
		if first {
			f.After = inventory.LevelKey{SKU: cursor.SKU, Location: cursor.Location}
		}
		levels, at, err := s.listFresh(ctx, f, q.Fresh)
		if asOf.IsZero() || at.Before(asOf) {
			asOf = at
		}
		for _, l := range levels {
			items = append(items, inventory.DescribeLevel(l))
		}
		return len(items) <= page.Size, fromStore(err, false)
	})
	if err != nil {
		return none, err
	}
	list, err := listed(items, page, func(last inventory.LevelAnswer) any {
		return levelsCursor{last.Region, last.SKU, last.Location}
	})
	list.AsOf = asOf
	return list, err
}

func regionsOf(parts []part) (regions []string) {
	for _, p := range parts {
		if !slices.Contains(regions, p.region) {
			regions = append(regions, p.region)
		}
	}
	return regions
}

// eachPart goes through the parts of a list from a cursor's on, as long as there is room on the
// page. first says that the cursor is within this part.
func eachPart(parts []part, cursor part, visit func(p part, first bool) (more bool, err error)) error {
	start, resumed := 0, cursor.region != ""
	if resumed {
		start = slices.IndexFunc(parts, func(p part) bool {
			return p.region == cursor.region && (p.location == "" || p.location == cursor.location)
		})
		if start < 0 {
			return badToken()
		}
	}
	for i, p := range parts[start:] {
		more, err := visit(p, resumed && i == 0)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// EventAnswer is an event as callers see it.
type EventAnswer struct {
	Location    string             `json:"location"`
	SKU         string             `json:"sku"`
	Region      string             `json:"region"`
	Version     int64              `json:"version"`
	Kind        inventory.Kind     `json:"kind"`
	Deltas      inventory.Balances `json:"deltas"`
	Balances    inventory.Balances `json:"balances"`
	Movement    inventory.ID       `json:"movement"`
	Reservation *inventory.ID      `json:"reservation,omitempty"`
	Transfer    *inventory.ID      `json:"transfer,omitempty"`
	UnitCost    *inventory.Money   `json:"unit_cost,omitempty"`
	Reason      string             `json:"reason,omitempty"`
	Reference   string             `json:"reference,omitempty"`
	Channel     string             `json:"channel,omitempty"`
	Actor       string             `json:"actor"`
	EffectiveAt time.Time          `json:"effective_at"`
	RecordedAt  time.Time          `json:"recorded_at"`
}

// DescribeEvent is an event as clients see it.
func DescribeEvent(e *inventory.Event) EventAnswer {
	return EventAnswer{
		Location: e.Key.Location, SKU: e.Key.SKU, Region: e.Key.Region, Version: e.Version, Kind: e.Kind,
		Deltas: e.Deltas, Balances: e.Balances, Movement: e.Command, Reservation: e.Reservation, Transfer: e.Transfer, UnitCost: e.UnitCost,
		Reason: e.Meta.Reason, Reference: e.Meta.Reference, Channel: e.Meta.Channel, Actor: e.Meta.Actor,
		EffectiveAt: e.Meta.EffectiveAt, RecordedAt: e.RecordedAt,
	}
}

type eventsCursor struct {
	Version int64 `json:"version"`
}

func (c *eventsCursor) isOurs() bool { return c.Version > 0 }

// Events lists a stock level's events after a version.
func (s *Service) Events(ctx context.Context, caller Caller, location, sku string, after int64, page Page) (Listed[EventAnswer], error) {
	var none Listed[EventAnswer]
	if after < 0 {
		return none, invalid(inventory.FieldError{Field: "after_version", Message: "must be at least 0"})
	}
	key, err := s.readable(ctx, caller, auth.ListEvents, location, sku)
	if err != nil {
		return none, err
	}
	cursor := eventsCursor{after}
	if err := page.open(&cursor); err != nil {
		return none, err
	}
	events, err := s.store.Events(ctx, key, cursor.Version, page.Size+1)
	if err != nil {
		return none, fromStore(err, false)
	}
	if len(events) == 0 {
		if _, err := s.product(ctx, sku); err != nil {
			return none, err
		}
	}
	items := make([]EventAnswer, len(events))
	for i := range events {
		items[i] = DescribeEvent(&events[i])
	}
	return listed(items, page, func(last EventAnswer) any { return eventsCursor{last.Version} })
}

// Availability is what can be sold of a SKU. Sellable is available less the channel's safety stock
// at each location, never below zero. Sums stop at int64.
type Availability struct {
	SKU        string                 `json:"sku"`
	Available  int64                  `json:"available"`
	Sellable   int64                  `json:"sellable"`
	ByRegion   map[string]int64       `json:"by_region"`
	ByLocation []LocationAvailability `json:"by_location"`
}

// LocationAvailability is what is available at one location.
type LocationAvailability struct {
	Location  string `json:"location"`
	Available int64  `json:"available"`
}

// AvailabilityOf gives the availability of SKUs, in a region or all, through a channel or none, and the
// moment it speaks of.
func (s *Service) AvailabilityOf(ctx context.Context, caller Caller, skus []string, region, channelName string, fresh Freshness) ([]Availability, time.Time, error) {
	var c checker
	switch n := len(skus); {
	case n == 0:
		c.add("sku", "is required, once for each SKU")
	case n > MaxSKUs:
		c.limit("sku", fmt.Sprintf("is there %d times; at most %d are allowed in a query", n, MaxSKUs))
	}
	for _, sku := range skus {
		c.add("sku", inventory.CheckSKU(sku))
	}
	if err := c.err(); err != nil {
		return nil, time.Time{}, err
	}
	parts, err := s.partsOf(ctx, caller, auth.GetAvailability, region, "")
	if err != nil {
		return nil, time.Time{}, err
	}
	scope := caller.Principal.Scope(auth.GetAvailability)
	channel, err := s.checkChannel(ctx, channelName)
	if err != nil {
		return nil, time.Time{}, err
	}
	levels, asOf, err := s.levelsFresh(ctx, regionsOf(parts), skus, fresh)
	if err != nil {
		return nil, asOf, fromStore(err, false)
	}
	bySKU := map[string]*Availability{}
	for _, l := range levels {
		if !scope.Covers(placeOf(l.Key)) || len(channel.Locations) > 0 && !slices.Contains(channel.Locations, l.Key.Location) {
			continue
		}
		a := bySKU[l.Key.SKU]
		if a == nil {
			a = &Availability{SKU: l.Key.SKU, ByRegion: map[string]int64{}, ByLocation: []LocationAvailability{}}
			bySKU[l.Key.SKU] = a
		}
		a.add(l, channel.SafetyStock)
	}
	items := make([]Availability, len(skus))
	for i, sku := range skus {
		if a := bySKU[sku]; a != nil {
			items[i] = *a
			continue
		}
		if _, err := s.product(ctx, sku); err != nil {
			return nil, asOf, err
		}
		items[i] = Availability{SKU: sku, ByRegion: map[string]int64{}, ByLocation: []LocationAvailability{}}
	}
	return items, asOf, nil
}

func (a *Availability) add(l inventory.Level, safety int64) {
	available := l.Available()
	a.Available = plus(a.Available, available)
	a.Sellable = plus(a.Sellable, max(max(available, 0)-safety, 0))
	a.ByRegion[l.Key.Region] = plus(a.ByRegion[l.Key.Region], available)
	a.ByLocation = append(a.ByLocation, LocationAvailability{l.Key.Location, available})
}

// plus adds and stops at the ends of int64.
func plus(a, b int64) int64 { return inventory.Sum(a, b) }
