package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/telemetry/tracing"
)

// settle runs a batch until its outcome is known. A commit whose outcome nobody knows, and a key
// that turns out to be there already, are settled alike: by running the batch again with its keys
// looked up. What was committed is found; what wasn't is decided anew, and its unique key makes
// sure that at most one of both runs takes effect.
func (s *Service) settle(ctx context.Context, batch []*job) ([]result, error) {
	// A database that stays away leaves the batch's callers with "unknown, repeat the key" rather
	// than the whole lane waiting.
	const patience = 3 * time.Second
	var unknownSince time.Time
	lookUp, unknown := false, false
	for attempt := 1; ; attempt++ {
		results, err := s.runBatch(ctx, batch, lookUp)
		switch {
		case err == nil:
			return results, nil
		case errors.Is(err, store.ErrAmbiguous):
			if !unknown {
				unknownSince = time.Now()
			}
			lookUp, unknown = true, true
			tracing.Retried(ctx, "outcome_unknown")
		case errors.Is(err, store.ErrDuplicateKey) && attempt < 10:
			lookUp = true
			tracing.Retried(ctx, "duplicate_key")
		case unknown && (errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrContention)):
			// The database must come back to say what became of the commit.
		default:
			return nil, fromStore(err, unknown)
		}
		if unknown && time.Since(unknownSince) > patience {
			return nil, ErrOutcomeUnknown
		}
		if unknown && wait(ctx, min(time.Duration(attempt)*20*time.Millisecond, 500*time.Millisecond)) != nil {
			return nil, ErrOutcomeUnknown
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// runBatch reads, decides and writes a batch in one transaction: two round trips, and one more
// where stock levels have to be made, or lapsed holds expired.
//
// A panic, a bug in the rules that one command runs into, is a failure like another: the rest of
// the batch, and of the pod, goes on.
func (s *Service) runBatch(ctx context.Context, batch []*job, lookUp bool) (results []result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	needs := batchNeeds(batch, lookUp)
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		results = make([]result, len(batch))
		rows, err := tx.ReadBatch(ctx, needs)
		if err != nil {
			return err
		}
		if err := readNames(ctx, tx, rows, needs.SKUs); err != nil {
			return err
		}
		commands, err := decideBatch(ctx, tx, rows, batch, results)
		if err != nil {
			return err
		}
		changes := rows.State.Changes()
		if changes.IsEmpty() && len(commands) == 0 {
			tx.Nothing()
			return nil
		}
		tx.WriteBatch(changes, commands)
		return nil
	})
	return results, err
}

func batchNeeds(batch []*job, lookUp bool) (n store.BatchNeeds) {
	for _, j := range batch {
		if j.barred == nil {
			n.Add(j.command.Needs())
		}
		if (lookUp || j.barred != nil) && j.keyed() {
			n.Keys = append(n.Keys, j.key())
		}
		if j.under != nil {
			n.Leases = append(n.Leases, *j.under)
		}
	}
	return n
}

// readNames asks the catalogue about stock levels that were never touched.
func readNames(ctx context.Context, tx *store.Tx, rows store.BatchRows, sourced []string) error {
	skus := rows.State.Unstocked(sourced)
	var locations []string
	for _, key := range rows.State.Untouched(rows.Levels) {
		skus = append(skus, key.SKU)
		locations = append(locations, key.Location)
	}
	if len(skus) == 0 {
		return nil
	}
	return tx.ReadCatalogue(ctx, rows.State, skus, locations)
}

// decideBatch decides the commands in turn. Those that find too little while holds have lapsed
// come after the others, once the lapsed holds are read.
func decideBatch(ctx context.Context, tx *store.Tx, rows store.BatchRows, batch []*job, results []result) ([]store.Recorded, error) {
	state := rows.State
	var commands []store.Recorded
	open := make([]int, 0, len(batch))
	for i, j := range batch {
		if before, found := rows.Recorded[j.key()]; found && j.keyed() {
			results[i] = j.replay(before)
			continue
		}
		if j.under != nil && !rows.Held[*j.under] {
			results[i] = result{err: ErrFenced}
			continue
		}
		open = append(open, i)
	}
	for limit := 1000; ; limit *= 10 {
		var postponed []int
		for _, i := range open {
			written, err := batch[i].decide(state, &results[i])
			switch {
			case errors.Is(err, inventory.ErrWantsLapsed):
				postponed = append(postponed, i)
			case err != nil:
				return nil, err
			case written != nil:
				commands = append(commands, *written)
			}
		}
		if len(postponed) == 0 {
			return commands, nil
		}
		open = postponed
		if err := tx.ReadLapsed(ctx, state, state.WantsLapsed(), limit); err != nil {
			return nil, err
		}
	}
}

func (j *job) keyed() bool { return j.caller.Key != "" && !j.caller.DryRun }

func (j *job) key() store.CommandKey { return store.CommandKey{Region: j.home, Key: j.caller.Key} }

// decide decides the command and gives the row to keep under its key, nil for none.
func (j *job) decide(state *inventory.State, r *result) (*store.Recorded, error) {
	if j.barred != nil {
		*r = result{err: j.barred}
		return nil, nil //nolint:nilerr // the refusal is the command's result, and no failure of the batch
	}
	before := state.Events()
	answer, err := state.Decide(j.command, j.caller.DryRun)
	var refusal *inventory.Refusal
	switch {
	case errors.As(err, &refusal):
		*r = result{err: refusal}
		if !refusal.Kind.Recorded() {
			return nil, nil
		}
	case errors.Is(err, inventory.ErrLookWider):
		*r = result{err: inventory.ErrLookWider}
		return nil, nil
	case err != nil:
		return nil, err
	default:
		*r = result{outcome: Outcome{Answer: answer}}
	}
	if !j.keyed() {
		return nil, nil
	}
	stored, err := encodeAnswer(answer, refusal)
	if err != nil {
		return nil, err
	}
	id := inventory.ID{Region: j.home, UUID: j.id}
	if answer.Reservation != nil && j.operation == opReserve {
		id = answer.Reservation.ID
	}
	return &store.Recorded{
		CommandKey: j.key(), ID: id, Operation: j.operation, InputHash: j.hash,
		Refused: refusal != nil, Events: state.Events() - before, Answer: stored,
		Actor: j.caller.Principal.Actor(), RequestID: j.caller.RequestID, RecordedAt: state.RecordedAt(),
		Gateway: j.gateway, Reason: j.why.Reason, Reference: j.why.Reference, Shard: j.shard,
	}, nil
}

// replay gives the answer that is kept under the command's key.
func (j *job) replay(before store.Recorded) result {
	if !bytes.Equal(before.InputHash, j.hash) {
		return result{err: ErrKeyReused}
	}
	answer, refusal, err := decodeAnswer(before.Answer)
	switch {
	case err != nil:
		return result{err: errors.Join(ErrInternal, err)}
	case refusal != nil:
		return result{err: &ReplayedRefusal{refusal, before.RequestID}}
	}
	return result{outcome: Outcome{Answer: answer, Replayed: true, FirstRequest: before.RequestID}}
}
