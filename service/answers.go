package service

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// What a caller can be told besides a refusal.
var (
	ErrKeyReused      = errors.New("the idempotency key was used with another request")
	ErrOverloaded     = errors.New("too much is waiting already")
	ErrUnavailable    = errors.New("the database is not reachable")
	ErrOutcomeUnknown = errors.New("the connection broke during the commit and the outcome could not be learned in time")
	ErrInternal       = errors.New("internal error")
	ErrFenced         = errors.New("the lease that the work was begun under is another's now")
)

// ReplayedRefusal is a refusal that was given before, under the same key, to FirstRequest.
type ReplayedRefusal struct {
	*inventory.Refusal
	FirstRequest string
}

func (r *ReplayedRefusal) Unwrap() error { return r.Refusal }

// Failure is an internal error of a request, which the log tells by.
type Failure struct {
	Context   context.Context // the request's; it may have ended
	Operation string
	RequestID string
	Err       error
}

func (f *Failure) Error() string { return f.Operation + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// fromStore turns the store's errors into those of this package; unknown says that a commit was
// sent whose outcome nobody has learned since.
func fromStore(err error, unknown bool) error {
	switch {
	case unknown:
		return ErrOutcomeUnknown
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case errors.Is(err, store.ErrContention):
		return fmt.Errorf("%w: %w", ErrOverloaded, err)
	}
	return err
}

// kept is a command's answer as it is stored under its key.
type kept struct {
	Answer  *inventory.Answer  `json:"answer,omitzero"`
	Refusal *inventory.Refusal `json:"refusal,omitzero"`
}

func encodeAnswer(answer inventory.Answer, refusal *inventory.Refusal) (string, error) {
	if refusal == nil && answer.Reservation != nil {
		space := make([]byte, 0, 512) // what one line takes
		if b, fits := answer.Reservation.AppendJSON(append(space, `{"answer":{"reservation":`...)); fits {
			return string(append(b, `}}`...)), nil
		}
	}
	k := kept{Refusal: refusal}
	if refusal == nil {
		k.Answer = &answer
	}
	raw, err := json.Marshal(k)
	return string(raw), err
}

func decodeAnswer(stored string) (answer inventory.Answer, refusal *inventory.Refusal, err error) {
	var k kept
	if err := json.Unmarshal([]byte(stored), &k); err != nil {
		return answer, nil, err
	}
	if k.Answer != nil {
		answer = *k.Answer
	}
	return answer, k.Refusal, nil
}

// hashInput is the hash of an operation's input as it was understood, whichever door it came in
// by and however it was spelled.
func hashInput(operation string, input any) ([]byte, error) {
	raw, err := json.Marshal(input, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write([]byte(operation))
	h.Write([]byte{0})
	h.Write(raw)
	return h.Sum(nil), nil
}
