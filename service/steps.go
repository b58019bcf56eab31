package service

import (
	"context"
	"errors"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
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
	return s.reservationStep(ctx, caller, auth.Confirm, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
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
	return s.reservationStep(ctx, caller, auth.Extend, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.Extend{ID: own, Reference: of, ExpiresIn: life, Meta: meta}
	})
}

// Release gives up a reservation, or units of it.
func (s *Service) Release(ctx context.Context, caller Caller, id string, in StepInput) (Outcome, error) {
	return s.reservationStep(ctx, caller, auth.Release, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.Release{ID: own, Reference: of, Lines: selections(in.Lines), Meta: meta}
	})
}

// Fulfil ships units of a confirmed reservation.
func (s *Service) Fulfil(ctx context.Context, caller Caller, id string, in StepInput) (Outcome, error) {
	return s.reservationStep(ctx, caller, auth.Fulfil, id, in, func(own, of inventory.ID, meta inventory.Meta) inventory.Command {
		return &inventory.Fulfil{ID: own, Reference: of, Lines: selections(in.Lines), Meta: meta}
	})
}

func (s *Service) reservationStep(ctx context.Context, caller Caller, operation auth.Operation, id string, in StepInput, command stepCommand) (Outcome, error) {
	return s.step(ctx, caller, step{
		operation: operation, resource: "reservation", id: id, input: in, command: command,
		places: func(ctx context.Context, of inventory.ID) ([]auth.Place, error) {
			found, err := s.store.Reservation(ctx, of)
			return placesOf(found.Lines), err
		},
	})
}

// step is a step in the life of what was made before: a reservation, a transfer.
type step struct {
	operation auth.Operation
	resource  string // what it is a step of
	id        string // which one
	input     stepInput
	// places gives those at which the caller must be allowed the operation.
	places  func(context.Context, inventory.ID) ([]auth.Place, error)
	command stepCommand
}

type stepInput interface {
	check() error
	words() (reason, reference string)
}

// stepCommand makes a step's command from its own id and that of what it is a step of.
type stepCommand func(own, of inventory.ID, meta inventory.Meta) inventory.Command

func (s *Service) step(ctx context.Context, caller Caller, st step) (Outcome, error) {
	if err := checkKey(caller); err != nil {
		return Outcome{}, err
	}
	if err := st.input.check(); err != nil {
		return Outcome{}, err
	}
	of, err := s.idOf(st.resource, st.id)
	if err != nil {
		return Outcome{}, err
	}
	hash, err := hashInput(string(st.operation), struct {
		ID    string    `json:"id"`
		Input stepInput `json:"input"`
	}{st.id, st.input})
	if err != nil {
		return Outcome{}, err
	}
	err = s.mayTouch(ctx, caller, st.operation, func(ctx context.Context) ([]auth.Place, error) {
		places, err := st.places(ctx, of)
		if errors.Is(err, store.ErrNotFound) {
			return nil, missing(st.resource, st.id)
		}
		return places, fromStore(err, false)
	})
	if err != nil {
		return Outcome{}, err
	}
	own := inventory.ID{Region: of.Region, UUID: random()}
	reason, reference := st.input.words()
	meta := inventory.Meta{Actor: caller.Principal.Actor(), Reason: reason, Reference: reference}
	return s.submit(ctx, caller, task{
		command: st.command(own, of, meta), operation: string(st.operation), home: of.Region, id: own.UUID, hash: hash, lane: of.Lane(), why: meta,
	})
}

func (in StepInput) words() (reason, reference string) { return in.Reason, in.Reference }

func (in StepInput) check() error {
	var c checker
	c.words(in.Reason, in.Reference)
	if in.Lines != nil {
		c.lines(len(in.Lines))
	}
	for i, l := range in.Lines {
		at := lineAt(i)
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

// idOf reads an id; one that no region of this system made names nothing.
func (s *Service) idOf(resource, id string) (inventory.ID, error) {
	of, err := inventory.ParseID(id)
	if err != nil || !s.options.Topology.Has(of.Region) {
		return of, missing(resource, id)
	}
	return of, nil
}
