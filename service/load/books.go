package load

import (
	"sync"
	"sync/atomic"
)

// balance is what a stock level has, as far as this load changes it.
type balance struct {
	onHand, held, allocated int64
}

func (b balance) plus(c balance) balance {
	return balance{b.onHand + c.onHand, b.held + c.held, b.allocated + c.allocated}
}

// effects are what each kind does to its level.
var effects = [kinds]balance{
	reserve: {held: 1},
	confirm: {held: -1, allocated: 1},
	fulfil:  {onHand: -1, allocated: -1},
	receive: {onHand: 1},
	sell:    {onHand: -1},
}

// books are what the answers imply for each level: what must have happened, and what may have.
// A nil books keeps nothing.
type books struct {
	base     []balance // as the service had it before the load
	rest     []rest    // of each level before: what this load never changes
	happened []counters

	mu  sync.Mutex
	may map[int]*spread
}

// rest is what must be as it was.
type rest struct{ quarantined, incoming, shortfall int64 }

type counters struct{ onHand, held, allocated atomic.Int64 }

// spread is how much less and more than what is sure a level may have.
type spread struct{ less, more balance }

func newBooks(levels int) *books {
	return &books{base: make([]balance, levels), rest: make([]rest, levels), happened: make([]counters, levels), may: map[int]*spread{}}
}

// sure takes an operation that was answered as done.
func (b *books) sure(op operation) {
	if b == nil {
		return
	}
	e, c := effects[op.kind], &b.happened[op.level]
	if e.onHand != 0 {
		c.onHand.Add(e.onHand)
	}
	if e.held != 0 {
		c.held.Add(e.held)
	}
	if e.allocated != 0 {
		c.allocated.Add(e.allocated)
	}
}

// unknown takes an operation that nobody knows the outcome of: it may be run yet.
func (b *books) unknown(op operation) {
	e := effects[op.kind]
	if b == nil || e == (balance{}) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.may[op.level]
	if s == nil {
		s = &spread{}
		b.may[op.level] = s
	}
	s.less = s.less.plus(balance{min(e.onHand, 0), min(e.held, 0), min(e.allocated, 0)})
	s.more = s.more.plus(balance{max(e.onHand, 0), max(e.held, 0), max(e.allocated, 0)})
}

// between gives the least and the most that a level may have.
func (b *books) between(level int) (least, most balance) {
	c := &b.happened[level]
	sure := b.base[level].plus(balance{c.onHand.Load(), c.held.Load(), c.allocated.Load()})
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.may[level]; s != nil {
		return sure.plus(s.less), sure.plus(s.more)
	}
	return sure, sure
}
