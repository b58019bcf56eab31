package service

import (
	"context"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Verify checks the invariants at one snapshot. It reads every row: one at a time a pod.
func (s *Service) Verify(ctx context.Context, caller Caller) (store.Verification, error) {
	if err := s.may(caller, auth.Verify); err != nil {
		return store.Verification{}, err
	}
	return s.verify(ctx)
}

func (s *Service) verify(ctx context.Context) (store.Verification, error) {
	if !s.verifying.TryLock() {
		return store.Verification{}, ErrOverloaded
	}
	defer s.verifying.Unlock()
	v, err := s.store.Verify(ctx)
	return v, fromStore(err, false)
}

// Census counts the stock levels of every region. It reads each of them. Errors: ErrUnavailable.
func (s *Service) Census(ctx context.Context) ([]inventory.Census, error) {
	counts, err := s.store.Census(ctx)
	return counts, fromStore(err, false)
}

// MoreEventsThan says whether the ledger has more events than n. It counts no further. Errors: ErrUnavailable.
func (s *Service) MoreEventsThan(ctx context.Context, n int64) (bool, error) {
	more, err := s.store.MoreEventsThan(ctx, n)
	return more, fromStore(err, false)
}
