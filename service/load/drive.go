package load

import (
	"context"
	crand "crypto/rand"
	"sync"
	"time"
)

func randomBytes(n int) []byte {
	raw := make([]byte, n)
	_, _ = crand.Read(raw) // never fails
	return raw
}

// drive runs the load: the warm-up, then what is measured.
func (r *run) drive(ctx context.Context) {
	r.meter = newMeter()
	sessions := make([]*session, r.plan.Clients)
	for n := range sessions {
		sessions[n] = r.session(n)
	}
	r.say("%s: %d clients for %s after %s of warm-up", r.scenario.name, r.plan.Clients, r.plan.Duration, r.plan.Warmup)
	start := time.Now()
	r.begun, r.ended = start.Add(r.plan.Warmup), start.Add(r.plan.Warmup+r.plan.Duration)
	r.meter.from, r.meter.to = r.begun, r.ended
	watch := r.watchCost()
	var starts <-chan time.Time
	if r.plan.Rate > 0 {
		starts = r.pace(ctx, start)
	}
	var clients sync.WaitGroup
	for _, s := range sessions {
		if starts != nil {
			clients.Go(func() { s.open(ctx, starts) })
		} else {
			clients.Go(func() { s.closed(ctx) })
		}
	}
	clients.Wait()
	r.early = ctx.Err() != nil && time.Now().Before(r.ended)
	if r.early {
		r.ended = time.Now()
	}
	r.cost = watch()
}

// closed starts an operation as soon as the one before is done.
func (s *session) closed(ctx context.Context) {
	for ctx.Err() == nil {
		begun := time.Now()
		if !begun.Before(s.run.ended) {
			return
		}
		s.one(ctx, begun)
	}
}

// open starts an operation at each moment that it gets. A moment that is past, because all clients
// were busy, counts all the same: whoever comes to a slow service waits from when they came.
func (s *session) open(ctx context.Context, starts <-chan time.Time) {
	for at := range starts {
		if ctx.Err() != nil || time.Since(s.run.ended) > backlog {
			s.run.unsent.Add(1)
			continue
		}
		s.one(ctx, at)
	}
}

// backlog is how long after its end a load still sends what no client was free for before.
const backlog = time.Second

func (s *session) one(ctx context.Context, begun time.Time) {
	op := s.run.scenario.next(s)
	a, retries := s.perform(ctx, op)
	s.shard.record(op.kind, a.verdict, retries, begun, time.Now())
}
