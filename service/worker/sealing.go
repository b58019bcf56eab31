package worker

import (
	"context"
	"log/slog"
	"time"

	"stockyard/service"
	"stockyard/service/store"
)

// Sealing seals the ledgers of a region's locations once a day. The roots are logged, so that they
// are kept in a place that the database's owner doesn't write to.
func Sealing(s *service.Service, log *slog.Logger) Job {
	var done time.Time // up to when everything is sealed
	return Job{
		Name:  "sealing",
		Every: time.Minute,
		Run: func(ctx context.Context, lease store.Lease) (bool, error) {
			due := service.SealDue(time.Now())
			if done.Equal(due) {
				return false, nil
			}
			made, err := s.SealLocations(ctx, lease, due)
			if err == nil {
				done = due
			}
			for _, seal := range made {
				log.Info("ledger sealed", "location", seal.Location, "region", seal.Region, "up_to", seal.UpTo, "root", seal.Root, "levels", seal.Levels)
			}
			return false, err
		},
	}
}
