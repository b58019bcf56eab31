package worker_test

import (
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
	"stockyard/service/worker"
)

type verifications struct{ done atomic.Int64 }

func (v *verifications) Verified(int, time.Duration)             { v.done.Add(1) }
func (*verifications) Counted([]inventory.Census, time.Duration) {}
func (*verifications) Alerted(string, int)                       {}

// Large books are not verified while much is written, and are once it was quiet for a while; small
// ones are verified whatever happens.
func TestLargeBooksAreVerifiedInQuiet(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		s := service.New(db.Store, service.Options{Region: region, Topology: db.Topology})
		t.Cleanup(s.Close)
		sku := rand.Text()
		stockUp(t, s, sku, 1)
		for range 5 {
			move(t, s, sku, "receive", 1)
		}
		for _, of := range []struct {
			large int64
			waits bool
		}{{large: 1_000_000}, {large: 5, waits: true}} {
			var asked, heard atomic.Int64
			var calm atomic.Bool
			seen := &verifications{}
			stop := start(t, db.Store, 5*time.Second, worker.Verification(s, worker.VerificationOptions{
				Every: 10 * time.Millisecond, Large: of.large, Quiet: 100 * time.Millisecond,
				Heard: func() int64 {
					asked.Add(1)
					if calm.Load() {
						return heard.Load()
					}
					return heard.Add(1_000_000)
				},
			}, seen, slog.New(slog.DiscardHandler)))
			eventually(t, "it was due many times, or was done", func() bool { return asked.Load() > 30 || seen.done.Load() > 0 })
			if done := seen.done.Load(); of.waits != (done == 0) {
				t.Errorf("large from %d events on: verified %d times while it was busy", of.large, done)
			}
			calm.Store(true)
			eventually(t, "it is done", func() bool { return seen.done.Load() > 0 })
			stop()
		}
	})
}
