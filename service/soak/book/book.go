// Package book keeps what clients were told, command by command, and judges a ledger by it.
package book

import (
	"context"
	"fmt"
	"sync"
	"time"

	"stockyard/service/client"
	"stockyard/service/inventory"
)

// Outcome is what a client knows of a command of its.
type Outcome int

// The outcomes. Open is one that is under way; Unknown one that nobody answered for good.
const (
	Open Outcome = iota
	Accepted
	Refused
	Unknown
)

func (o Outcome) String() string {
	return [...]string{"open", "accepted", "refused", "unknown"}[o]
}

// Place is a stock level as clients name it.
type Place struct{ Location, SKU string }

func (p Place) String() string { return p.Location + "/" + p.SKU }

// Effect is what one event does to a stock level.
type Effect struct {
	Place
	Kind   inventory.Kind
	Deltas inventory.Balances
}

func (e Effect) String() string {
	d := e.Deltas
	return fmt.Sprintf("%s %s: on_hand %+d, held %+d, allocated %+d, incoming %+d, shortfall %+d",
		e.Kind, e.Place, d.OnHand, d.Held, d.Allocated, d.Incoming, d.Shortfall)
}

// Answer is what a command that was accepted is known to have done.
type Answer struct {
	ID          string // of the movement, reservation or transfer
	IsNew       bool   // the command made it, so that its own id is the same
	Effects     []Effect
	Reservation *client.Reservation
	Transfer    *client.Transfer
	Level       *client.Level // after it, where the answer says so
}

// Send sends a command under a key by a client: the same one each time.
type Send func(ctx context.Context, by *client.Client, key string) (Answer, client.Call, error)

// Entry is a command of a client.
type Entry struct {
	Key     string
	Kind    string
	Outcome Outcome
	Problem string // of a refusal: its name; of an unknown outcome: the last failure
	Answer  Answer
	Retries int // calls after the first

	Began, Ended time.Time
	send         Send
}

// Book is all commands of a run. It is safe for concurrent use.
type Book struct {
	Run string // begins every key

	mu          sync.Mutex
	entries     []*Entry
	findings    []string
	lastSuccess time.Time
	outage      time.Duration
	replayed    int
}

// New makes an empty book. run must be one that no other run has.
func New(run string) *Book { return &Book{Run: run} }

// Issue sends a command, under a key of its own, and enters what its client was told.
func (b *Book) Issue(ctx context.Context, by *client.Client, kind string, send Send) *Entry {
	b.mu.Lock()
	e := &Entry{Key: fmt.Sprintf("%s/%s/%d", b.Run, kind, len(b.entries)+1), Kind: kind, send: send, Began: time.Now()}
	b.entries = append(b.entries, e)
	b.mu.Unlock()
	answer, call, err := send(ctx, by, e.Key)
	b.enter(e, answer, call, err)
	return e
}

func (b *Book) enter(e *Entry, answer Answer, call client.Call, err error) {
	outcome, name, finding := judge(err)
	b.mu.Lock()
	defer b.mu.Unlock()
	e.Ended, e.Outcome, e.Problem, e.Answer = time.Now(), outcome, name, answer
	e.Retries += call.Retries
	if call.Replayed {
		b.replayed++
	}
	if finding != "" {
		b.findings = append(b.findings, e.Key+": "+finding)
	}
	if outcome != Unknown {
		b.answered(e.Ended)
	}
}

// Answered notes that something was answered: how long nothing was is the longest unavailability.
func (b *Book) Answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answered(time.Now())
}

func (b *Book) answered(now time.Time) {
	if !b.lastSuccess.IsZero() {
		b.outage = max(b.outage, now.Sub(b.lastSuccess))
	}
	b.lastSuccess = now
}

// Pause says that nobody asks for a while: that nothing is answered then is no unavailability.
func (b *Book) Pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastSuccess = time.Time{}
}

// Settle repeats what has an unknown outcome, each under its key, until it is answered.
func (b *Book) Settle(ctx context.Context, by *client.Client) {
	slots := make(chan struct{}, 16)
	var wg sync.WaitGroup
	for _, e := range b.With(Unknown) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			answer, call, err := e.send(ctx, by, e.Key)
			b.enter(e, answer, call, err)
		})
	}
	wg.Wait()
}

// With lists the entries of an outcome.
func (b *Book) With(o Outcome) (found []*Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.Outcome == o {
			found = append(found, e)
		}
	}
	return found
}

// Len is how many commands there were.
func (b *Book) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.entries)
}
