package service

import (
	"context"
	"errors"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// sealGrace is how long after a moment the ledger up to it is sealed: no transaction that began
// before it can still commit then.
const sealGrace = 10 * time.Minute

// SealDue gives the moment up to which ledgers are to be sealed at a time: the last midnight, UTC,
// that is over for sealGrace.
func SealDue(now time.Time) time.Time {
	return now.UTC().Add(-sealGrace).Truncate(24 * time.Hour)
}

// SealLocations seals the ledger of every location of a region up to a moment, under a lease. It
// gives the seals that it made: none for those that were sealed so far already.
func (s *Service) SealLocations(ctx context.Context, lease store.Lease, upTo time.Time) (made []inventory.Seal, err error) {
	snapshot, err := s.places.reload(ctx)
	if err != nil {
		return nil, err
	}
	last, err := s.store.LastSeals(ctx, lease.Region)
	if err != nil {
		return nil, fromStore(err, false)
	}
	var errs []error
	for _, l := range snapshot.locations {
		before := last[l.Name]
		if l.Region != lease.Region || !before.UpTo.Before(upTo) || !l.CreatedAt.Before(upTo) {
			continue
		}
		seal, err := s.seal(ctx, lease, l.Name, before, upTo)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		made = append(made, seal)
	}
	return made, errors.Join(errs...)
}

func (s *Service) seal(ctx context.Context, lease store.Lease, location string, before inventory.Seal, upTo time.Time) (seal inventory.Seal, err error) {
	const page = 1000
	sealer := inventory.NewSealer(location, upTo, before.Root)
	for after := ""; ; {
		heads, next, err := s.store.HeadsBefore(ctx, lease.Region, location, after, before.UpTo, upTo, page)
		if err != nil {
			return seal, fromStore(err, false)
		}
		for _, h := range heads {
			sealer.Add(h.SKU, h.Version, h.Hash)
		}
		if after = next; after == "" {
			break
		}
	}
	seal = inventory.Seal{Location: location, Region: lease.Region, UpTo: upTo}
	seal.Root, seal.Levels = sealer.Root()
	held, err := s.store.PutSeal(ctx, lease, seal)
	if err == nil && !held {
		err = ErrFenced
	}
	return seal, fromStore(err, false)
}

type sealsCursor struct {
	Region   string    `json:"region"`
	Location string    `json:"location"`
	UpTo     time.Time `json:"up_to"`
}

func (c *sealsCursor) isOurs() bool {
	return c.Region != "" && inventory.CheckIdentifier(c.Location) == "" && !c.UpTo.IsZero()
}

// Seals lists the seals of a location, or of all, by location and time. Kept elsewhere, they prove
// what the ledger said.
func (s *Service) Seals(ctx context.Context, caller Caller, region, location string, page Page) (none Listed[inventory.Seal], err error) {
	parts, err := s.partsOf(ctx, caller, auth.ListSeals, region, location)
	if err != nil {
		return none, err
	}
	var cursor sealsCursor
	if err := page.open(&cursor); err != nil {
		return none, err
	}
	var items []inventory.Seal
	err = eachPart(parts, part{region: cursor.Region, location: cursor.Location}, func(p part, first bool) (bool, error) {
		var after inventory.Seal
		if first {
			after = inventory.Seal{Location: cursor.Location, UpTo: cursor.UpTo}
		}
		more, err := s.store.Seals(ctx, p.region, p.location, after, page.Size+1-len(items))
		items = append(items, more...)
		return len(items) <= page.Size, fromStore(err, false)
	})
	if err != nil {
		return none, err
	}
	return listed(items, page, func(last inventory.Seal) any { return sealsCursor{last.Region, last.Location, last.UpTo} })
}
