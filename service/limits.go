package service

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"stockyard/service/auth"
)

// RateLimited is the refusal of a request of a principal that sends more than its share.
type RateLimited struct{ RetryAfter time.Duration }

func (e *RateLimited) Error() string {
	return fmt.Sprintf("too many requests; the next one is welcome in %s", e.RetryAfter.Round(time.Millisecond))
}

// limits bounds what one principal, and all together, may ask of this pod.
type limits struct {
	perSecond int // 0: no bound
	requests  bound
	watchers  bound

	mu       sync.Mutex
	now, old map[string]*rate.Limiter // two generations: the older one is dropped as a whole
}

// limitersKept bounds the principals that are remembered, in each generation. One that is forgotten
// begins with a full share.
const limitersKept = 10_000

// bound is how many of something there may be at once.
type bound struct {
	most    int64
	running atomic.Int64
}

func (b *bound) enter() (leave func(), err error) {
	if b.running.Add(1) > b.most {
		b.running.Add(-1)
		return nil, ErrOverloaded
	}
	return func() { b.running.Add(-1) }, nil
}

// admit counts a request in, or refuses it. release counts it out again.
// Errors: *RateLimited, ErrOverloaded.
func (l *limits) admit(p auth.Principal, among *bound) (release func(), err error) {
	if l.perSecond > 0 && p.Kind != auth.KindSystem && p.Kind != auth.KindAnonymous {
		if wait := l.of(string(p.Kind) + " " + p.ID).take(); wait > 0 {
			return nil, &RateLimited{wait}
		}
	}
	return among.enter()
}

func (l *limits) of(principal string) *share {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.now[principal]; known != nil {
		return (*share)(known)
	}
	limiter := l.old[principal]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(l.perSecond), l.perSecond)
	}
	if l.now == nil || len(l.now) >= limitersKept {
		l.now, l.old = map[string]*rate.Limiter{}, l.now
	}
	l.now[principal] = limiter
	return (*share)(limiter)
}

// share is what a principal has left: so many requests a second, and a second's worth at once.
type share rate.Limiter

// take takes one request of it, or says how long to wait for the next.
func (s *share) take() (wait time.Duration) {
	reservation := (*rate.Limiter)(s).Reserve()
	if wait = reservation.Delay(); wait > 0 {
		reservation.Cancel()
	}
	return wait
}
