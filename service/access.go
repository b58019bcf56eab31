package service

import (
	"context"
	"slices"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// may refuses an operation to a caller who may do it nowhere. Errors: *auth.Denied.
func (s *Service) may(caller Caller, op auth.Operation) error {
	if caller.Principal.May(op) {
		return nil
	}
	return s.deny(caller, op, nil)
}

// Admit is what a door asks before it reads a request: whether the caller may do the operation
// anywhere, and has not asked for too much. The use case asks again, for the places that it touches.
// The door calls release when the request is answered.
// Errors: *auth.Denied, *RateLimited, ErrOverloaded.
func (s *Service) Admit(caller Caller, op auth.Operation) (release func(), err error) {
	if err := s.may(caller, op); err != nil {
		return nil, err
	}
	if op == auth.Watch { // it waits most of its time
		return s.limits.admit(caller.Principal, &s.limits.watchers)
	}
	return s.limits.admit(caller.Principal, &s.limits.requests)
}

// mayAt refuses an operation at places that the caller's grants don't cover. Errors: *auth.Denied.
func (s *Service) mayAt(caller Caller, op auth.Operation, places ...auth.Place) error {
	for _, at := range places {
		if !caller.Principal.MayAt(op, at) {
			return s.deny(caller, op, &at)
		}
	}
	return s.may(caller, op)
}

func placeOf(key inventory.LevelKey) auth.Place {
	return auth.Place{Region: key.Region, Location: key.Location}
}

func placeOfLocation(l inventory.Location) auth.Place {
	return auth.Place{Region: l.Region, Location: l.Name}
}

// mayTouch refuses a step of something at places to callers whose grants are bound. Where the lines
// of a reservation or a transfer are never changes, so that it may be looked up before the step.
func (s *Service) mayTouch(ctx context.Context, caller Caller, op auth.Operation, places func(context.Context) ([]auth.Place, error)) error {
	if err := s.may(caller, op); err != nil || caller.Principal.Scope(op).All {
		return err
	}
	at, err := places(ctx)
	if err != nil {
		return err
	}
	return s.mayAt(caller, op, at...)
}

// mayTouchAny is mayTouch where one of the places is enough: for looking at something.
func (s *Service) mayTouchAny(caller Caller, op auth.Operation, places []auth.Place) error {
	scope := caller.Principal.Scope(op)
	if scope.All || slices.ContainsFunc(places, scope.Covers) {
		return nil
	}
	if len(places) == 0 {
		return s.deny(caller, op, nil)
	}
	return s.deny(caller, op, &places[0])
}

// part is what a list goes through in one go: a region, or one location of it.
type part struct{ region, location string }

// partsOf gives the parts of a list: the location or region asked for, or all regions; only what
// the caller's grants cover. What is asked for by name and isn't covered is refused.
func (s *Service) partsOf(ctx context.Context, caller Caller, op auth.Operation, region, location string) ([]part, error) {
	if err := s.may(caller, op); err != nil {
		return nil, err
	}
	if region != "" && !s.options.Topology.Has(region) {
		return nil, missing("region", region)
	}
	if location != "" {
		key, err := s.knownLevel(ctx, location, "")
		if err != nil {
			return nil, err
		}
		if err := s.mayAt(caller, op, placeOf(key)); err != nil || region != "" && region != key.Region {
			return nil, err
		}
		return []part{{key.Region, location}}, nil
	}
	regions := s.store.Regions()
	if region != "" {
		regions = []string{region}
	}
	scope := caller.Principal.Scope(op)
	parts, err := s.partsWithin(ctx, scope, regions)
	if err == nil && region != "" && len(parts) == 0 {
		return nil, s.deny(caller, op, &auth.Place{Region: region})
	}
	return parts, err
}

func (s *Service) partsWithin(ctx context.Context, scope auth.Scope, regions []string) (parts []part, err error) {
	for _, region := range regions {
		if scope.Covers(auth.Place{Region: region}) {
			parts = append(parts, part{region: region})
			continue
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(scope.Locations))) {
			l, known, err := s.places.location(ctx, name)
			if err != nil {
				return nil, err
			}
			if known && l.Region == region {
				parts = append(parts, part{region, name})
			}
		}
	}
	return parts, nil
}
