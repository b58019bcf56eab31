// Package worker runs the background work of a region: each pod could, the holder of a lease does.
// A pod that dies loses nothing: its leases expire and another pod goes on.
package worker

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"sync"
	"time"

	"stockyard/service/store"
)

// Job is one kind of background work. Run takes one bounded batch; busy says that there is more,
// so that it runs again at once instead of after Every. Its context ends before the lease does.
type Job struct {
	Name  string
	Every time.Duration
	// Long says that a run may take longer than a lease lasts: the lease is renewed beside it.
	Long bool
	Run  func(ctx context.Context, lease store.Lease) (busy bool, err error)
}

// Runner runs jobs for a region, each under a lease of its own.
type Runner struct {
	Store  *store.Store
	Region string
	Log    *slog.Logger
	// Lease is how long a lease lasts without renewal: after a pod's death its work rests that
	// long. 0 means 10s.
	Lease time.Duration
	// Ran, where set, is told of each run how it ended. One that wasn't done by the end of its lease
	// failed.
	Ran func(worker string, err error)

	holder string
}

// Run runs the jobs until the context ends, and gives their leases back.
func (r *Runner) Run(ctx context.Context, jobs ...Job) {
	if r.Lease == 0 {
		r.Lease = 10 * time.Second
	}
	host, _ := os.Hostname()
	r.holder = host + "/" + rand.Text()[:8]
	var wg sync.WaitGroup
	for _, job := range jobs {
		wg.Go(func() { r.loop(ctx, job) })
	}
	wg.Wait()
}

func (r *Runner) loop(ctx context.Context, job Job) {
	defer r.release(ctx, job)
	var held held
	for {
		pause := job.Every
		lease, ok := r.hold(ctx, job, &held)
		switch {
		case !ok:
			pause = r.Lease / 3
		case r.runOnce(ctx, job, lease, &held):
			pause = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// held is a lease and how long this pod may believe in it.
type held struct {
	lease store.Lease
	until time.Time
}

// hold has the lease: it was taken not long ago, or is renewed or taken now.
func (r *Runner) hold(ctx context.Context, job Job, h *held) (store.Lease, bool) {
	if time.Until(h.until) > r.Lease*2/3 {
		return h.lease, true
	}
	// What is asked for counts from before the asking, so that the pod never believes longer than
	// the database does.
	until := time.Now().Add(r.Lease)
	ctx, cancel := context.WithTimeout(ctx, r.Lease/2)
	defer cancel()
	lease, ok, err := r.Store.TakeLease(ctx, r.Region, job.Name, r.holder, r.Lease)
	if err != nil {
		r.Log.Debug("no lease", "worker", job.Name, "region", r.Region, "error", err)
	}
	if err != nil || !ok {
		return store.Lease{}, false
	}
	if lease.Token != h.lease.Token {
		r.Log.Info("worker runs here", "worker", job.Name, "region", r.Region, "token", lease.Token)
	}
	h.lease, h.until = lease, until
	return lease, true
}

func (r *Runner) runOnce(ctx context.Context, job Job, lease store.Lease, held *held) (busy bool) {
	running, cancel := context.WithDeadline(ctx, held.until)
	if job.Long {
		running, cancel = r.keep(ctx, job, lease, held)
	}
	defer cancel()
	busy, err := job.Run(running, lease)
	if err != nil && ctx.Err() != nil {
		return false // not its fault: the pod goes away
	}
	if r.Ran != nil {
		r.Ran(job.Name, err)
	}
	if err != nil {
		r.Log.Warn("worker failed", "worker", job.Name, "region", r.Region, "error", err)
		return false
	}
	return busy && running.Err() == nil
}

// keep renews a lease until done is called. The context that it gives ends before the lease does.
func (r *Runner) keep(ctx context.Context, job Job, lease store.Lease, held *held) (kept context.Context, done func()) {
	kept, cancel := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer cancel()
		for {
			select {
			case <-kept.Done():
				return
			case <-time.After(min(r.Lease/3, time.Until(held.until))):
			}
			if !time.Now().Before(held.until) {
				return
			}
			asking, stop := context.WithDeadline(kept, held.until)
			now, ok := r.hold(asking, job, held)
			stop()
			if ok && now.Token != lease.Token {
				return
			}
		}
	})
	return kept, func() {
		cancel()
		renewing.Wait()
	}
}

func (r *Runner) release(ctx context.Context, job Job) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = r.Store.ReleaseLease(ctx, r.Region, job.Name, r.holder) // else it expires by itself
}
