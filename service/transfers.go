package service

import (
	"context"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// TransferInput is a transfer as callers send it.
type TransferInput struct {
	From      string              `json:"from"`
	To        string              `json:"to"`
	Lines     []TransferLineInput `json:"lines"`
	Reference string              `json:"reference,omitempty"`
}

// TransferLineInput is a line of a transfer.
type TransferLineInput struct {
	SKU      string `json:"sku"`
	Quantity *int64 `json:"quantity"`
}

// TransferStepInput is what a step may be told; each listens to its own part.
type TransferStepInput struct {
	Lines       []ArrivalInput `json:"lines,omitempty"`
	Disposition string         `json:"disposition,omitempty"`
	Reason      string         `json:"reason,omitempty"`
	Reference   string         `json:"reference,omitempty"`
}

// ArrivalInput is units of a transfer that arrived; Quarantined of them are not fit for sale.
type ArrivalInput struct {
	SKU         string `json:"sku"`
	Quantity    *int64 `json:"quantity"`
	Quarantined int64  `json:"quarantined,omitempty"`
}

// CreateTransfer plans a transfer. No stock moves before it is shipped.
func (s *Service) CreateTransfer(ctx context.Context, caller Caller, in TransferInput) (Outcome, error) {
	if err := checkKey(caller); err != nil {
		return Outcome{}, err
	}
	if err := s.may(caller, auth.CreateTransfer); err != nil {
		return Outcome{}, err
	}
	c, err := in.command()
	if err != nil {
		return Outcome{}, err
	}
	for _, end := range []*inventory.Place{&c.From, &c.To} {
		key, err := s.level(ctx, end.Location, "")
		if err != nil {
			return Outcome{}, err
		}
		end.Region = key.Region
	}
	if err := s.mayAt(caller, auth.CreateTransfer, auth.Place(c.From)); err != nil {
		return Outcome{}, err
	}
	c.ID = inventory.NewID(c.From.Level(c.Lines[0].SKU), random(), c.From.Region != c.To.Region)
	hash, err := hashInput(string(auth.CreateTransfer), in)
	if err != nil {
		return Outcome{}, err
	}
	return s.submit(ctx, caller, task{
		command: c, operation: string(auth.CreateTransfer), home: c.ID.Region, id: c.ID.UUID, hash: hash, lane: c.ID.Lane(),
		why: inventory.Meta{Reference: in.Reference},
	})
}

// command turns the input into a command, or names what is wrong with it.
func (in TransferInput) command() (*inventory.CreateTransfer, error) {
	var w checker
	c := &inventory.CreateTransfer{
		From: inventory.Place{Location: in.From}, To: inventory.Place{Location: in.To}, Reference: in.Reference,
	}
	w.add("from", inventory.CheckIdentifier(in.From))
	w.add("to", inventory.CheckIdentifier(in.To))
	w.add("reference", inventory.CheckText(in.Reference, maxReference))
	w.lines(len(in.Lines))
	for i, l := range in.Lines[:min(len(in.Lines), MaxLines)] {
		at := lineAt(i)
		w.add(at+"sku", inventory.CheckSKU(l.SKU))
		c.Lines = append(c.Lines, inventory.TransferOrder{SKU: l.SKU, Quantity: w.required(at+"quantity", l.Quantity)})
	}
	w.wrong = append(w.wrong, c.Check()...)
	return c, w.err()
}

// required reads a quantity that must be there. What it gives for one that isn't is not found wrong
// again.
func (c *checker) required(field string, quantity *int64) int64 {
	if quantity == nil {
		c.add(field, "is required")
		return 1
	}
	return *quantity
}

// ShipTransfer sends a draft on its way.
func (s *Service) ShipTransfer(ctx context.Context, caller Caller, id string, in TransferStepInput) (Outcome, error) {
	return s.transferStep(ctx, caller, auth.ShipTransfer, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.ShipTransfer{ID: own, Reference: of, Meta: meta}
	})
}

// ReceiveTransfer takes in what arrived.
func (s *Service) ReceiveTransfer(ctx context.Context, caller Caller, id string, in TransferStepInput) (Outcome, error) {
	lines, err := in.arrivals()
	if err != nil {
		return Outcome{}, err
	}
	return s.transferStep(ctx, caller, auth.ReceiveTransfer, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.ReceiveTransfer{ID: own, Reference: of, Lines: lines, Meta: meta}
	})
}

// CloseTransfer ends a transfer of which units never arrived: they are lost, or were returned.
func (s *Service) CloseTransfer(ctx context.Context, caller Caller, id string, in TransferStepInput) (Outcome, error) {
	var c checker
	var known []string
	for _, d := range inventory.Dispositions {
		known = append(known, string(d))
	}
	c.oneOf("disposition", in.Disposition, known...)
	if err := c.err(); err != nil {
		return Outcome{}, err
	}
	return s.transferStep(ctx, caller, auth.CloseTransfer, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.CloseTransfer{ID: own, Reference: of, Disposition: inventory.Disposition(in.Disposition), Meta: meta}
	})
}

// CancelTransfer gives up a draft.
func (s *Service) CancelTransfer(ctx context.Context, caller Caller, id string, in TransferStepInput) (Outcome, error) {
	return s.transferStep(ctx, caller, auth.CancelTransfer, id, in, func(_, of inventory.ID, _ inventory.Meta) inventory.Command {
		return &inventory.CancelTransfer{Reference: of}
	})
}

// transferStep runs a step. A transfer is its sender's until it arrives: receiving is for who may do
// so at the destination, all else for who may at the origin.
func (s *Service) transferStep(ctx context.Context, caller Caller, operation auth.Operation, id string, in TransferStepInput, command stepCommand) (Outcome, error) {
	return s.step(ctx, caller, step{
		operation: operation, resource: "transfer", id: id, input: in, command: command,
		places: func(ctx context.Context, of inventory.ID) ([]auth.Place, error) {
			found, err := s.store.Transfer(ctx, of)
			if operation == auth.ReceiveTransfer {
				return []auth.Place{auth.Place(found.To)}, err
			}
			return []auth.Place{auth.Place(found.From)}, err
		},
	})
}

func (in TransferStepInput) words() (reason, reference string) { return in.Reason, in.Reference }

func (in TransferStepInput) check() error {
	var c checker
	c.words(in.Reason, in.Reference)
	return c.err()
}

func (in TransferStepInput) arrivals() ([]inventory.TransferArrival, error) {
	var w checker
	var c inventory.ReceiveTransfer
	w.words(in.Reason, in.Reference)
	w.lines(len(in.Lines))
	for i, l := range in.Lines[:min(len(in.Lines), MaxLines)] {
		at := lineAt(i)
		w.add(at+"sku", inventory.CheckSKU(l.SKU))
		quantity := w.required(at+"quantity", l.Quantity)
		if l.Quantity == nil {
			l.Quarantined = 0
		}
		c.Lines = append(c.Lines, inventory.TransferArrival{SKU: l.SKU, Quantity: quantity, Quarantined: l.Quarantined})
	}
	w.wrong = append(w.wrong, c.Check()...)
	return c.Lines, w.err()
}
