package clients

import (
	"context"
	"math/rand/v2"
	"time"

	"stockyard/service/client"
	"stockyard/service/inventory"
	"stockyard/service/soak/book"
)

// OneTry sends every request once: what its balancer can't place is lost to it.
type OneTry struct {
	shopper *Shopper
}

// NewOneTry makes the n-th of those clients; what it chooses follows from the seed.
func NewOneTry(b *book.Book, by *client.Client, wares Range, seed, n uint64) *OneTry {
	return &OneTry{&Shopper{book: b, by: by, wares: wares, random: rand.New(rand.NewPCG(seed, 1_000_000+n))}}
}

// Run sends until stop is closed. each is told how long a request took, and why it got no answer: ""
// where it got one.
func (o *OneTry) Run(ctx context.Context, stop <-chan struct{}, each func(took time.Duration, problem string)) {
	for s := o.shopper; ctx.Err() == nil; {
		select {
		case <-stop:
			return
		default:
		}
		began, problem := time.Now(), ""
		l := s.line()
		if s.random.IntN(2) == 0 {
			if _, _, err := s.by.Level(ctx, l.Location, l.SKU); err != nil {
				problem = err.Error()
			}
			each(time.Since(began), problem)
			continue
		}
		send, kind := reserve("1s", l), "reserve (once)"
		if s.random.IntN(2) == 0 {
			send, kind = move(inventory.KindReceive, l), "receive (once)"
		}
		if e := s.book.Issue(ctx, s.by, kind, send); e.Outcome == book.Unknown {
			problem = e.Key + ": " + e.Problem
		}
		each(time.Since(began), problem)
	}
}
