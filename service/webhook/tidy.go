package webhook

import (
	"context"
	"time"

	"stockyard/service"
	"stockyard/service/store"
)

const (
	// tidyEvery is how often what is done with is deleted, secrets are sealed with the newest key, and
	// figures are read.
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
		if err := l.reseal(ctx, w); err != nil {
			return err
		}
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

// reseal encrypts secrets with the newest key, so that older ones may go.
func (l *leader) reseal(ctx context.Context, w store.Webhook) error {
	changed := false
	anew := func(sealed []byte) []byte {
		if len(sealed) == 0 || l.o.Secrets.Fresh(sealed) {
			return sealed
		}
		owner := service.WebhookOwner(w.Name)
		secret, err := l.o.Secrets.Open(owner, sealed)
		if err != nil { // whoever sends with it finds out
			return sealed
		}
		if again, err := l.o.Secrets.Seal(owner, secret); err == nil {
			sealed, changed = again, true
		}
		return sealed
	}
	secret, old := anew(w.Secret), anew(w.OldSecret)
	if !changed {
		return nil
	}
	return l.o.Store.Reseal(ctx, l.lease, w, secret, old)
}

// whole deletes batch after batch until one isn't full.
func whole(batch func() (int, error)) error {
	for {
		if n, err := batch(); err != nil || n < tidyBatch {
			return err
		}
	}
}
