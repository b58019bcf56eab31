package service

import (
	"context"
	"errors"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Axis says which time a question about the past goes by.
type Axis string

// The axes: what was believed then, and what was true then as far as is known now.
const (
	Recorded  Axis = "recorded"
	Effective Axis = "effective"
)

// Axes lists them.
func Axes() []Axis { return []Axis{Recorded, Effective} }

// CheckPast names what a question about a stock level can't ask together: without a time, zero, it is
// about now.
func CheckPast(at time.Time, axis Axis, fresh Freshness) []inventory.FieldError {
	var c checker
	if at.IsZero() && axis != "" {
		c.add("axis", "means nothing without as_of")
	}
	if !at.IsZero() && fresh != (Freshness{}) {
		c.add("as_of", "speaks of the past: consistency, max_staleness and min_version mean nothing with it")
	}
	return c.wrong
}

// earliness is how far before its recording an event's effective time may lie in the future, with
// room for clocks: see checker.effective.
const earliness = time.Hour

// LevelAsOf gives a stock level as it was at a past time, from the ledger, however long ago. On the
// effective axis quantities may be below zero: a sale may have been recorded with an earlier time
// than the receipt that it was sold from. Names that are archived by now have a past all the same.
func (s *Service) LevelAsOf(ctx context.Context, caller Caller, location, sku string, at time.Time, axis Axis) (inventory.LevelAnswer, error) {
	var none inventory.LevelAnswer
	if err := s.may(caller, auth.GetLevel); err != nil {
		return none, err
	}
	var c checker
	if axis == "" {
		axis = Recorded
	}
	c.oneOf("axis", string(axis), string(Recorded), string(Effective))
	if time.Until(at) > time.Minute {
		c.add("as_of", "must not be in the future")
	}
	if err := c.err(); err != nil {
		return none, err
	}
	key, err := s.level(ctx, location, sku)
	if err != nil {
		return none, err
	}
	if err := s.mayAt(caller, auth.GetLevel, placeOf(key)); err != nil {
		return none, err
	}
	level, err := s.levelAsOf(ctx, key, at, axis)
	if err == nil && level.Version == 0 {
		if _, err = s.store.Product(ctx, sku); errors.Is(err, store.ErrNotFound) {
			return none, missing("product", sku)
		}
	}
	return inventory.DescribeLevel(level), fromStore(err, false)
}

func (s *Service) levelAsOf(ctx context.Context, key inventory.LevelKey, at time.Time, axis Axis) (inventory.Level, error) {
	level := inventory.Level{Key: key}
	recordedUpTo := at
	if axis == Effective {
		recordedUpTo = at.Add(-earliness) // whatever was recorded by then was effective too
	}
	e, err := s.store.EventAt(ctx, key, recordedUpTo)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return level, err
	default:
		level.Balances, level.Version, level.UpdatedAt = e.Balances, e.Version, e.RecordedAt
	}
	if axis == Recorded {
		return level, nil
	}
	if level.Version > 0 {
		level.UpdatedAt = e.Meta.EffectiveAt
	}
	more, version, latest, err := s.store.Effective(ctx, key, level.Version, at)
	if err != nil || version == 0 {
		return level, err
	}
	level.Balances = inventory.Balances{
		OnHand: plus(level.OnHand, more.OnHand), Held: plus(level.Held, more.Held),
		Allocated: plus(level.Allocated, more.Allocated), Quarantined: plus(level.Quarantined, more.Quarantined),
		Incoming: plus(level.Incoming, more.Incoming), Shortfall: plus(level.Shortfall, more.Shortfall),
	}
	level.Version = version
	if latest.After(level.UpdatedAt) {
		level.UpdatedAt = latest
	}
	return level, nil
}
