package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// OnError says what a batch does when one of its commands is refused; "" is Continue.
type OnError string

// Continue takes each command by itself; Abort takes all or none.
const (
	Continue OnError = "continue"
	Abort    OnError = "abort"
)

// ItemOutcome is what became of one command of a batch. FirstRequest is the batch's, whatever became
// of the command.
type ItemOutcome struct {
	Outcome
	Err error
}

// Repeated says that a batch was answered before and that nothing of it was done only now.
func Repeated(outcomes []ItemOutcome) bool {
	return !slices.ContainsFunc(outcomes, func(o ItemOutcome) bool {
		var again *ReplayedRefusal
		var refusal *inventory.Refusal
		switch {
		case o.FirstRequest == "":
			return true
		case o.Replayed, errors.As(o.Err, &again), errors.Is(o.Err, ErrAborted):
			return false
		}
		return !errors.As(o.Err, &refusal) || refusal.Kind.Recorded()
	})
}

// ErrAborted is the outcome of the commands of an all-or-nothing batch that another one spoiled.
var ErrAborted = errors.New("another command of the batch was refused")

// MoveBatch runs movements as a batch.
func (s *Service) MoveBatch(ctx context.Context, caller Caller, on OnError, items []MovementInput) ([]ItemOutcome, error) {
	return runBatch(ctx, s, caller, on, batchOf[MovementInput]{
		operation: auth.MoveBatch, items: items, field: "movements", lines: func(in MovementInput) int { return len(in.Lines) },
		one: s.move, task: s.movementTask,
	})
}

// ReserveBatch makes reservations as a batch.
func (s *Service) ReserveBatch(ctx context.Context, caller Caller, on OnError, items []ReservationInput) ([]ItemOutcome, error) {
	return runBatch(ctx, s, caller, on, batchOf[ReservationInput]{
		operation: auth.ReserveBatch, items: items, field: "reservations", lines: func(in ReservationInput) int { return len(in.Lines) },
		one: s.reserve,
		// An all-or-nothing batch is one decision: it sees all levels at once.
		task: func(ctx context.Context, caller Caller, in ReservationInput) (task, error) {
			return s.reservationTask(ctx, caller, in, true)
		},
	})
}

// batchOf is what a batch of one kind of command is made of.
type batchOf[In any] struct {
	operation auth.Operation
	items     []In
	field     string
	lines     func(In) int
	one       func(context.Context, Caller, In) (Outcome, error)
	task      func(context.Context, Caller, In) (task, error)
}

func runBatch[In any](ctx context.Context, s *Service, caller Caller, on OnError, b batchOf[In]) ([]ItemOutcome, error) {
	if err := s.may(caller, b.operation); err != nil {
		return nil, err
	}
	if on == "" {
		on = Continue
	}
	if err := checkBatch(caller, on, b); err != nil {
		return nil, err
	}
	hash, err := hashInput(string(b.operation)+" "+string(on), b.items)
	if err != nil {
		return nil, err
	}
	if on == Abort {
		return b.together(ctx, s, caller, hash)
	}
	return b.each(ctx, s, caller, hash)
}

func checkBatch[In any](caller Caller, on OnError, b batchOf[In]) error {
	if err := checkKey(caller); err != nil {
		return err
	}
	var c checker
	c.oneOf("on_error", string(on), string(Continue), string(Abort))
	switch n := len(b.items); {
	case n == 0:
		c.add(b.field, "must have at least one command")
	case n > MaxCommands:
		c.limit(b.field, fmt.Sprintf("has %d commands; at most %d are allowed in a batch", n, MaxCommands))
	}
	lines := 0
	for _, in := range b.items {
		lines += b.lines(in)
	}
	if on == Abort && lines > MaxGroupLines {
		c.limit(b.field, fmt.Sprintf("have %d lines together; at most %d are allowed in a batch that takes effect all or none", lines, MaxGroupLines))
	}
	return c.err()
}

