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

// Transfer gives a transfer and the moment it speaks of.
func (s *Service) Transfer(ctx context.Context, caller Caller, id string) (*inventory.TransferAnswer, time.Time, error) {
	if err := s.may(caller, auth.GetTransfer); err != nil {
		return nil, time.Time{}, err
	}
	of, err := s.idOf("transfer", id)
	if err != nil {
		return nil, time.Time{}, err
	}
	found, err := s.store.Transfer(ctx, of)
	if errors.Is(err, store.ErrNotFound) {
		return nil, time.Time{}, missing("transfer", id)
	}
	if err != nil {
		return nil, time.Time{}, fromStore(err, false)
	}
	if err := s.mayTouchAny(caller, auth.GetTransfer, endsOf(found)); err != nil {
		return nil, time.Time{}, err
	}
	return inventory.DescribeTransfer(found.Transfer), found.AsOf, nil
}

func endsOf(t store.FoundTransfer) []auth.Place {
	return []auth.Place{auth.Place(t.From), auth.Place(t.To)}
}

// TransfersQuery selects transfers; empty fields select all. Region is the home region: that of From.
type TransfersQuery struct {
	Status, From, To, Reference, Region string
}

type transfersCursor struct {
	ID inventory.ID `json:"transfer"`
}

func (c *transfersCursor) isOurs() bool { return !c.ID.IsZero() }

// Transfers lists transfers, home region after home region, each in an order that only is stable. A
// page that passed over transfers to and from places outside of the caller's scope is shorter than
// was asked for.
func (s *Service) Transfers(ctx context.Context, caller Caller, q TransfersQuery, page Page) (Listed[*inventory.TransferAnswer], error) {
	answer := Listed[*inventory.TransferAnswer]{Items: []*inventory.TransferAnswer{}}
	f, homes, err := s.transferFilter(ctx, caller, q)
	if err != nil {
		return answer, err
	}
	var cursor transfersCursor
	if err := page.open(&cursor); err != nil {
		return answer, err
	}
	var found []store.FoundTransfer
	err = eachPart(homes, part{region: cursor.ID.Region}, func(p part, first bool) (bool, error) {
		f.Region, f.After, f.Limit = p.region, inventory.ID{}, page.Size+1-len(found)
		if first {
			f.After = cursor.ID
		}
		more, err := s.store.Transfers(ctx, f)
		found = append(found, more...)
		return len(found) <= page.Size, fromStore(err, false)
	})
	if err != nil {
		return answer, err
	}
	list, err := listed(found, page, func(last store.FoundTransfer) any { return transfersCursor{last.ID} })
	scope := caller.Principal.Scope(auth.ListTransfers)
	for _, t := range list.Items {
		if slices.ContainsFunc(endsOf(t), scope.Covers) {
			answer.Items = append(answer.Items, inventory.DescribeTransfer(t.Transfer))
		}
	}
	answer.NextPageToken = list.NextPageToken
	return answer, err
}

// transferFilter reads the query, and gives the home regions to look in: those that may have such
// transfers.
func (s *Service) transferFilter(ctx context.Context, caller Caller, q TransfersQuery) (f store.TransferFilter, homes []part, err error) {
	if err := s.may(caller, auth.ListTransfers); err != nil {
		return f, nil, err
	}
	var c checker
	if q.Status != "" {
		known := make([]string, len(inventory.TransferStatuses))
		for i, status := range inventory.TransferStatuses {
			known[i] = string(status)
		}
		c.oneOf("status", q.Status, known...)
	}
	if err := c.err(); err != nil {
		return f, nil, err
	}
	if q.Region != "" && !s.options.Topology.Has(q.Region) {
		return f, nil, missing("region", q.Region)
	}
	home, named := "", []auth.Place(nil)
	for _, end := range []string{q.To, q.From} {
		if end == "" {
			continue
		}
		at, err := s.knownLevel(ctx, end, "")
		if err != nil {
			return f, nil, err
		}
		named = append(named, placeOf(at))
		if end == q.From {
			home = at.Region
		}
	}
	// Who names one end may be at the other.
	if len(named) == 2 {
		if err := s.mayTouchAny(caller, auth.ListTransfers, named); err != nil {
			return f, nil, err
		}
	}
	for _, region := range s.store.Regions() {
		if (q.Region == "" || q.Region == region) && (home == "" || home == region) {
			homes = append(homes, part{region: region})
		}
	}
	return store.TransferFilter{Status: inventory.TransferStatus(q.Status), Reference: q.Reference, From: q.From, To: q.To}, homes, nil
}
