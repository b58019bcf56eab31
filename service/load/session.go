package load

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// session is one client of the load: it has one operation under way at a time.
type session struct {
	run    *run
	door   door
	target int
	place  int // the location that it deals with
	random *rand.Rand
	keys   *rand.ChaCha8 // apart from the choices, which can be had again by their seed
	zipf   *rand.Zipf
	shard  *shard

	held, allocated promises
}

func (r *run) session(n int) *session {
	s := &session{run: r, door: r.doors.open(n, &r.stage, r.scenario.steps), target: n % len(r.plan.Targets), shard: r.meter.shard(n)}
	if !r.scenario.one {
		s.place = r.stage.placeOf[s.target]
	}
	s.random = rand.New(rand.NewPCG(r.plan.Seed, uint64(n)))
	s.zipf = rand.NewZipf(s.random, popularity, 1, uint64(r.plan.SKUs-1))
	s.keys = newKeys()
	return s
}

func (s *session) levelOf(sku int) int { return s.run.stage.level(s.place, sku) }

func (s *session) popular() int { return s.levelOf(int(s.zipf.Uint64())) }

// key is one that nobody had before, and that lies anywhere among the others, as callers' keys do.
func (s *session) key() string {
	var raw [12]byte
	_, _ = s.keys.Read(raw[:]) // never fails
	var text [24]byte
	hex.Encode(text[:], raw[:])
	return s.run.tag + string(text[:])
}

// perform brings an operation to an end: an answer, or giving up. Attempts that were asked to come
// back or got no answer are repeated under the same key, at another pod where there is one.
func (s *session) perform(ctx context.Context, op operation) (a answer, retries int64) {
	const attempt = 30 * time.Second
	if op.kind != availability {
		op.key = s.key()
	}
	begun, at, settled := time.Now(), s.target, true
	for {
		left := s.run.plan.GiveUpAfter - time.Since(begun)
		s.run.attempts.Add(1)
		a = s.door.try(at, op, min(max(left, time.Millisecond), attempt))
		if a.why != "" {
			s.run.failures.add(op.kind, a.why)
		}
		if a.verdict != later && a.verdict != lost {
			break
		}
		settled = false
		pause := pauseBefore(retries+1, a.after)
		if time.Since(begun)+pause > s.run.plan.GiveUpAfter || !sleep(ctx, pause) {
			break
		}
		retries++
		if a.verdict == lost {
			at = (at + 1) % len(s.run.plan.Targets)
		}
	}
	s.settle(op, a, settled)
	return a, retries
}

// settle keeps the books, and what there is to take further. settled says that no attempt but the
// last one can have had an effect.
func (s *session) settle(op operation, a answer, settled bool) {
	switch a.verdict {
	case done:
		s.run.books.sure(op)
		s.remember(op, a)
	case refused:
		// The key's first answer: nothing was done, in whichever attempt.
	case wrong:
		if !settled {
			s.run.books.unknown(op)
		}
	case later, lost, broken:
		s.run.books.unknown(op)
	}
}

// remember keeps what can be taken further, for scenarios that do.
func (s *session) remember(op operation, a answer) {
	if !s.run.scenario.steps {
		return
	}
	if op.kind == reserve {
		s.held.put(promise{op.level, a.id})
	}
	if op.kind == confirm {
		s.allocated.put(promise{op.level, op.id})
	}
}

const (
	firstPause = 20 * time.Millisecond
	maxPause   = 2 * time.Second
)

// pauseBefore is the pause before the n-th retry: doubled each time, by half random, and no
// shorter than the service asked for.
func pauseBefore(n int64, after time.Duration) time.Duration {
	pause := min(maxPause, firstPause<<min(n-1, 10))
	pause = pause/2 + rand.N(pause/2)
	if after > 0 {
		return max(pause, after+rand.N(after/4+1))
	}
	return pause
}

// sleep says whether it wasn't cut short.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// promise is a reservation that can be taken further.
type promise struct {
	level int
	id    string
}

// promises are taken oldest first, and forgotten beyond a bound: they stay as they are.
type promises struct {
	ring  []promise
	first int
	count int
}

const maxPromises = 256

func (q *promises) put(p promise) {
	if p.id == "" || q.count == maxPromises {
		return
	}
	if q.ring == nil {
		q.ring = make([]promise, maxPromises)
	}
	q.ring[(q.first+q.count)%len(q.ring)] = p
	q.count++
}

func (q *promises) take() (promise, bool) {
	if q.count == 0 {
		return promise{}, false
	}
	p := q.ring[q.first]
	q.first = (q.first + 1) % len(q.ring)
	q.count--
	return p, true
}

// newTag is what this run's keys begin with.
func newTag() string { return "load-" + hex.EncodeToString(randomBytes(4)) + "-" }

func newKeys() *rand.ChaCha8 { return rand.NewChaCha8([32]byte(randomBytes(32))) }