// keyOfItem stands between a batch's key and the number of one of its commands. It is not printable,
// so that no caller's key can be that of a batch's command.
const keyOfItem = "\x1f"

// each runs the commands by themselves, side by side. The batch's own key is taken first: the same
// key with another batch is refused before any of it runs. A batch that was interrupted goes on
// where it stood when it is sent again, because each command has a key that follows from the batch's.
func (b batchOf[In]) each(ctx context.Context, s *Service, caller Caller, hash []byte) ([]ItemOutcome, error) {
	outcomes := make([]ItemOutcome, len(b.items))
	var batch Outcome
	if !caller.DryRun {
		home, err := b.home(ctx, s)
		if err != nil {
			return nil, err
		}
		batch, err = s.submit(ctx, caller, task{command: &inventory.Group{}, operation: string(b.operation), home: home, id: random(), hash: hash, lane: hashLane(caller.Key)})
		if err != nil {
			return nil, err
		}
	}
	const sideBySide = 64
	var wg sync.WaitGroup
	slots := make(chan struct{}, sideBySide)
	for i, in := range b.items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			own := caller
			if own.Key != "" {
				own.Key += keyOfItem + strconv.Itoa(i+1)
			}
			outcomes[i].Outcome, outcomes[i].Err = b.one(ctx, own, in)
			outcomes[i].FirstRequest = batch.FirstRequest
		})
	}
	wg.Wait()
	return outcomes, nil
}

// home is where a batch's key lives: with the first of its commands that is well-formed. Whether the
// caller may run that one doesn't matter: a repeat finds the key whatever its grants are by then.
func (b batchOf[In]) home(ctx context.Context, s *Service) (string, error) {
	looking := Caller{Principal: auth.System("batch")}
	for _, in := range b.items {
		t, err := b.task(ctx, looking, in)
		var refusal *inventory.Refusal
		switch {
		case err == nil:
			return t.home, nil
		case !errors.As(err, &refusal):
			return "", err
		}
	}
	return s.options.Topology.Primary, nil
}

// together runs the commands as one.
func (b batchOf[In]) together(ctx context.Context, s *Service, caller Caller, hash []byte) ([]ItemOutcome, error) {
	group := &inventory.Group{}
	whole := task{command: group, operation: string(b.operation), id: random(), hash: hash}
	for i, in := range b.items {
		t, err := b.task(ctx, caller, in)
		if err != nil {
			return b.spoiled(err, i)
		}
		if i == 0 {
			whole.home, whole.lane = t.home, t.lane
		}
		if t.barred != nil && whole.barred == nil {
			barred := *t.barred
			barred.Item, whole.barred = i, &barred
		}
		group.Commands = append(group.Commands, t.command)
	}
	outcome, err := s.submit(ctx, caller, whole)
	if err != nil {
		var refusal *inventory.Refusal
		if errors.As(err, &refusal) {
			return b.spoiled(err, refusal.Item)
		}
		return nil, err
	}
	outcomes := make([]ItemOutcome, len(b.items))
	for i, answer := range outcome.Group {
		outcomes[i].Outcome = Outcome{Answer: answer, Replayed: outcome.Replayed, FirstRequest: outcome.FirstRequest}
	}
	return outcomes, nil
}

// spoiled is the outcome of a batch of which one command was refused, and so all.
func (b batchOf[In]) spoiled(err error, item int) ([]ItemOutcome, error) {
	var refusal *inventory.Refusal
	if !errors.As(err, &refusal) {
		return nil, err
	}
	outcomes := make([]ItemOutcome, len(b.items))
	var before *ReplayedRefusal
	errors.As(err, &before)
	for i := range outcomes {
		outcomes[i].Err = ErrAborted
		if before != nil {
			outcomes[i].FirstRequest = before.FirstRequest
		}
	}
	outcomes[item].Err = err
	return outcomes, nil
}
