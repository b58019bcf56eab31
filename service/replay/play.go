package replay

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"stockyard/service/client"
)

// playInvoices works off the queues of all warehouses side by side.
func (r *run) playInvoices(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for w := range r.plan.Queues {
		group.Go(func() error { return r.playQueue(ctx, &r.plan.Queues[w], r.tallies[w]) })
	}
	return group.Wait()
}

// playQueue starts a warehouse's invoices in file order, several at a time. Where stock is short
// it is the server that decides between those under way together.
func (r *run) playQueue(ctx context.Context, q *Queue, t *tally) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(r.options.Workers)
	for n, invoice := range q.Invoices {
		if groupCtx.Err() != nil {
			break
		}
		group.Go(func() error {
			p := player{api: r.routes.to(q.Region, n), location: q.Location, tally: t}
			if err := p.play(groupCtx, invoice); err != nil {
				return fmt.Errorf("invoice %s at %s: %w", invoice.Number, q.Location, err)
			}
			t.invoiceDone()
			r.progress.step()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// player runs one invoice's commands, one after the other.
type player struct {
	api      *client.Client
	location string
	tally    *tally
}

// errOtherRows explains a key that came back with another body.
var errOtherRows = errors.New("this database already holds a replay of an invoice of this number with other rows; use a fresh one")

func (p player) play(ctx context.Context, invoice Invoice) error {
	if err := p.sell(ctx, invoice); err != nil {
		return explain(err)
	}
	for _, command := range invoice.Returns {
		if err := p.move(ctx, command); err != nil {
			return explain(err)
		}
		p.tally.returned(command.Movement.Lines)
	}
	for _, command := range invoice.WriteOffs {
		err := p.move(ctx, command)
		switch {
		case client.IsProblem(err, client.InsufficientStock):
			p.tally.refusedWriteOff()
		case err != nil:
			return explain(err)
		default:
			p.tally.wroteOff(command.Movement.Lines)
		}
	}
	return nil
}

// sell holds all parts of an invoice before it confirms any, so that an invoice of several parts
// is sold as a whole or not at all, too.
func (p player) sell(ctx context.Context, invoice Invoice) error {
	held := make([]string, 0, len(invoice.Sale))
	for i, part := range invoice.Sale {
		key := partKey(invoice.Number, p.location, stepReserve, i+1)
		reservation, call, err := p.api.Reserve(ctx, key, part)
		p.tally.count(call)
		if client.IsProblem(err, client.InsufficientStock) {
			return p.refuse(ctx, invoice, held)
		}
		if err != nil {
			return err
		}
		held = append(held, reservation.ID)
	}
	for i, id := range held {
		_, call, err := p.api.Confirm(ctx, partKey(invoice.Number, p.location, stepConfirm, i+1), id)
		p.tally.count(call)
		// A run that goes on after its holds expired may find the units sold to others meanwhile.
		if client.IsProblem(err, client.ReservationExpired) {
			return p.refuse(ctx, invoice, held)
		}
		if err != nil {
			return err
		}
	}
	for i, id := range held {
		_, call, err := p.api.Fulfil(ctx, partKey(invoice.Number, p.location, stepFulfil, i+1), id)
		if p.tally.count(call); err != nil {
			return err
		}
		p.tally.fulfilled(invoice.Sale[i].Lines)
	}
	return nil
}

// refuse gives back what the parts before the refused one hold. A part that is in conflict with
// that has expired, and promises nothing any more.
func (p player) refuse(ctx context.Context, invoice Invoice, held []string) error {
	p.tally.refusedReservation()
	for i, id := range held {
		_, call, err := p.api.Release(ctx, partKey(invoice.Number, p.location, stepRelease, i+1), id)
		if p.tally.count(call); err != nil && !client.IsProblem(err, client.Conflict) {
			return err
		}
	}
	return nil
}

func (p player) move(ctx context.Context, command Command) error {
	_, call, err := p.api.Move(ctx, command.Key, command.Movement)
	p.tally.count(call)
	return err
}

func explain(err error) error {
	if client.IsProblem(err, client.IdempotencyKeyReused) {
		return fmt.Errorf("%w (%w)", errOtherRows, err)
	}
	return err
}
