package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

const opExpire = "expire"

// ExpireLapsed tidies away holds of a region that are over, up to a number of them, under a lease.
// It gives how many there were, and how long the first of them had been over. Nothing waits for
// it: commands and reads count a lapsed hold as free from its time on.
func (s *Service) ExpireLapsed(ctx context.Context, lease store.Lease, most int) (found int, lag time.Duration, err error) {
	ids, lag, err := s.store.LapsedReservations(ctx, lease.Region, most)
	if err != nil {
		return 0, 0, fromStore(err, false)
	}
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	slots := make(chan struct{}, s.options.BatchSize)
	for i, id := range ids {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = s.expire(ctx, lease, id)
		})
	}
	wg.Wait()
	return len(ids), lag, errors.Join(errs...)
}

// expire needs no key: by its nature it takes effect once.
func (s *Service) expire(ctx context.Context, lease store.Lease, id inventory.ID) error {
	own := inventory.ID{Region: id.Region, UUID: random()}
	_, err := s.submit(ctx, Caller{Principal: auth.System("worker/" + lease.Name)}, task{
		command:   &inventory.Expire{ID: own, Reference: id},
		operation: opExpire, home: id.Region, id: own.UUID, lane: id.Lane(), under: &lease,
	})
	return err
}
