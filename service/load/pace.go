package load

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// pace gives the moments at which operations are meant to start. It sleeps in the system rather
// than in the Go runtime, whose timers can be a millisecond late when nothing else goes on: as much
// as an operation takes.
func (r *run) pace(ctx context.Context, start time.Time) <-chan time.Time {
	const waiting = 1 << 16
	starts := make(chan time.Time, waiting)
	total := int64(r.plan.Rate * (r.plan.Warmup + r.plan.Duration).Seconds())
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(starts)
		for n := range total {
			at := start.Add(time.Duration(float64(n) / r.plan.Rate * float64(time.Second)))
			for left := time.Until(at); left > 0; left = time.Until(at) {
				pause(min(left, 100*time.Millisecond))
				if ctx.Err() != nil {
					return
				}
			}
			r.meter.late(time.Since(at))
			select {
			case starts <- at:
				continue
			default:
			}
			timeout := time.NewTimer(time.Until(r.ended))
			select {
			case starts <- at:
				timeout.Stop()
			case <-timeout.C:
				r.unsent.Add(total - n)
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return starts
}

// pause sleeps for microseconds, give or take 50.
func pause(d time.Duration) {
	t := unix.NsecToTimeval(int64(max(d, time.Microsecond)))
	_, _ = unix.Select(0, nil, nil, nil, &t) // a signal may end it early: the caller looks at the clock
}
