package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"stockyard/service/client"
	"stockyard/service/inventory"
	"stockyard/service/soak/book"
	"stockyard/service/soak/linear"
)

// Hot is a level that many probe at once, until enough is known of it: then another SKU takes its
// place, and its history is handed in. Short histories are what makes checking them end.
type Hot struct {
	Site    string
	Prefix  string // of its SKUs
	Most    int    // operations of a history
	Unknown int    // operations without an outcome, at which a history ends early
	Fresh   func(ctx context.Context, sku string) error
	Done    func(*linear.History)

	mu      sync.Mutex
	skus    int
	current *probed
}

// probed is one SKU's turn.
type probed struct {
	book.Place
	history *linear.History
	users   int
	over    bool
}

// take gives the level that is probed now, making the next one when it is time.
func (h *Hot) take(ctx context.Context) (*probed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != nil {
		if all, unknown := h.current.history.Len(); all >= h.Most || unknown >= h.Unknown {
			h.retire()
		}
	}
	if h.current == nil {
		h.skus++
		sku := fmt.Sprintf("%s-%d", h.Prefix, h.skus)
		if err := h.Fresh(ctx, sku); err != nil {
			return nil, err
		}
		place := book.Place{Location: h.Site, SKU: sku}
		h.current = &probed{Place: place, history: linear.NewHistory(place.String())}
	}
	h.current.users++
	return h.current, nil
}

func (h *Hot) give(p *probed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.users--
	if p.over && p.users == 0 {
		h.Done(p.history)
	}
}

// Retire ends the present turn: its history is handed in once nobody is at it.
func (h *Hot) Retire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retire()
}

func (h *Hot) retire() {
	if p := h.current; p != nil {
		p.over, h.current = true, nil
		if p.users == 0 {
			h.Done(p.history)
		}
	}
}

// Places are all levels there were.
func (h *Hot) Places() (all []book.Place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.skus {
		all = append(all, book.Place{Location: h.Site, SKU: fmt.Sprintf("%s-%d", h.Prefix, i+1)})
	}
	return all
}

// Prober does what concerns one hot level only, and enters it in the level's history as well.
type Prober struct {
	book   *book.Book
	by     *client.Client
	hot    *Hot
	random *rand.Rand
	number int
	at     *probed
	open   []promised
}

type promised struct {
	id        string
	units     int64
	confirmed bool
}

// NewProber makes the n-th prober of a run; what it chooses follows from the seed.
func NewProber(b *book.Book, by *client.Client, hot *Hot, seed, n uint64) *Prober {
	return &Prober{book: b, by: by, hot: hot, random: rand.New(rand.NewPCG(seed, n)), number: int(n)}
}

// Run probes until stop is closed, and finishes what it is at.
func (p *Prober) Run(ctx context.Context, stop <-chan struct{}) {
	for ctx.Err() == nil {
		select {
		case <-stop:
			return
		default:
		}
		at, err := p.hot.take(ctx)
		if err != nil {
			continue // the pods are away; the call has taken its time
		}
		if at != p.at {
			p.at, p.open = at, nil
		}
		p.act(ctx)
		p.hot.give(at)
	}
}

func (p *Prober) act(ctx context.Context) {
	units := 1 + p.random.Int64N(3)
	l := line{p.at.Place, units}
	switch n := p.random.IntN(100); {
	case n < 50:
		p.read(ctx)
	case n < 68:
		p.reserve(ctx, l)
	case n < 91:
		p.step(ctx)
	case n < 94:
		p.issue(ctx, linear.Input{Kind: linear.Sell, Units: units}, move(inventory.KindSell, l))
	case n < 97:
		l.units *= 4
		p.issue(ctx, linear.Input{Kind: linear.Receive, Units: l.units}, move(inventory.KindReceive, l))
	default:
		l.units = p.random.Int64N(40)
		p.issue(ctx, linear.Input{Kind: linear.Count, Units: l.units}, move(inventory.KindCount, l))
	}
}

func (p *Prober) read(ctx context.Context) {
	returned := p.at.history.Call(p.number, linear.Input{Kind: linear.Read})
	level, _, err := p.by.Level(ctx, p.at.Location, p.at.SKU)
	if err != nil {
		returned(linear.Output{Result: linear.Unknown})
		return
	}
	p.book.Answered()
	returned(linear.Output{Level: stateOf(level)})
}

func (p *Prober) reserve(ctx context.Context, l line) {
	e := p.issue(ctx, linear.Input{Kind: linear.Reserve, Units: l.units}, reserve("12h", l))
	if e.Outcome == book.Accepted {
		p.open = append(p.open, promised{id: e.Answer.ID, units: l.units})
	}
}

func (p *Prober) step(ctx context.Context) {
	if len(p.open) == 0 {
		p.read(ctx)
		return
	}
	i := p.random.IntN(len(p.open))
	r := p.open[i]
	kind, does := linear.Confirm, confirm
	switch n := p.random.IntN(3); {
	case r.confirmed && n > 0:
		kind, does = linear.Fulfil, fulfil
	case r.confirmed:
		kind, does = linear.GiveUp, giveUp
	case n > 0:
		kind, does = linear.Release, unhold
	}
	e := p.issue(ctx, linear.Input{Kind: kind, Units: r.units}, does.of(r.id))
	if e.Outcome == book.Accepted && kind == linear.Confirm {
		p.open[i].confirmed = true
		return
	}
	p.open = append(p.open[:i], p.open[i+1:]...)
}

// issue sends a command and enters it in the book and in the level's history.
func (p *Prober) issue(ctx context.Context, in linear.Input, send book.Send) *book.Entry {
	returned := p.at.history.Call(p.number, in)
	e := p.book.Issue(ctx, p.by, string(in.Kind)+" (hot)", send)
	out := linear.Output{Result: linear.Unknown}
	switch e.Outcome {
	case book.Accepted:
		out.Result = linear.Accepted
		if e.Answer.Level != nil {
			out.Level = stateOf(*e.Answer.Level)
		}
	case book.Refused:
		out.Result = linear.Refused
	case book.Open, book.Unknown:
	}
	returned(out)
	return e
}

func stateOf(l client.Level) *linear.State {
	return &linear.State{OnHand: l.OnHand, Held: l.Held, Allocated: l.Allocated, Shortfall: l.Shortfall, Version: l.Version}
}
