package worker

import (
	"context"
	"time"

	"stockyard/service/store"
)

// FeedBatches deletes, on CockroachDB, what the pods have followed. They follow it as it is written, and read what
// they have missed from the database's history, so that it stays only for people who look.
func FeedBatches(st *store.Store) Job {
	const (
		kept = 10 * time.Minute
		most = 800
	)
	var gone time.Time // up to when all are deleted: looking there again would be wading through their remains
	return Job{
		Name:  "feed_batches",
		Every: time.Minute,
		Run: func(ctx context.Context, lease store.Lease) (bool, error) {
			now, err := st.Moment(ctx)
			if err != nil {
				return false, err
			}
			to := now.Add(-kept)
			n, ok, err := st.CleanFeedBatches(ctx, lease, gone, to, most)
			if ok && n == 0 {
				gone = to
			}
			return n > 0, err
		},
	}
}
