package service

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// gathering has equal reads that come at once share one, which begins after each of them was asked
// for: one that has begun already might miss what was committed since.
type gathering[Key comparable, Answer any] struct {
	mu      sync.Mutex
	running map[Key]*shared[Answer] // what is read now, and the reading that comes after it, if any
}

// shared is a reading that several wait for.
type shared[Answer any] struct {
	next   *shared[Answer]
	ctx    context.Context // that of the first who waits
	done   chan struct{}
	answer Answer
	err    error
}

// gatherTimeout bounds a shared reading: it goes on when the first who waited has gone.
const gatherTimeout = 15 * time.Second

func (g *gathering[Key, Answer]) do(ctx context.Context, key Key, read func(context.Context) (Answer, error)) (Answer, error) {
	g.mu.Lock()
	now := g.running[key]
	if now == nil {
		if g.running == nil {
			g.running = map[Key]*shared[Answer]{}
		}
		g.running[key] = &shared[Answer]{}
		g.mu.Unlock()
		defer g.goOn(key, read)
		return read(ctx)
	}
	if now.next == nil {
		now.next = &shared[Answer]{ctx: ctx, done: make(chan struct{})}
	}
	mine := now.next
	g.mu.Unlock()
	select {
	case <-mine.done:
		return mine.answer, mine.err
	case <-ctx.Done():
		var none Answer
		return none, ctx.Err()
	}
}

// goOn begins the reading that others wait for.
func (g *gathering[Key, Answer]) goOn(key Key, read func(context.Context) (Answer, error)) {
	g.mu.Lock()
	next := g.running[key].next
	if next == nil {
		delete(g.running, key)
		g.mu.Unlock()
		return
	}
	g.mu.Unlock()
	go func() {
		// Those who were just answered run first: they may be back at once, to share this one too.
		runtime.Gosched()
		g.mu.Lock()
		g.running[key] = next
		g.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(next.ctx), gatherTimeout)
		defer cancel()
		defer g.goOn(key, read)
		defer close(next.done)
		next.answer, next.err = read(ctx)
	}()
}
