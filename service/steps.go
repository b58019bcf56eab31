package service

import (
	"context"
	"errors"
	"fmt"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// The steps of a reservation's life after it is made.
const (
	opConfirm = "confirm"
	opExtend  = "extend"
	opRelease = "release"
	opFulfil  = "fulfil"
)

// StepInput is what a step may be told; each listens to its own part.
type StepInput struct {
	Lines     []SelectionInput `json:"lines,omitempty"`
	Reason    string           `json:"reason,omitempty"`
	Reference string           `json:"reference,omitempty"`
	ExpiresIn string           `json:"expires_in,omitempty"`
}

// SelectionInput picks units of a reservation: by line number, or by SKU and perhaps location.
// Without a quantity, all that is left.
type SelectionInput struct {
	Line     int    `json:"line,omitempty"`
	SKU      string `json:"sku,omitempty"`
	Location string `json:"location,omitempty"`
	Quantity *int64 `json:"quantity,omitempty"`
}

// Confirm turns a held reservation into an allocated one.
func (s *Service) Confirm(ctx context.Context, caller Caller, id string, in StepInput) (Outcome, error) {
	return s.step(ctx, caller, opConfirm, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.Confirm{ID: own, Reference: of, Meta: meta}
	})
}

// Extend moves the expiry of a held reservation to ExpiresIn from now.
func (s *Service) Extend(ctx context.Context, caller Caller, id string, in StepInput) (Outcome, error) {
	var c checker
	if in.ExpiresIn == "" {
		c.add("expires_in", "is required")
	}
	life := c.hold(in.ExpiresIn)
	if err := c.err(); err != nil {
		return Outcome{}, err
	}
	return s.step(ctx, caller, opExtend, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.Extend{ID: own, Reference: of, ExpiresIn: life, Meta: meta}
	})
}

// Release gives up a reservation, or units of it.
func (s *Service) Release(ctx context.Context, caller Caller, id string, in StepInput) (Outcome, error) {
	return s.step(ctx, caller, opRelease, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.Release{ID: own, Reference: of, Lines: selections(in.Lines), Meta: meta}
	})
}

// Fulfil ships units of a confirmed reservation.
func (s *Service) Fulfil(ctx context.Context, caller Caller, id string, in StepInput) (Outcome, error) {
	return s.step(ctx, caller, opFulfil, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.Fulfil{ID: own, Reference: of, Lines: selections(in.Lines), Meta: meta}
	})
}

func (s *Service) step(ctx context.Context, caller Caller, operation, id string, in StepInput, command func(own, of inventory.ID, meta inventory.Meta) inventory.Command) (Outcome, error) {
	if err := checkKey(caller); err != nil {
		return Outcome{}, err
	}
	if err := in.check(); err != nil {
		return Outcome{}, err
	}
	of, err := s.reservationID(id)
	if err != nil {
		return Outcome{}, err
	}
	hash, err := hashInput(operation, struct {
		ID    string    `json:"id"`
		Input StepInput `json:"input"`
	}{id, in})
	if err != nil {
		return Outcome{}, err
	}
	op := auth.Operation(operation)
	err = s.mayTouch(ctx, caller, op, func(ctx context.Context) ([]auth.Place, error) {
		found, err := s.store.Reservation(ctx, of)
		if errors.Is(err, store.ErrNotFound) {
			return nil, missing("reservation", id)
		}
		return placesOf(found.Lines), fromStore(err, false)
	})
	if err != nil {
		return Outcome{}, err
	}
	own := inventory.ID{Region: of.Region, UUID: random()}
	meta := inventory.Meta{Actor: caller.Principal.Actor(), Reason: in.Reason, Reference: in.Reference}
	return s.submit(ctx, caller, task{
		command: command(own, of, meta), operation: operation, home: of.Region, id: own.UUID, hash: hash, lane: of.Lane(),
	})
}

func (in StepInput) check() error {
	var c checker
	c.add("reason", inventory.CheckText(in.Reason, maxReason))
	c.add("reference", inventory.CheckText(in.Reference, maxReference))
	if in.Lines != nil {
		c.lines(len(in.Lines))
	}
	for i, l := range in.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		switch {
		case l.Line < 0 || l.Line == 0 && l.SKU == "":
			c.add(at+"line", "must be the number of a line, from 1, unless a sku is given")
		case l.SKU != "":
			c.add(at+"sku", inventory.CheckSKU(l.SKU))
		}
		if l.Location != "" {
			c.add(at+"location", inventory.CheckIdentifier(l.Location))
		}
		if l.Quantity != nil && *l.Quantity < 1 {
			c.add(at+"quantity", "must be at least 1")
		}
	}
	return c.err()
}

func selections(in []SelectionInput) []inventory.LineSelection {
	out := make([]inventory.LineSelection, len(in))
	for i, l := range in {
		out[i] = inventory.LineSelection(l)
	}
	return out
}

// reservationID reads an id; one that no region of this system made names nothing.
func (s *Service) reservationID(id string) (inventory.ID, error) {
	of, err := inventory.ParseID(id)
	if err != nil || !s.options.Topology.Has(of.Region) {
		return of, missing("reservation", id)
	}
	return of, nil
}
