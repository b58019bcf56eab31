package auth

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// uses gathers which keys were used and writes it down on the side: no request waits for it, and
// none fails by it.
type uses struct {
	source KeySource
	log    *slog.Logger

	mu      sync.Mutex
	pending map[string]bool
}

const (
	// usesEvery is how often uses are written down; the source keeps it to once a minute a key.
	usesEvery    = 5 * time.Second
	usesTimeout  = 3 * time.Second
	pendingUses  = 10_000
	keptToMinute = time.Minute
)

func (u *uses) note(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending == nil {
		u.pending = map[string]bool{}
	}
	if len(u.pending) < pendingUses {
		u.pending[id] = true
	}
}

// run writes until the context ends, and then once more what is left.
func (u *uses) run(ctx context.Context) {
	tick := time.NewTicker(usesEvery)
	defer tick.Stop()
	written := map[string]time.Time{}
	for {
		select {
		case <-ctx.Done():
			u.write(context.WithoutCancel(ctx), written)
			return
		case <-tick.C:
			u.write(ctx, written)
		}
	}
}

// write writes the pending uses but those of keys that were written less than a minute ago. What
// fails is left: a key that is in use is noted again.
func (u *uses) write(ctx context.Context, written map[string]time.Time) {
	u.mu.Lock()
	pending := u.pending
	u.pending = nil
	u.mu.Unlock()
	maps.DeleteFunc(written, func(_ string, at time.Time) bool { return time.Since(at) >= keptToMinute })
	maps.DeleteFunc(pending, func(id string, _ bool) bool { return !written[id].IsZero() })
	if len(pending) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, usesTimeout)
	defer cancel()
	if err := u.source.KeysUsed(ctx, slices.Collect(maps.Keys(pending))); err != nil {
		u.log.Warn("when keys were last used is not written down", "keys", len(pending), "error", err)
		return
	}
	for id := range pending {
		written[id] = time.Now()
	}
}
