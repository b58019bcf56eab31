package service

import (
	"bytes"
	"context"
	"errors"
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
	caller  Caller
	gateway string
	shard   int
	ctx     context.Context
	done    chan result
	traced
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
			j.taken(j.ctx, j.operation, true)
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
	ctx, spans := beginBatch(ctx, batch)
	results, err := s.settle(ctx, batch)
	spans.end(err)
	s.options.Observer.Batched(len(batch), time.Since(began))
	if len(batch) > 1 && err != nil && isOwnFault(err) {
		l.oneByOne(batch)
		return
	}
	if err != nil && isOwnFault(err) {
		s.options.OnInternal(&Failure{batch[0].ctx, batch[0].operation, batch[0].caller.RequestID, err})
		err = errors.Join(ErrInternal, err)
	}
	var open []*job
	for i, j := range batch {
		r := result{err: err}
		if err == nil {
			r = results[i]
		}
		open = append(open, j.finish(s, r, spans)...)
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

// finish answers the command's caller, and those that sent the same key beside it. It gives back
// those of them whose input is another one, where the key turned out not to stand for this one
// either: they have yet to be run.
func (j *job) finish(s *Service, r result, spans *batchTrace) (open []*job) {
	s.options.Observer.Decided(j.operation, resultName(r))
	j.answer(r, spans)
	for _, twin := range j.twins {
		switch {
		case bytes.Equal(twin.hash, j.hash):
			twin.answer(r.again(j.caller.RequestID), spans)
		case r.isKept():
			twin.answer(result{err: ErrKeyReused}, spans)
		case isOwnFault(r.err):
			open = append(open, twin)
		default: // the state of the database, which concerns both
			twin.answer(r, spans)
		}
	}
	return open
}

// answer tells the trace, then the caller, whose request's span ends with it.
func (j *job) answer(r result, spans *batchTrace) {
	spans.decided(j, r)
	j.done <- r
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
