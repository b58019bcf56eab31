package service

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

const opReserve = string(auth.Reserve)

// ReservationInput is a reservation as callers send it.
type ReservationInput struct {
	OrderReference string                 `json:"order_reference,omitempty"`
	Lines          []ReservationLineInput `json:"lines"`
	ExpiresIn      string                 `json:"expires_in,omitempty"` // a duration as Go writes it, 1s to 720h
	Policy         string                 `json:"policy,omitempty"`
	Strategy       string                 `json:"strategy,omitempty"`
	Destination    *Destination           `json:"destination,omitempty"`
	Channel        string                 `json:"channel,omitempty"`
}

// ReservationLineInput is a line of a reservation; without location it is sourced.
type ReservationLineInput struct {
	SKU       string `json:"sku"`
	Quantity  *int64 `json:"quantity"`
	Location  string `json:"location,omitempty"`
	IfVersion *int64 `json:"if_version,omitempty"`
}

// Destination is where an order goes: a country, a region, or a point in degrees.
type Destination struct {
	Country   string   `json:"country,omitempty"`
	Region    string   `json:"region,omitempty"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
}

// Reserve holds stock.
func (s *Service) Reserve(ctx context.Context, caller Caller, in ReservationInput) (Outcome, error) {
	if err := checkKey(caller); err != nil {
		return Outcome{}, err
	}
	return s.reserve(ctx, caller, in)
}

func (s *Service) reserve(ctx context.Context, caller Caller, in ReservationInput) (Outcome, error) {
	t, err := s.reservationTask(ctx, caller, in, false)
	if err != nil {
		return Outcome{}, err
	}
	outcome, err := s.submit(ctx, caller, t)
	if !errors.Is(err, inventory.ErrLookWider) {
		return outcome, err
	}
	if t, err = s.reservationTask(ctx, caller, in, true); err != nil {
		return Outcome{}, err
	}
	return s.submit(ctx, caller, t)
}

// reservationTask turns the input into a command, or names what is wrong with it. Lines without
// location are decided on the levels that look sufficient now, or, with wide, on all there are.
func (s *Service) reservationTask(ctx context.Context, caller Caller, in ReservationInput, wide bool) (task, error) {
	if err := s.may(caller, auth.Reserve); err != nil {
		return task{}, err
	}
	c := &inventory.Reserve{
		Random: random(), OrderReference: in.OrderReference,
		Policy: inventory.Policy(in.Policy), Strategy: inventory.Strategy(in.Strategy),
		Meta: inventory.Meta{Actor: caller.Principal.Actor(), Reference: in.OrderReference, Channel: in.Channel},
	}
	if err := s.checkReservation(in, c); err != nil {
		return task{}, err
	}
	var barred *inventory.Refusal
	channel, err := s.checkChannel(ctx, in.Channel)
	if err != nil && !errors.As(err, &barred) {
		return task{}, err
	}
	c.KeepBack = channel.SafetyStock
	for i := range c.Lines {
		if in.Lines[i].Location == "" {
			continue
		}
		key, err := s.level(ctx, in.Lines[i].Location, in.Lines[i].SKU)
		if err != nil {
			return task{}, err
		}
		if err := s.mayAt(caller, auth.Reserve, placeOf(key)); err != nil {
			return task{}, err
		}
		if len(channel.Locations) > 0 && !slices.Contains(channel.Locations, key.Location) {
			barred = invalid(inventory.FieldError{Field: lineAt(i) + "location", Message: fmt.Sprintf("channel %q doesn't sell from %q", channel.Name, key.Location)})
		}
		c.Lines[i].Level = &key
	}
	if barred == nil {
		if err := s.source(ctx, c, within{channel, caller.Principal.Scope(auth.Reserve)}, in.Destination, wide); err != nil {
			return task{}, err
		}
	}
	hash, err := hashInput(opReserve, in)
	return task{
		command: c, operation: opReserve, home: s.homeOf(c, in.Destination), id: c.Random, hash: hash,
		lane: laneOf(c), why: c.Meta, barred: barred,
	}, err
}

func (s *Service) checkReservation(in ReservationInput, c *inventory.Reserve) error {
	var w checker
	w.add("order_reference", inventory.CheckText(in.OrderReference, maxReference))
	if in.Channel != "" {
		w.add("channel", inventory.CheckIdentifier(in.Channel))
	}
	c.ExpiresIn = w.hold(in.ExpiresIn)
	if c.Policy == "" {
		c.Policy = inventory.AllOrNothing
	}
	w.oneOf("policy", string(c.Policy), string(inventory.AllOrNothing), string(inventory.Partial))
	if c.Strategy == "" {
		c.Strategy = inventory.Strategies()[0]
		if in.Destination != nil {
			c.Strategy = "nearest"
		}
	}
	if known := inventory.Strategies(); !slices.Contains(known, c.Strategy) {
		w.add("strategy", fmt.Sprintf("must be one of %v", known))
	}
	if c.Strategy == "nearest" && in.Destination == nil && in.Strategy != "" {
		w.add("destination", "is required for strategy nearest")
	}
	w.destination(in.Destination, s.options.Topology.Has)
	w.lines(len(in.Lines))
	total := make(map[string]int64, 1)
	for i, l := range in.Lines[:min(len(in.Lines), MaxLines)] {
		line := w.reservationLine(lineAt(i), l)
		if total[l.SKU] > math.MaxInt64-max(line.Quantity, 0) {
			w.add(lineAt(i)+"quantity", "takes the SKU's sum over all lines beyond 9223372036854775807")
		}
		total[l.SKU] += max(line.Quantity, 0)
		c.Lines = append(c.Lines, line)
	}
	return w.err()
}

func (c *checker) reservationLine(at string, in ReservationLineInput) inventory.ReserveLine {
	line := inventory.ReserveLine{SKU: in.SKU, IfVersion: in.IfVersion}
	c.add(at+"sku", inventory.CheckSKU(in.SKU))
	if in.Location != "" {
		c.add(at+"location", inventory.CheckIdentifier(in.Location))
	}
	switch {
	case in.Quantity == nil:
		c.add(at+"quantity", "is required")
	case *in.Quantity < 1:
		c.add(at+"quantity", "must be at least 1")
	default:
		line.Quantity = *in.Quantity
	}
	switch {
	case in.IfVersion == nil:
	case *in.IfVersion < 0:
		c.add(at+"if_version", "must be at least 0")
	case in.Location == "":
		c.add(at+"if_version", "needs a location")
	}
	return line
}

// hold reads how long a reservation lasts.
func (c *checker) hold(s string) time.Duration {
	if s == "" {
		return inventory.DefaultHold
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		c.add("expires_in", `must be a duration such as "15m" or "1h30m"`)
	case d < inventory.MinHold || d > inventory.MaxHold:
		c.add("expires_in", "must be from 1s to 720h (30 days)")
	}
	return d.Truncate(time.Microsecond)
}

func (c *checker) oneOf(field, v string, known ...string) {
	if !slices.Contains(known, v) {
		c.add(field, fmt.Sprintf("must be one of %v", known))
	}
}

func (c *checker) destination(d *Destination, isRegion func(string) bool) {
	if d == nil {
		return
	}
	given := 0
	if d.Country != "" {
		given++
		c.add("destination.country", inventory.CheckCountry(d.Country))
	}
	if d.Region != "" {
		given++
		if !isRegion(d.Region) {
			c.add("destination.region", "is no region of this system")
		}
	}
	if d.Latitude != nil || d.Longitude != nil {
		given++
		if d.Latitude == nil || d.Longitude == nil {
			c.add("destination.latitude", "and longitude are given together")
			return
		}
		if !(math.Abs(*d.Latitude) <= 90) {
			c.add("destination.latitude", "must be degrees, at most 90 from zero")
		}
		if !(math.Abs(*d.Longitude) <= 180) {
			c.add("destination.longitude", "must be degrees, at most 180 from zero")
		}
	}
	if given != 1 {
		c.add("destination", "must be one of a country, a region, or latitude and longitude")
	}
}

func laneOf(c *inventory.Reserve) uint16 {
	for _, l := range c.Lines {
		if l.Level != nil {
			return l.Level.Hash()
		}
	}
	if len(c.Consider) > 0 {
		return c.Consider[0].Hash()
	}
	return hashLane(c.Lines[0].SKU)
}
