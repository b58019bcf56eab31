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
	var held store.Lease
	var gone time.Time // up to when: to look there again would be to wade through what is left of them
	return Job{
		Name:  "feed_batches",
		Every: time.Minute,
		Run: func(ctx context.Context, lease store.Lease) (bool, error) {
			if lease != held {
				cleaned, err := st.CleanedFeedBatches(ctx, lease)
				if err != nil {
					return false, err
				}
				held, gone = lease, cleaned
			}
			now, err := st.Moment(ctx)
			if err != nil {
				return false, err
			}
			to := now.Add(-kept)
			upTo, ok, err := st.CleanFeedBatches(ctx, lease, gone, to, most)
			if err != nil || !ok {
				return false, err
			}
			gone = upTo
			return gone.Before(to), nil
		},
	}
}
