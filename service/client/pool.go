package client

import (
	"sync/atomic"
	"time"
)

// anyTarget as the first one means: take them in turn.
const anyTarget = -1

// restAfterLoss is how long a target that could not be reached is left alone while another can be
// asked: long enough that a dead pod costs few calls, short enough to notice its return.
const restAfterLoss = 2 * time.Second

type target struct {
	base      string
	restUntil atomic.Int64 // unix nanoseconds
}

// pool is what all views of a client share: which targets there are and which were lost lately.
type pool struct {
	targets []*target
	turn    atomic.Uint64
}

// start chooses the target of a call's first try.
func (p *pool) start(first int) int {
	if first == anyTarget {
		first = int(p.turn.Add(1) % uint64(len(p.targets)))
	}
	return p.awake(first)
}

// after chooses where to go on once target i did not answer.
func (p *pool) after(i int) int {
	return p.awake((i + 1) % len(p.targets))
}

// awake is the first target from i on that is not resting, i itself if all are.
func (p *pool) awake(i int) int {
	now := time.Now().UnixNano()
	for n := range p.targets {
		j := (i + n) % len(p.targets)
		if p.targets[j].restUntil.Load() <= now {
			return j
		}
	}
	return i
}

func (p *pool) lost(i int) {
	p.targets[i].restUntil.Store(time.Now().Add(restAfterLoss).UnixNano())
}
