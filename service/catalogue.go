package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Precondition is what a change of a catalogue entry demands of the one that is there: nothing, to
// be at a version, or just to be there (If-Match), or not to be there (If-None-Match).
type Precondition struct {
	Version *int64
	Exists  bool
	Absent  bool
}

func (p Precondition) isNone() bool { return p == Precondition{} }

func (p Precondition) check(current inventory.Stamp, exists bool) error {
	there := exists && current.ArchivedAt == nil
	switch {
	case p.Exists && !there:
		return &inventory.Refusal{Kind: inventory.VersionMismatch, Current: current.Version, Detail: "there is no such entry, and one must be there"}
	case p.Absent && there:
		return &inventory.Refusal{Kind: inventory.VersionMismatch, Current: current.Version, Detail: fmt.Sprintf("there is such an entry, at version %d, and none may be there", current.Version)}
	}
	if p.Version == nil || exists && *p.Version == current.Version {
		return nil
	}
	return &inventory.Refusal{
		Kind: inventory.VersionMismatch, Expected: *p.Version, Current: current.Version,
		Detail: fmt.Sprintf("the entry is at version %d, not %d", current.Version, *p.Version),
	}
}

// entry is a kind of catalogue entry: how to read it under lock and how to write it.
type entry[T any] struct {
	resource, name string
	read           func(context.Context, *store.Tx) (T, error)
	write          func(*store.Tx, T) error
	stamp          func(*T) *inventory.Stamp
}

// change reads an entry under lock, lets decide make the new one, and writes that one with the
// next version. exists is false where there is none yet; an archived one counts as there.
func change[T any](ctx context.Context, s *Service, caller Caller, op auth.Operation, e entry[T], p Precondition, decide func(ctx context.Context, tx *store.Tx, before T, exists bool) (T, error)) (after T, created bool, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		before, err := e.read(ctx, tx)
		exists := !errors.Is(err, store.ErrNotFound)
		if err != nil && exists {
			return err
		}
		old := *e.stamp(&before)
		if err := p.check(old, exists); err != nil {
			return err
		}
		if after, err = decide(ctx, tx, before, exists); err != nil {
			return err
		}
		created = !exists || old.ArchivedAt != nil
		stamp := e.stamp(&after)
		stamp.Version, stamp.UpdatedAt, stamp.CreatedAt = old.Version+1, now, old.CreatedAt
		if !exists {
			stamp.CreatedAt = now
		}
		if stamp.ArchivedAt != nil {
			stamp.ArchivedAt = &now
		}
		tx.Audit(s.setting(caller, op, e.resource, e.name, after))
		return e.write(tx, after)
	})
	if errors.Is(err, store.ErrAmbiguous) {
		err = ErrOutcomeUnknown
	}
	return after, created, fromStore(err, false)
}

// archived marks a stamp; change fills in the time.
var archived = inventory.Stamp{ArchivedAt: new(time.Time)}

// mustBeEmpty refuses to archive what has stock, and closes its levels.
func mustBeEmpty(tx *store.Tx, what, name string, levels []inventory.Level) error {
	for _, l := range levels {
		if !l.IsZero() {
			return &inventory.Refusal{
				Kind:   inventory.Conflict,
				Detail: fmt.Sprintf("%s %q has stock: SKU %q at location %q has %d on hand, %d incoming, %d short", what, name, l.Key.SKU, l.Key.Location, l.OnHand, l.Incoming, l.Shortfall),
			}
		}
	}
	tx.SetClosed(levels, true)
	return nil
}
