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
)

// lane runs one transaction at a time. Commands for the same stock level meet here, so that they
// share a transaction instead of fighting over the row.
type lane struct {
	service *Service
	queue   chan *job
	done    chan struct{}
}

type job struct {
	task
	caller Caller
	ctx    context.Context
	done   chan result
	// twins came in the same batch under the same key: they get what this one gets.
	twins []*job
}

type result struct {
	outcome Outcome
	err     error
}

// run takes what has gathered while the last batch ran. It never waits to fill a batch: an idle
// lane runs a single command at once.
func (l *lane) run() {
	defer close(l.done)
	for {
		select {
		case j := <-l.queue:
			l.process(l.gather(j))
		case <-l.service.stopping:
			for {
				select {
				case j := <-l.queue:
					l.process(l.gather(j))
				default:
					return
				}
			}
		}
	}
}

// gather takes a batch off the queue: up to BatchSize commands, without those whose callers have
// given up, and up to a bound of rows, so that huge commands don't make one huge transaction.
func (l *lane) gather(first *job) (batch []*job) {
	const maxRows = 4 * MaxLines
	rows := 0
	byKey := map[store.CommandKey]*job{}
	add := func(j *job) {
		if err := j.ctx.Err(); err != nil {
			j.done <- result{err: err}
			return
		}
		if j.keyed() {
			if twin := byKey[j.key()]; twin != nil {
				twin.twins = append(twin.twins, j)
				return
			}
			byKey[j.key()] = j
		}
		rows += 1 + len(j.command.Needs().Levels)
		batch = append(batch, j)
	}
	for add(first); len(batch) < l.service.options.BatchSize && rows < maxRows; {
		select {
		case j := <-l.queue:
			add(j)
		default:
			return batch
		}
	}
	return batch
}

// process runs a batch. One that fails for a reason of its own is run again command by command,
// so that one bad command harms no other.
func (l *lane) process(batch []*job) {
	if len(batch) == 0 {
		return
	}
	s := l.service
	ctx, cancel := context.WithTimeout(context.Background(), s.options.TxTimeout)
	defer cancel()
	began := time.Now()
	results, err := s.settle(ctx, batch)
	s.options.Observer.Batched(len(batch), time.Since(began))
	if len(batch) > 1 && err != nil && isOwnFault(err) {
		l.oneByOne(batch)
		return
	}
	if err != nil && isOwnFault(err) {
		s.options.OnInternal(fmt.Errorf("%s: %w", batch[0].operation, err))
		err = errors.Join(ErrInternal, err)
	}
	var open []*job
	for i, j := range batch {
		r := result{err: err}
		if err == nil {
			r = results[i]
		}
		open = append(open, j.finish(s, r)...)
	}
	l.oneByOne(open)
}

func (l *lane) oneByOne(jobs []*job) {
	for _, j := range jobs {
		l.process([]*job{j})
	}
}

// isOwnFault says that a batch failed for something in it, not for the state of the database.
func isOwnFault(err error) bool {
	for _, outer := range []error{ErrUnavailable, ErrOverloaded, ErrOutcomeUnknown, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, outer) {
			return false
		}
	}
	return true
}

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
		case errors.Is(err, store.ErrDuplicateKey) && attempt < 10:
			lookUp = true
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
		if err := readNames(ctx, tx, rows.State, needs); err != nil {
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
		var one inventory.Needs
		if j.barred == nil {
			one = j.command.Needs()
		}
		n.Levels = append(n.Levels, one.Levels...)
		n.Reservations = append(n.Reservations, one.Reservations...)
		n.Watermarks = append(n.Watermarks, one.Watermarks...)
		n.SKUs = append(n.SKUs, one.SKUs...)
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
func readNames(ctx context.Context, tx *store.Tx, state *inventory.State, n store.BatchNeeds) error {
	skus := state.Unstocked(n.SKUs)
	var locations []string
	for _, key := range state.Untouched(n.Levels) {
		skus = append(skus, key.SKU)
		locations = append(locations, key.Location)
	}
	if len(skus) == 0 {
		return nil
	}
	return tx.ReadCatalogue(ctx, state, skus, locations)
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
		return nil, nil
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
		*r = result{err: err}
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
		Actor: j.caller.Actor, RequestID: j.caller.RequestID, RecordedAt: state.RecordedAt(),
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

// finish answers the command's caller, and those that sent the same key beside it. It gives back
// those of them whose input is another one, where the key turned out not to stand for this one
// either: they have yet to be run.
func (j *job) finish(s *Service, r result) (open []*job) {
	s.options.Observer.Decided(j.operation, resultName(r))
	j.done <- r
	for _, twin := range j.twins {
		switch {
		case bytes.Equal(twin.hash, j.hash):
			twin.done <- r.again(j.caller.RequestID)
		case r.isKept():
			twin.done <- result{err: ErrKeyReused}
		case isOwnFault(r.err):
			open = append(open, twin)
		default: // the state of the database, which concerns both
			twin.done <- r
		}
	}
	return open
}

// again is the result as it is given for the same command under the same key; first is the request
// that brought it about.
func (r result) again(first string) result {
	var before *ReplayedRefusal
	var refusal *inventory.Refusal
	switch {
	case r.outcome.Replayed, errors.As(r.err, &before):
	case errors.As(r.err, &refusal) && refusal.Kind.Recorded():
		r.err = &ReplayedRefusal{refusal, first}
	case r.err == nil:
		r.outcome.Replayed, r.outcome.FirstRequest = true, first
	}
	return r
}

// isKept says that the answer is kept under the command's key.
func (r result) isKept() bool {
	var refusal *inventory.Refusal
	return r.err == nil || errors.As(r.err, &refusal) && refusal.Kind.Recorded()
}

func resultName(r result) string {
	var refusal *inventory.Refusal
	var again *ReplayedRefusal
	switch {
	case r.outcome.Replayed, errors.As(r.err, &again):
		return "replayed"
	case r.err == nil:
		return "accepted"
	case errors.As(r.err, &refusal), errors.Is(r.err, ErrKeyReused):
		return "refused"
	}
	return "failed"
}
