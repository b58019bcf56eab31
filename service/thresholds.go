package service

import (
	"context"
	"errors"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

func thresholdEntry(name string) entry[inventory.Threshold] {
	return entry[inventory.Threshold]{
		resource: "threshold", name: name,
		read: func(ctx context.Context, tx *store.Tx) (inventory.Threshold, error) { return tx.Threshold(ctx, name) },
		write: func(tx *store.Tx, t inventory.Threshold) error {
			tx.PutThreshold(t)
			return nil
		},
		stamp: func(t *inventory.Threshold) *inventory.Stamp { return &t.Stamp },
	}
}

// PutThreshold makes a threshold or replaces it; an archived one comes back.
func (s *Service) PutThreshold(ctx context.Context, caller Caller, t inventory.Threshold, pre Precondition) (inventory.Threshold, bool, error) {
	if err := s.may(caller, auth.PutThreshold); err != nil {
		return t, false, err
	}
	if wrong := t.Check(); len(wrong) > 0 {
		return t, false, invalid(wrong...)
	}
	places, err := s.places.reload(ctx)
	if err != nil {
		return t, false, err
	}
	return change(ctx, s, caller, auth.PutThreshold, thresholdEntry(t.Name), pre, func(ctx context.Context, tx *store.Tx, _ inventory.Threshold, _ bool) (inventory.Threshold, error) {
		t.Stamp = inventory.Stamp{}
		return t, checkThreshold(ctx, tx, t, places)
	})
}

// checkThreshold refuses a threshold with invalid fields, and one about what doesn't exist.
func checkThreshold(ctx context.Context, tx *store.Tx, t inventory.Threshold, places *placesSnapshot) error {
	if wrong := t.Check(); len(wrong) > 0 {
		return invalid(wrong...)
	}
	if l, ok := places.locations[t.Location]; t.Location != "" && (!ok || l.ArchivedAt != nil) {
		return missing("location", t.Location)
	}
	if c, ok := places.channels[t.Channel]; t.Channel != "" && (!ok || c.ArchivedAt != nil) {
		return missing("channel", t.Channel)
	}
	if t.SKU == "" {
		return nil
	}
	p, err := tx.Product(ctx, t.SKU)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.ArchivedAt != nil {
		return missing("product", t.SKU)
	}
	return err
}

// PatchThreshold applies a change to a threshold.
func (s *Service) PatchThreshold(ctx context.Context, caller Caller, name string, pre Precondition, patch func(inventory.Threshold) (inventory.Threshold, error)) (inventory.Threshold, error) {
	if err := s.may(caller, auth.PatchThreshold); err != nil {
		return inventory.Threshold{}, err
	}
	places, err := s.places.reload(ctx)
	if err != nil {
		return inventory.Threshold{}, err
	}
	t, _, err := change(ctx, s, caller, auth.PatchThreshold, thresholdEntry(name), pre, func(ctx context.Context, tx *store.Tx, before inventory.Threshold, exists bool) (inventory.Threshold, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("threshold", name)
		}
		after, err := patch(before)
		if err != nil {
			return before, err
		}
		after.Name, after.Stamp = name, inventory.Stamp{}
		return after, checkThreshold(ctx, tx, after, places)
	})
	return t, err
}

// ArchiveThreshold takes a threshold out of use.
func (s *Service) ArchiveThreshold(ctx context.Context, caller Caller, name string, pre Precondition) error {
	if err := s.may(caller, auth.ArchiveThreshold); err != nil {
		return err
	}
	_, _, err := change(ctx, s, caller, auth.ArchiveThreshold, thresholdEntry(name), pre, func(_ context.Context, _ *store.Tx, before inventory.Threshold, exists bool) (inventory.Threshold, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("threshold", name)
		}
		before.Stamp = archived
		return before, nil
	})
	return err
}

// Threshold gives a threshold that is not archived.
func (s *Service) Threshold(ctx context.Context, caller Caller, name string) (inventory.Threshold, error) {
	if err := s.may(caller, auth.GetThreshold); err != nil {
		return inventory.Threshold{}, err
	}
	t, err := s.store.Threshold(ctx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && t.ArchivedAt != nil {
		return inventory.Threshold{}, missing("threshold", name)
	}
	return t, fromStore(err, false)
}

// Thresholds lists thresholds, a page at a time, by name.
func (s *Service) Thresholds(ctx context.Context, caller Caller, page Page) (Listed[inventory.Threshold], error) {
	var none Listed[inventory.Threshold]
	if err := s.may(caller, auth.ListThresholds); err != nil {
		return none, err
	}
	var last thresholdsCursor
	if err := page.open(&last); err != nil {
		return none, err
	}
	items, err := s.store.Thresholds(ctx, last.Threshold, page.Size+1)
	if err != nil {
		return none, fromStore(err, false)
	}
	return listed(items, page, func(t inventory.Threshold) any { return thresholdsCursor{t.Name} })
}
