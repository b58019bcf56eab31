package replay

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"stockyard/service/client"
)

// fillCatalogue puts the warehouses and products. PUT of the same again changes nothing, so that
// it needs no key and no look at what is there.
func (r *run) fillCatalogue(ctx context.Context) error {
	for _, w := range Warehouses {
		call, err := r.api.PutLocation(ctx, client.Location{
			Name: w.Location, Title: w.Title, Region: w.Region, Kind: "warehouse", Country: w.Country,
		})
		if r.catalogue.count(call); err != nil {
			return fmt.Errorf("warehouse %s: %w", w.Location, err)
		}
		r.progress.step()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.options.Workers)
	for _, p := range r.plan.Products {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			call, err := r.api.PutProduct(ctx, p)
			if r.catalogue.count(call); err != nil {
				return fmt.Errorf("product %q: %w", p.SKU, err)
			}
			r.progress.step()
			return nil
		})
	}
	return group.Wait()
}

// openStock receives the opening stock, one command after the other: a database that was opened
// otherwise refuses the very first one, before anything has changed.
func (r *run) openStock(ctx context.Context) error {
	for w := range r.plan.Queues {
		q, tally := &r.plan.Queues[w], r.tallies[w]
		tally.start()
		for n, command := range q.Opening {
			_, call, err := r.routes.to(q.Region, n).Move(ctx, command.Key, command.Movement)
			tally.count(call)
			switch {
			case client.IsProblem(err, client.IdempotencyKeyReused):
				return fmt.Errorf("opening stock of %s at %d percent: %w", q.Location, r.options.OpeningPercent, ErrOtherOpening)
			case err != nil:
				return fmt.Errorf("opening stock of %s: %w", q.Location, err)
			}
			r.progress.step()
		}
	}
	return nil
}
