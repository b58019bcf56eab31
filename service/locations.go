package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

func locationEntry(name string) entry[inventory.Location] {
	return entry[inventory.Location]{
		resource: "location", name: name,
		read:  func(ctx context.Context, tx *store.Tx) (inventory.Location, error) { return tx.Location(ctx, name) },
		write: func(tx *store.Tx, l inventory.Location) error { tx.PutLocation(l); return nil },
		stamp: func(l *inventory.Location) *inventory.Stamp { return &l.Stamp },
	}
}

// PutLocation makes a location or replaces it; an archived one comes back. Its region can't change.
func (s *Service) PutLocation(ctx context.Context, caller Caller, l inventory.Location, pre Precondition) (inventory.Location, bool, error) {
	if err := s.may(caller, auth.PutLocation); err != nil {
		return l, false, err
	}
	if err := s.checkLocation(l); err != nil {
		return l, false, err
	}
	if err := s.mayAt(caller, auth.PutLocation, placeOfLocation(l)); err != nil {
		return l, false, err
	}
	l, created, err := change(ctx, s, caller, auth.PutLocation, locationEntry(l.Name), pre, func(ctx context.Context, tx *store.Tx, before inventory.Location, exists bool) (inventory.Location, error) {
		if exists && before.Region != l.Region {
			return l, movedRegion(before, l.Region)
		}
		if before.ArchivedAt != nil {
			if err := s.reopen(ctx, tx, l); err != nil {
				return l, err
			}
		}
		l.Stamp = inventory.Stamp{}
		return l, nil
	})
	return l, created, s.refreshed(ctx, err)
}

func (s *Service) checkLocation(l inventory.Location) error {
	wrong := l.Check()
	if l.Region != "" && !s.options.Topology.Has(l.Region) {
		wrong = append(wrong, inventory.FieldError{Field: "region", Message: fmt.Sprintf("must be one of %v", s.options.Topology.Names())})
	}
	if len(wrong) > 0 {
		return invalid(wrong...)
	}
	return nil
}

func movedRegion(before inventory.Location, to string) error {
	return &inventory.Refusal{
		Kind:   inventory.Conflict,
		Detail: fmt.Sprintf("location %q is in region %s, and stays there: it can't move to %s", before.Name, before.Region, to),
		Fields: []inventory.FieldError{{Field: "region", Message: "can't change"}},
	}
}

// reopen opens the stock levels of a location that comes back, but for those of archived products.
func (s *Service) reopen(ctx context.Context, tx *store.Tx, l inventory.Location) error {
	levels, err := tx.LevelsOfLocation(ctx, l.Region, l.Name)
	if err != nil {
		return err
	}
	var open []inventory.Level
	for _, level := range levels {
		p, err := tx.Product(ctx, level.Key.SKU)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil && p.ArchivedAt == nil {
			open = append(open, level)
		}
	}
	tx.SetClosed(open, false)
	return nil
}

// PatchLocation applies a change to a location.
func (s *Service) PatchLocation(ctx context.Context, caller Caller, name string, pre Precondition, patch func(inventory.Location) (inventory.Location, error)) (inventory.Location, error) {
	if err := s.mayKeep(ctx, caller, auth.PatchLocation, name); err != nil {
		return inventory.Location{}, err
	}
	l, _, err := change(ctx, s, caller, auth.PatchLocation, locationEntry(name), pre, func(_ context.Context, _ *store.Tx, before inventory.Location, exists bool) (inventory.Location, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("location", name)
		}
		after, err := patch(before)
		if err != nil {
			return before, err
		}
		after.Name, after.Stamp = name, inventory.Stamp{}
		if err := s.checkLocation(after); err != nil {
			return before, err
		}
		if after.Region != before.Region {
			return before, movedRegion(before, after.Region)
		}
		return after, nil
	})
	return l, s.refreshed(ctx, err)
}

// mayKeep refuses a change of a location that is not within the caller's grants.
func (s *Service) mayKeep(ctx context.Context, caller Caller, op auth.Operation, name string) error {
	return s.mayTouch(ctx, caller, op, func(ctx context.Context) ([]auth.Place, error) {
		key, err := s.knownLevel(ctx, name, "")
		return []auth.Place{placeOf(key)}, err
	})
}

// ArchiveLocation takes a location without stock out of use; its history stays.
func (s *Service) ArchiveLocation(ctx context.Context, caller Caller, name string, pre Precondition) error {
	if err := s.mayKeep(ctx, caller, auth.ArchiveLocation, name); err != nil {
		return err
	}
	_, _, err := change(ctx, s, caller, auth.ArchiveLocation, locationEntry(name), pre, func(ctx context.Context, tx *store.Tx, before inventory.Location, exists bool) (inventory.Location, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("location", name)
		}
		levels, err := tx.LevelsOfLocation(ctx, before.Region, name)
		if err != nil {
			return before, err
		}
		before.Stamp = archived
		return before, mustBeEmpty(tx, "location", name, levels)
	})
	return s.refreshed(ctx, err)
}

// refreshed makes a change of a location or channel known to this pod at once. Where that fails,
// the next use of it tries again.
func (s *Service) refreshed(ctx context.Context, err error) error {
	if err == nil {
		_, _ = s.places.reload(ctx)
	}
	return err
}

// Location gives a location that is not archived.
func (s *Service) Location(ctx context.Context, caller Caller, name string) (inventory.Location, error) {
	if err := s.may(caller, auth.GetLocation); err != nil {
		return inventory.Location{}, err
	}
	snapshot, err := s.places.reload(ctx)
	if err != nil {
		return inventory.Location{}, err
	}
	l, ok := snapshot.locations[name]
	if !ok || l.ArchivedAt != nil {
		return l, missing("location", name)
	}
	return l, nil
}

// Locations lists locations, a page at a time, by name.
func (s *Service) Locations(ctx context.Context, caller Caller, region string, page Page) (Listed[inventory.Location], error) {
	if err := s.may(caller, auth.ListLocations); err != nil {
		return Listed[inventory.Location]{}, err
	}
	if region != "" && !s.options.Topology.Has(region) {
		return Listed[inventory.Location]{}, missing("region", region)
	}
	snapshot, err := s.places.reload(ctx)
	if err != nil {
		return Listed[inventory.Location]{}, err
	}
	var last locationsCursor
	if err := page.open(&last); err != nil {
		return Listed[inventory.Location]{}, err
	}
	items := sortedAfter(snapshot.locations, last.Location, func(l inventory.Location) bool {
		return l.ArchivedAt == nil && (region == "" || l.Region == region)
	})
	return listed(items, page, func(l inventory.Location) any { return locationsCursor{l.Name} })
}

// sortedAfter gives what is wanted of what is in memory, by name, from a name on.
func sortedAfter[T any](all map[string]T, after string, wanted func(T) bool) (items []T) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if v := all[name]; name > after && wanted(v) {
			items = append(items, v)
		}
	}
	return items
}
