package grpcapi

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	"stockyard/service/inventory"
)

// problem is an error as clients see it: a code, the problem's public name, and what details.go makes
// of the rest.
type problem struct {
	code    codes.Code
	reason  string
	message string
	refusal inventory.Refusal // the fields of its kind
	retry   time.Duration     // come back after; 0: no promise
	item    *int64            // of an all-or-nothing batch: the command that spoiled it

	replayed     bool // it was given before, to firstRequest
	firstRequest string
}

// refusals is the table of what the rules refuse.
var refusals = map[inventory.RefusalKind]codes.Code{
	inventory.InsufficientStock:  codes.FailedPrecondition,
	inventory.Conflict:           codes.FailedPrecondition,
	inventory.ReservationExpired: codes.FailedPrecondition,
	inventory.VersionMismatch:    codes.Aborted,
	inventory.NotFound:           codes.NotFound,
	inventory.Invalid:            codes.InvalidArgument,
	inventory.OverLimit:          codes.InvalidArgument,
}

const again = "; the command was not run, or its outcome can be had by repeating it with the same idempotency-key"

// failures is the table of what else can go wrong.
var failures = []struct {
	err     error
	code    codes.Code
	reason  string
	message string
	retry   time.Duration
}{
	{service.ErrKeyReused, codes.AlreadyExists, "idempotency-key-reused", "this idempotency-key was used with another request", 0},
	{service.ErrOverloaded, codes.Unavailable, "overloaded", "too many commands wait already; this one was not run", time.Second},
	{service.ErrOutcomeUnknown, codes.Unavailable, "unavailable", "the database was lost while it committed; repeat the call with the same idempotency-key to learn or bring about its outcome", time.Second},
	{service.ErrUnavailable, codes.Unavailable, "unavailable", "the database is not reachable; the command was not run", time.Second},
	{service.ErrAborted, codes.Aborted, "aborted", "another command of the batch was refused, so that none took effect", 0},
	{auth.ErrNoCredential, codes.Unauthenticated, "unauthenticated", auth.ErrNoCredential.Error(), 0},
	{auth.ErrBadCredential, codes.Unauthenticated, "unauthenticated", auth.ErrBadCredential.Error(), 0},
	{auth.ErrUnavailable, codes.Unavailable, "unavailable", auth.ErrUnavailable.Error(), time.Second},
	{errStalled, codes.DeadlineExceeded, "deadline-exceeded", "the client sent nothing, or took nothing of what was sent, for too long", 0},
	{feed.ErrCutOff, codes.Aborted, "cut-off", feed.ErrCutOff.Error(), 0},
	{errLeaving, codes.Unavailable, "unavailable", "the pod is going away", time.Second},
	{context.DeadlineExceeded, codes.DeadlineExceeded, "deadline-exceeded", "the deadline passed" + again, 0},
	{context.Canceled, codes.Canceled, "cancelled", "the caller gave up" + again, 0},
}

// problemOf turns an error into a problem. What it doesn't know is internal, and keeps its words for
// the log.
func problemOf(err error) problem {
	var before *service.ReplayedRefusal
	var refusal *inventory.Refusal
	var spoiled *spoiledBatch
	var denied *auth.Denied
	var missing *notReceived
	var large *tooLarge
	var limited *service.RateLimited
	var ended *importEnded
	switch {
	case errors.As(err, &limited):
		return problem{code: codes.ResourceExhausted, reason: "rate-limited", message: limited.Error(), retry: limited.RetryAfter}
	case errors.As(err, &large):
		return problem{code: codes.ResourceExhausted, reason: "over-limit", message: large.Error()}
	case errors.As(err, &ended):
		p := problemOf(ended.err)
		p.message = "the import ended before its last row: " + p.reason + "; the rows reported are stored, and all of them may be sent again"
		return p
	case errors.As(err, &missing):
		st := status.Convert(missing.err)
		return problem{code: st.Code(), reason: "not-received", message: st.Message()}
	case errors.As(err, &spoiled):
		p := problemOf(spoiled.err)
		p.item, p.replayed, p.firstRequest = &spoiled.item, spoiled.replayed, spoiled.firstRequest
		return p
	case errors.As(err, &before):
		p := refused(before.Refusal)
		p.replayed, p.firstRequest = true, before.FirstRequest
		return p
	case errors.As(err, &refusal):
		return refused(refusal)
	case errors.As(err, &denied):
		return problem{code: codes.PermissionDenied, reason: "forbidden", message: denied.Error()}
	}
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return problem{code: f.code, reason: f.reason, message: f.message, retry: f.retry}
		}
	}
	return problem{code: codes.Internal, reason: "internal", message: "an internal error; the request id names it in the log"}
}

func refused(r *inventory.Refusal) problem {
	return problem{code: refusals[r.Kind], reason: string(r.Kind), message: r.Detail, refusal: *r}
}

// spoiledBatch is an all-or-nothing batch that took no effect because one of its commands was refused.
type spoiledBatch struct {
	err          error
	item         int64
	replayed     bool
	firstRequest string
}

func (s *spoiledBatch) Error() string { return "batch refused: " + s.err.Error() }
