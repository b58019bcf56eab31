package replay

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"stockyard/service/client"
)

// Proof compares the books, read over the public API, with what this run saw happen to the sales.
type Proof struct {
	Compared    int          `json:"compared"` // levels: every warehouse and SKU that has sales there
	Differences []Difference `json:"differences"`
	// Others counts levels at the warehouses that have stock of SKUs which are not in the file:
	// they are none of this replay's, and were not compared.
	Others int `json:"others"`
	// Verification is the server's check of its own invariants.
	Verification client.Verification `json:"verification"`
}

// Difference is one quantity of a stock level that is not what it must be.
type Difference struct {
	Location string `json:"location"`
	SKU      string `json:"sku"`
	Quantity string `json:"quantity"` // on_hand, held, allocated or shortfall
	Want     int64  `json:"want"`
	Got      int64  `json:"got"`
}

// Holds says whether nothing speaks against the books.
func (p *Proof) Holds() bool {
	return p != nil && len(p.Differences) == 0 && p.Verification.Clean
}

// String is one line.
func (p *Proof) String() string {
	verdict := "verify is clean"
	if !p.Verification.Clean {
		violations := 0
		for _, check := range p.Verification.Checks {
			violations += len(check.Violations)
		}
		verdict = fmt.Sprintf("verify found %d violations", violations)
	}
	return fmt.Sprintf("%d stock levels compared, %d differences, %s", p.Compared, len(p.Differences), verdict)
}

// proofPage is the largest page the contract allows.
const proofPage = 1000

// prove reads every level of the warehouses, and the server's own verdict.
func (r *run) prove(ctx context.Context) (*Proof, error) {
	sold := map[string]bool{}
	for _, p := range r.plan.Products {
		sold[p.SKU] = true
	}
	var parts [len(Warehouses)]Proof
	group, groupCtx := errgroup.WithContext(ctx)
	for w := range r.plan.Queues {
		group.Go(func() error {
			q := &r.plan.Queues[w]
			filter := client.StockFilter{Location: q.Location, PageSize: proofPage}
			books := map[string]client.Level{}
			for level, err := range r.routes.to(q.Region, 0).Stock(groupCtx, filter) {
				if err != nil {
					return fmt.Errorf("proof: levels of %s: %w", q.Location, err)
				}
				books[level.SKU] = level
			}
			parts[w] = compare(q, r.tallies[w].moved, books, sold)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	proof := &Proof{Differences: []Difference{}}
	for _, part := range parts {
		proof.Compared += part.Compared
		proof.Others += part.Others
		proof.Differences = append(proof.Differences, part.Differences...)
	}
	var err error
	if proof.Verification, _, err = r.api.Verify(ctx); err != nil {
		return proof, fmt.Errorf("proof: %w", err)
	}
	return proof, nil
}

// compare holds one warehouse's books against opening - fulfilled + returned - written off. A
// level that is not on the books never had an event, and counts as zeros.
func compare(q *Queue, moved map[string]Moved, books map[string]client.Level, sold map[string]bool) Proof {
	want := map[string]int64{}
	for sku, opening := range q.Opened {
		want[sku] = opening
	}
	for sku, m := range moved {
		want[sku] += m.Returned - m.Fulfilled - m.WrittenOff
	}
	var part Proof
	for sku, level := range books {
		switch _, known := want[sku]; {
		case known:
		case sold[sku]:
			want[sku] = 0 // only other warehouses sell it
		case level.OnHand != 0:
			part.Others++
		}
	}
	for sku, onHand := range want {
		got := books[sku]
		for _, pair := range []struct {
			name      string
			want, got int64
		}{
			{"on_hand", onHand, got.OnHand},
			{"held", 0, got.Held},
			{"allocated", 0, got.Allocated},
			{"shortfall", 0, got.Shortfall},
		} {
			if pair.want != pair.got {
				part.Differences = append(part.Differences, Difference{q.Location, sku, pair.name, pair.want, pair.got})
			}
		}
	}
	part.Compared = len(want)
	slices.SortFunc(part.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Quantity, b.Quantity))
	})
	return part
}
