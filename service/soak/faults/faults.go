// Package faults breaks what a yard consists of, one thing after the other, as a seed says.
package faults

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"stockyard/service/soak/yard"
)

// fault is one way to break something, and to mend it before Do returns.
type fault struct {
	name     string
	weight   int
	possible func(*yard.Yard) bool
	do       func(context.Context, *yard.Yard, *rand.Rand) error
}

// groups are the faults: a file holds each group, and a line in it names each fault. Those of
// different groups come at the same time.
var groups = [][]fault{links, machines}

// Trouble makes faults.
type Trouble struct {
	yard   *yard.Yard
	random []*rand.Rand // one for each group, so that the choices of one don't depend on the other's speed
	// Pace is about how long it rests between faults.
	Pace time.Duration

	mu    sync.Mutex
	count map[string]int
}

// New makes the trouble of a seed.
func New(y *yard.Yard, seed uint64, pace time.Duration) *Trouble {
	t := &Trouble{yard: y, Pace: pace, count: map[string]int{}}
	for i := range groups {
		t.random = append(t.random, rand.New(rand.NewPCG(seed, uint64(i))))
	}
	return t
}

// Run breaks things until stop is closed, and mends what it is at.
func (t *Trouble) Run(ctx context.Context, stop <-chan struct{}) error {
	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	for i, group := range groups {
		wg.Go(func() { errs[i] = t.run(ctx, group, t.random[i], stop) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Trouble) run(ctx context.Context, group []fault, random *rand.Rand, stop <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel() // what waits with something broken mends it now
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(t.Pace/2 + time.Duration(random.Int64N(int64(t.Pace)))):
		}
		f := draw(group, t.yard, random)
		if err := f.do(ctx, t.yard, random); err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		t.mu.Lock()
		t.count[f.name]++
		t.mu.Unlock()
	}
}

func draw(group []fault, y *yard.Yard, random *rand.Rand) fault {
	sum := 0
	for _, f := range group {
		if f.possible(y) {
			sum += f.weight
		}
	}
	n := random.IntN(sum)
	for _, f := range group {
		if !f.possible(y) {
			continue
		}
		if n -= f.weight; n < 0 {
			return f
		}
	}
	return group[0]
}

// Count is how many faults of each name there were.
func (t *Trouble) Count() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.count)
}

func always(*yard.Yard) bool { return true }

// between is a time at random.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
