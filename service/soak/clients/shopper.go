// Package clients are those who buy, sell, count and ship while things break, and repeat what got no
// answer under the same key at other regions' pods, as real ones do.
package clients

import (
	"context"
	"math/rand/v2"

	"stockyard/service/client"
	"stockyard/service/inventory"
	"stockyard/service/soak/book"
)

// Range is what a run's shoppers buy: few hot SKUs and many cold ones, at several sites.
type Range struct {
	Sites     []string
	Hot, Cold []string
}

// Places are all stock levels of the range.
func (r Range) Places() (all []book.Place) {
	for _, skus := range [][]string{r.Hot, r.Cold} {
		for _, sku := range skus {
			for _, site := range r.Sites {
				all = append(all, book.Place{Location: site, SKU: sku})
			}
		}
	}
	return all
}

// Shopper does one thing after the other, of every kind.
type Shopper struct {
	book   *book.Book
	by     *client.Client
	wares  Range
	random *rand.Rand
	open   []opened
}

// opened is a reservation that the shopper can still do something with.
type opened struct {
	id        string
	confirmed bool
}

// NewShopper makes the n-th shopper of a run; what it chooses follows from the seed.
func NewShopper(b *book.Book, by *client.Client, wares Range, seed, n uint64) *Shopper {
	return &Shopper{book: b, by: by, wares: wares, random: rand.New(rand.NewPCG(seed, n))}
}

// Run shops until stop is closed, and finishes what it is at.
func (s *Shopper) Run(ctx context.Context, stop <-chan struct{}) {
	for ctx.Err() == nil {
		select {
		case <-stop:
			return
		default:
			s.act(ctx)
		}
	}
}

func (s *Shopper) act(ctx context.Context) {
	switch n := s.random.IntN(100); {
	case n < 38:
		s.reserve(ctx)
	case n < 72:
		s.step(ctx)
	case n < 80:
		s.book.Issue(ctx, s.by, "sell", move(inventory.KindSell, s.lines(1+s.random.IntN(2))...))
	case n < 90:
		s.book.Issue(ctx, s.by, "receive", move(inventory.KindReceive, s.lines(1+s.random.IntN(2))...))
	case n < 93:
		l := s.line()
		l.units = s.random.Int64N(30)
		s.book.Issue(ctx, s.by, "count", move(inventory.KindCount, l))
	case n < 97:
		s.transfer(ctx)
	default:
		l := s.line()
		if _, _, err := s.by.Level(ctx, l.Location, l.SKU); err == nil {
			s.book.Answered()
		}
	}
}

// line is of a hot SKU as often as of a cold one, though there are many more of these.
func (s *Shopper) line() line {
	from := s.wares.Cold
	if s.random.IntN(2) == 0 {
		from = s.wares.Hot
	}
	return line{
		book.Place{Location: s.wares.Sites[s.random.IntN(len(s.wares.Sites))], SKU: from[s.random.IntN(len(from))]},
		1 + s.random.Int64N(3),
	}
}

// lines are of different levels.
func (s *Shopper) lines(n int) (lines []line) {
	seen := map[book.Place]bool{}
	for range n {
		if l := s.line(); !seen[l.Place] {
			seen[l.Place] = true
			lines = append(lines, l)
		}
	}
	return lines
}

// holds last long, or so short that many lapse.
var holds = []string{"1s", "2s", "15m", "15m"}

func (s *Shopper) reserve(ctx context.Context) {
	lines := s.lines(1 + s.random.IntN(2))
	if s.random.IntN(4) == 0 {
		lines = lines[:1]
		lines[0].Location = ""
	}
	e := s.book.Issue(ctx, s.by, "reserve", reserve(holds[s.random.IntN(len(holds))], lines...))
	if e.Outcome == book.Accepted {
		s.open = append(s.open, opened{id: e.Answer.ID})
	}
	const most = 12
	if len(s.open) > most {
		s.open = s.open[1:]
	}
}

// step does something with one of the shopper's reservations. One whose step was refused, or has
// an outcome that isn't known, is left alone: it is over, or will be found by the end.
func (s *Shopper) step(ctx context.Context) {
	if len(s.open) == 0 {
		s.reserve(ctx)
		return
	}
	i := s.random.IntN(len(s.open))
	r := s.open[i]
	does, last := confirm, false
	switch n := s.random.IntN(10); {
	case r.confirmed && n < 8:
		does, last = fulfil, true
	case r.confirmed:
		does, last = giveUp, true
	case n < 3:
		does, last = unhold, true
	case n < 5:
		does = prolong
	}
	e := s.book.Issue(ctx, s.by, string(does.kind), does.of(r.id))
	switch {
	case last, e.Outcome != book.Accepted:
		s.open = append(s.open[:i], s.open[i+1:]...)
	case does.kind == inventory.KindConfirm:
		s.open[i].confirmed = true
	}
}

// transfer takes units of a SKU from one site to another, in three commands.
func (s *Shopper) transfer(ctx context.Context) {
	l := s.line()
	to := l.Place
	to.Location = s.wares.Sites[s.random.IntN(len(s.wares.Sites))]
	if to == l.Place {
		return
	}
	planned := s.book.Issue(ctx, s.by, "transfer", transfer(l.Place, to, l.units))
	if planned.Outcome != book.Accepted {
		return
	}
	id := planned.Answer.ID
	if s.book.Issue(ctx, s.by, "ship", ship(id, l.Place, to, l.units)).Outcome == book.Accepted {
		s.book.Issue(ctx, s.by, "arrive", arrive(id, to, l.units))
	}
}
