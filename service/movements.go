package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

const opMove = string(auth.Move)

// MovementInput is a movement as callers send it. What a line may say can be said once for all
// lines, on the movement.
type MovementInput struct {
	Kind        string              `json:"kind"`
	Lines       []MovementLineInput `json:"lines"`
	Reason      string              `json:"reason,omitempty"`
	Reference   string              `json:"reference,omitempty"`
	Channel     string              `json:"channel,omitempty"`
	EffectiveAt *time.Time          `json:"effective_at,omitempty"`
	MovementOptions
}

// MovementLineInput is a line of a movement.
type MovementLineInput struct {
	Location  string           `json:"location"`
	SKU       string           `json:"sku"`
	Quantity  *int64           `json:"quantity"`
	IfVersion *int64           `json:"if_version,omitempty"`
	UnitCost  *inventory.Money `json:"unit_cost,omitempty"`
	MovementOptions
}

// MovementOptions are what some kinds listen to; given to others they are refused.
type MovementOptions struct {
	AllowShortfall *bool  `json:"allow_shortfall,omitempty"` // sell
	AsOfVersion    *int64 `json:"as_of_version,omitempty"`   // count
	To             string `json:"to,omitempty"`              // return: available or quarantined
	From           string `json:"from,omitempty"`            // scrap: available or quarantined
}

// Move runs a movement.
func (s *Service) Move(ctx context.Context, caller Caller, in MovementInput) (Outcome, error) {
	if err := checkKey(caller); err != nil {
		return Outcome{}, err
	}
	return s.move(ctx, caller, in)
}

func (s *Service) move(ctx context.Context, caller Caller, in MovementInput) (Outcome, error) {
	t, err := s.movementTask(ctx, caller, in)
	if err != nil {
		return Outcome{}, err
	}
	return s.submit(ctx, caller, t)
}

// movementTask turns the input into a command, or names what is wrong with it.
func (s *Service) movementTask(ctx context.Context, caller Caller, in MovementInput) (task, error) {
	if err := s.may(caller, auth.Move); err != nil {
		return task{}, err
	}
	var c checker
	c.words(in.Reason, in.Reference)
	if in.Channel != "" {
		c.add("channel", inventory.CheckIdentifier(in.Channel))
	}
	c.lines(len(in.Lines))
	m := &inventory.Movement{
		Kind: inventory.Kind(in.Kind),
		Meta: inventory.Meta{
			Actor: caller.Principal.Actor(), Reason: in.Reason, Reference: in.Reference, Channel: in.Channel,
			EffectiveAt: c.effective(in.EffectiveAt),
		},
	}
	if len(in.Lines) <= MaxLines {
		forAll := c.options(m.Kind, in.MovementOptions)
		for i, l := range in.Lines {
			m.Lines = append(m.Lines, c.movementLine(lineAt(i), l, forAll))
		}
		c.wrong = append(c.wrong, m.Check()...)
	}
	if err := c.err(); err != nil {
		return task{}, err
	}
	var barred *inventory.Refusal
	if _, err := s.checkChannel(ctx, in.Channel); err != nil && !errors.As(err, &barred) {
		return task{}, err
	}
	for i := range m.Lines {
		l := &m.Lines[i].Level
		key, err := s.level(ctx, l.Location, l.SKU)
		if err != nil {
			return task{}, err
		}
		*l = key
		if err := s.mayMove(caller, m, i); err != nil {
			return task{}, err
		}
	}
	m.ID = inventory.NewID(m.Lines[0].Level, random(), false)
	hash, err := hashInput(opMove, in)
	return task{command: m, operation: opMove, home: m.ID.Region, id: m.ID.UUID, hash: hash, lane: m.ID.Lane(), why: m.Meta, barred: barred}, err
}

func (s *Service) mayMove(caller Caller, m *inventory.Movement, line int) error {
	op := auth.MoveKind(string(m.Kind))
	if m.Lines[line].AllowShortfall {
		op = auth.MoveShort
	}
	return s.mayAt(caller, op, placeOf(m.Lines[line].Level))
}

func (c *checker) movementLine(at string, in MovementLineInput, all MovementOptions) inventory.MovementLine {
	c.add(at+"location", inventory.CheckIdentifier(in.Location))
	c.add(at+"sku", inventory.CheckSKU(in.SKU))
	if in.IfVersion != nil && *in.IfVersion < 0 {
		c.add(at+"if_version", "must be at least 0")
	}
	c.wrong = append(c.wrong, in.UnitCost.Check(at+"unit_cost")...)
	line := in.or(all).line()
	line.Level, line.IfVersion, line.UnitCost = inventory.LevelKey{SKU: in.SKU, Location: in.Location}, in.IfVersion, in.UnitCost
	if in.Quantity == nil {
		c.add(at+"quantity", "is required")
		line.Quantity = 1 // so that the kind's own check doesn't name it again
	} else {
		line.Quantity = *in.Quantity
	}
	return line
}

// options names what is wrong with those that a movement has for all its lines, once and where they
// stand, and gives those that lines may go by.
func (c *checker) options(kind inventory.Kind, all MovementOptions) MovementOptions {
	if !slices.Contains(inventory.MovementKinds(), kind) {
		return all
	}
	wrong := all.line().CheckOptions(kind)
	if len(wrong) == 0 {
		return all
	}
	c.wrong = append(c.wrong, wrong...)
	return MovementOptions{}
}

func (o MovementOptions) line() inventory.MovementLine {
	return inventory.MovementLine{
		AsOfVersion: o.AsOfVersion, AllowShortfall: o.AllowShortfall != nil && *o.AllowShortfall,
		To: inventory.Bucket(o.To), From: inventory.Bucket(o.From),
	}
}

// or fills what a line leaves out with what the movement says for all.
func (o MovementOptions) or(all MovementOptions) MovementOptions {
	if o.AllowShortfall == nil {
		o.AllowShortfall = all.AllowShortfall
	}
	if o.AsOfVersion == nil {
		o.AsOfVersion = all.AsOfVersion
	}
	if o.To == "" {
		o.To = all.To
	}
	if o.From == "" {
		o.From = all.From
	}
	return o
}
