package load

import (
	"context"
	"fmt"

	"stockyard/service/client"
)

// maxDifferences is how many are described; all are counted.
const maxDifferences = 20

// Proof compares the service's books with what its answers imply.
type Proof struct {
	// Skipped says that nobody asked for it.
	Skipped bool `json:"skipped,omitempty"`
	// Levels is how many stock levels were compared.
	Levels int `json:"levels"`
	// Unknown is how many of them have a span of right values, because operations that changed them
	// were never answered.
	Unknown int `json:"unknown"`
	// Wrong is how many differ from what the answers imply, or have a quantity below zero.
	Wrong int `json:"wrong"`
	// Differences describe the first of those.
	Differences []string `json:"differences"`
}

// prove reads all levels and compares them.
func (r *run) prove(ctx context.Context, report *Report) error {
	p := Proof{Differences: []string{}}
	defer func() { report.Proof = p }()
	if r.books == nil {
		p.Skipped = true
		return nil
	}
	r.say("comparing the books")
	found := make([]client.Level, r.stage.levels())
	if err := r.eachLevel(ctx, func(level int, l client.Level) { found[level] = l }); err != nil {
		return fmt.Errorf("reading the books after the load: %w", err)
	}
	p.Levels, p.Unknown = len(found), len(r.books.may)
	for level := range found {
		wrong := r.books.compare(level, &found[level])
		if wrong == "" {
			continue
		}
		if p.Wrong++; len(p.Differences) < maxDifferences {
			p.Differences = append(p.Differences, r.stage.location(level)+"/"+r.stage.sku(level)+": "+wrong)
		}
	}
	if p.Wrong > 0 {
		return fmt.Errorf("%w: %d of %d stock levels (was somebody else at the stock of --prefix %s?)", ErrBooks, p.Wrong, p.Levels, r.plan.Prefix)
	}
	return nil
}

// compare says what is wrong with a level, "" if nothing.
func (b *books) compare(level int, l *client.Level) string {
	for _, n := range []int64{
		l.OnHand, l.Held, l.Allocated, l.Quarantined, l.Incoming, l.Shortfall, l.Available, l.OnHand - l.Held - l.Allocated - l.Quarantined,
	} {
		if n < 0 {
			return fmt.Sprintf("oversold: on_hand %d, held %d, allocated %d, quarantined %d, incoming %d, shortfall %d, available %d",
				l.OnHand, l.Held, l.Allocated, l.Quarantined, l.Incoming, l.Shortfall, l.Available)
		}
	}
	least, most := b.between(level)
	for _, q := range []struct {
		name            string
		is, least, most int64
	}{
		{"on_hand", l.OnHand, least.onHand, most.onHand},
		{"held", l.Held, least.held, most.held},
		{"allocated", l.Allocated, least.allocated, most.allocated},
	} {
		switch {
		case q.least == q.most && q.is != q.least:
			return fmt.Sprintf("%s is %d, the answers imply %d", q.name, q.is, q.least)
		case q.is < q.least || q.is > q.most:
			return fmt.Sprintf("%s is %d, the answers imply %d to %d", q.name, q.is, q.least, q.most)
		}
	}
	if is := (rest{l.Quarantined, l.Incoming, l.Shortfall}); is != b.rest[level] {
		return fmt.Sprintf("quarantined, incoming, shortfall are %d, and were %d, which this load doesn't change", is, b.rest[level])
	}
	return ""
}
