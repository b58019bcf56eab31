package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// VerificationObserver is told what verifications found.
type VerificationObserver interface {
	// Verified: so many violations were found, and it took so long.
	Verified(violations int, took time.Duration)
	// Counted: so many stock levels there are, as far as is known for so long.
	Counted(counts []inventory.Census, good time.Duration)
	// Alerted: so many alerts of a kind were raised.
	Alerted(kind string, n int)
}

// VerificationOptions say when the books are verified. Zero values mean the defaults named here.
type VerificationOptions struct {
	Every time.Duration // 30s
	// Share bounds how much of the time is spent on verifying: one part in so many, 10. Where the books
	// are large, it is done less often.
	Share int
	// Heard is how many changes the feed has brought so far, of all regions.
	Heard func() int64
	// Large is from how many events on verifying is put off while there is much to do, until it was
	// quiet for Quiet: 10,000, which take some tenths of a second, and 30s.
	Large int64
	Quiet time.Duration
}

const (
	// busyShare is the share of the time while there is much to do.
	busyShare = 200
	// busyFrom is how many changes a second are much.
	busyFrom = 50
	// longestWait is how long verifying is put off at most.
	longestWait = 20 * time.Minute
)

// Verification verifies the books every so often, raises an alert for each violation that has had
// none, and counts stock levels. It stays with one pod: the lease is kept between two verifications.
func Verification(s *service.Service, o VerificationOptions, observe VerificationObserver, log *slog.Logger) Job {
	if o.Every == 0 {
		o.Every = 30 * time.Second
	}
	if o.Share == 0 {
		o.Share = 10
	}
	if o.Large == 0 {
		o.Large = 10_000
	}
	if o.Quiet == 0 {
		o.Quiet = 30 * time.Second
	}
	v := &verifying{service: s, o: o, observe: observe, log: log, next: time.Now()}
	return Job{Name: "verification", Every: min(o.Every, time.Second), Long: true, Run: v.run}
}

// verifying is a pod's worker between two verifications.
type verifying struct {
	service *service.Service
	o       VerificationOptions
	observe VerificationObserver
	log     *slog.Logger

	next  time.Time     // when it is due
	large bool          // the books are, for good: they only grow
	took  time.Duration // how long large books took the last time; 0: not known

	heard   int64     // by then
	looked  time.Time // when
	busyAt  time.Time
	waiting bool // said so
}

func (v *verifying) run(ctx context.Context, lease store.Lease) (bool, error) {
	began := time.Now()
	quiet := v.quiet(began)
	if began.Before(v.next) {
		return false, nil
	}
	if err := v.measure(ctx); err != nil {
		return false, err
	}
	verifying := ctx
	if v.large && began.Sub(v.next) < v.longest() {
		if !quiet {
			v.waits()
			return false, nil
		}
		var stop func()
		verifying, stop = v.unlessBusy(ctx)
		defer stop()
	}
	drift, err := v.service.RaiseDrift(verifying, lease)
	if err != nil && errors.Is(context.Cause(verifying), errBusy) {
		v.busyAt = time.Now()
		v.waits()
		return false, nil
	}
	if err != nil {
		return false, err
	}
	took := time.Since(began)
	pause := max(v.o.Every, time.Duration(v.o.Share)*took)
	v.next, v.waiting = began.Add(pause), false
	if v.large {
		v.took = took
	}
	v.observe.Verified(drift.Violations, took)
	v.observe.Alerted(string(inventory.AlertDrift), drift.Raised)
	if drift.Violations > 0 {
		v.log.Error("the books don't add up; `stockyard verify` names every violation", "violations", drift.Violations, "new_alerts", drift.Raised)
	}
	counts, err := v.service.Census(ctx)
	if err != nil {
		return false, err
	}
	v.observe.Counted(counts, 2*pause+time.Since(began))
	return false, nil
}

// quiet says that there was little to do for a while.
func (v *verifying) quiet(now time.Time) bool {
	heard := v.o.Heard()
	if v.looked.IsZero() || float64(heard-v.heard) > busyFrom*now.Sub(v.looked).Seconds() {
		v.busyAt = now
	}
	v.heard, v.looked = heard, now
	return now.Sub(v.busyAt) >= v.o.Quiet
}

// measure finds out whether the books are large: they take a processor of the database for seconds to
// minutes, which is for the tills to have while they are busy.
func (v *verifying) measure(ctx context.Context) (err error) {
	if !v.large {
		v.large, err = v.service.MoreEventsThan(ctx, v.o.Large)
	}
	return err
}

// longest is how long verifying is put off at most.
func (v *verifying) longest() time.Duration {
	if v.took > 0 {
		return min(longestWait, busyShare*v.took)
	}
	return longestWait
}

// waits says once that verifying waits.
func (v *verifying) waits() {
	if !v.waiting {
		v.waiting = true
		v.log.Info("verification waits for a quiet moment", "longest", v.longest())
	}
}

// errBusy ends a verification that much to do came upon.
var errBusy = errors.New("there is much to do")

// unlessBusy gives a context that ends when there was much to do for a while: a tenth of what counts
// as a quiet moment.
func (v *verifying) unlessBusy(ctx context.Context) (_ context.Context, stop func()) {
	const looks = 3
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(v.o.Quiet / (10 * looks))
		defer tick.Stop()
		heard, at, busy := v.o.Heard(), time.Now(), 0
		for busy < looks {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			more, now := v.o.Heard(), time.Now()
			if float64(more-heard) > busyFrom*now.Sub(at).Seconds() {
				busy++
			} else {
				busy = 0
			}
			heard, at = more, now
		}
		end(errBusy)
	}()
	return ctx, func() { end(nil) }
}
