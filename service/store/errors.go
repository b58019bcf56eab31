package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5/pgconn"
)

// What a caller can act on. Everything else is a bug or a broken server. The driver's own words
// stay inside the error, for the log; nothing that faces clients prints them.
var (
	// ErrUnavailable: the database could not be reached; nothing was written.
	ErrUnavailable = errors.New("the database is not reachable")
	// ErrContention: the transaction lost against others too often; nothing was written.
	ErrContention = errors.New("too much contention")
	// ErrAmbiguous: the connection broke during COMMIT; look the commands up by their keys.
	ErrAmbiguous = errors.New("the outcome of the commit is unknown")
	// ErrDuplicateKey: a command of that idempotency key is there already; nothing was written.
	ErrDuplicateKey = errors.New("the idempotency key is there already")
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
)

// isBeforeSchema says that a read of the past met one that the schema, or the database, is younger than.
func isBeforeSchema(err error) bool {
	switch sqlState(err) {
	case "42P01", "42703", "42704", "3D000", "3F000":
		return true
	}
	return false
}

// callError says which call of a round trip failed.
type callError struct {
	call string
	err  error
}

func (e *callError) Error() string { return e.call + ": " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// SQLSTATE 40001 is what cockroach-go looks for; these errors ask it to run the closure again.
const serializationFailure = "40001"

// againError is a failure before the commit that running again can mend.
type againError struct{ err error }

func (e *againError) Error() string  { return e.err.Error() }
func (e *againError) Unwrap() error  { return e.err }
func (*againError) SQLState() string { return serializationFailure }

type ambiguousError struct{ err error }

func (e *ambiguousError) Error() string { return "commit: " + e.err.Error() }
func (e *ambiguousError) Unwrap() []error {
	return []error{ErrAmbiguous, errors.New(e.err.Error())} // not the cause itself: nobody may retry on its code
}

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// lostError is a round trip that ended with the connection.
type lostError struct{ err error }

func (e *lostError) Error() string { return "connection lost: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// isLost says that the connection is gone or the server is going, so that another connection may
// do better. 57P01-57P03 are a server that shuts down or starts up; CockroachDB drains with 57P01.
func isLost(err error) bool {
	var lost *lostError
	var connect *pgconn.ConnectError
	if errors.As(err, &lost) {
		return true // whatever the server said before it hung up
	}
	if code := sqlState(err); code != "" {
		return strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "08")
	}
	return errors.As(err, &connect)
}

// isFull says that the server has no room for a connection, or for what was asked of it.
func isFull(err error) bool { return strings.HasPrefix(sqlState(err), "53") }

// isDefinite says that a failed commit certainly wrote nothing: the server said so. A cancellation
// says nothing: CockroachDB puts it (57014) in the place of whatever it knew about the commit.
func isDefinite(err error) bool {
	switch code := sqlState(err); code {
	case "", "40003", "57014":
		return false
	}
	return !isLost(err)
}

// beforeCommit sorts an error that certainly came before the commit: which ask for another run?
func beforeCommit(err error) error {
	const uniqueViolation, deadlock = "23505", "40P01"
	var call *callError
	switch code := sqlState(err); {
	case code == uniqueViolation && errors.As(err, &call) && call.call == insertCommands.name:
		return join(ErrDuplicateKey, err)
	case code == uniqueViolation:
		// A row that was not there, or a version that was current, when it was read. The unique
		// keys are the guard behind the isolation level: nothing stale can be committed.
		return &againError{err}
	case code == deadlock:
		return &againError{err}
	}
	return err
}

// retryCause names why a transaction runs again, "" where it doesn't.
func retryCause(err error) string {
	var again *againError
	switch {
	case err == nil, errors.Is(err, ErrAmbiguous):
		return ""
	case errors.As(err, &again):
		if code := sqlState(err); code != "" {
			return code
		}
		return "connection_lost"
	case sqlState(err) == serializationFailure:
		return serializationFailure
	}
	return ""
}

// classify turns what the driver and cockroach-go say into this package's errors.
func classify(err error) error {
	var exceeded *crdb.MaxRetriesExceededError
	var again *againError
	code := sqlState(err)
	switch {
	case err == nil, errors.Is(err, ErrAmbiguous), errors.Is(err, ErrDuplicateKey), errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &exceeded) && errors.As(err, &again) && isLost(again.err):
		return join(ErrUnavailable, err)
	case errors.As(err, &exceeded), code == "57014", code == "55P03":
		return join(ErrContention, err)
	case isLost(err), isFull(err):
		return join(ErrUnavailable, err)
	}
	return err
}

// privilegeMissing is the SQLSTATE of what a user isn't allowed.
const privilegeMissing = "42501"

// undefinedTable is the SQLSTATE of a table that isn't there.
const undefinedTable = "42P01"

func join(kind, cause error) error { return fmt.Errorf("%w: %w", kind, cause) }
