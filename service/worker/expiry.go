package worker

import (
	"context"
	"time"

	"stockyard/service"
	"stockyard/service/store"
)

// Expiry tidies lapsed holds away. observe is told how many it found and how late it was.
func Expiry(s *service.Service, every time.Duration, observe func(found int, lag time.Duration)) Job {
	const most = 1000
	return Job{
		Name:  "expiry",
		Every: every,
		Run: func(ctx context.Context, lease store.Lease) (bool, error) {
			found, lag, err := s.ExpireLapsed(ctx, lease, most)
			if err == nil {
				observe(found, lag)
			}
			return found == most, err
		},
	}
}
