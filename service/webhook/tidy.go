package webhook

import (
	"context"
	"time"

	"stockyard/service/store"
)

const (
	// tidyEvery is how often what is done with is deleted, and figures are read.
	tidyEvery = 15 * time.Second
	// tidyBatch is how many rows are deleted in one transaction.
	tidyBatch = 1000
)

// tidy deletes what is done with and reads figures, for as long as the lease is held.
func (l *leader) tidy(ctx context.Context) {
	for {
		if err := l.tidyOnce(ctx); err != nil && ctx.Err() == nil {
			l.o.Log.Warn("deliveries of webhooks not tidied", "error", err)
		}
		if rest(ctx, tidyEvery) != nil {
			return
		}
	}
}

func (l *leader) tidyOnce(ctx context.Context) error {
	var outstanding int64
	var oldest time.Duration
	err := l.each(ctx, func(w store.Webhook) error {
		n, age, err := l.o.Store.PendingDeliveries(ctx, w)
		if err != nil {
			return err
		}
		outstanding, oldest = outstanding+n, max(oldest, age)
		for status, keep := range map[string]time.Duration{store.DeliveryDelivered: l.o.KeepDelivered, store.DeliveryParked: l.o.KeepParked} {
			if err := whole(func() (int, error) {
				return l.o.Store.CleanDeliveries(ctx, l.lease, w, status, keep, tidyBatch)
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.o.Observer.Outstanding(outstanding, oldest)
	deleted, err := l.o.Store.DeletedWebhooks(ctx, l.o.Region)
	if err != nil {
		return err
	}
	for _, id := range deleted {
		if err := whole(func() (int, error) {
			return l.o.Store.CleanDeleted(ctx, l.lease, l.o.Region, id, tidyBatch)
		}); err != nil {
			return err
		}
	}
	return nil
}

// whole deletes batch after batch until one isn't full.
func whole(batch func() (int, error)) error {
	for {
		if n, err := batch(); err != nil || n < tidyBatch {
			return err
		}
	}
}
