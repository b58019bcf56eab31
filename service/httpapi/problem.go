package httpapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// problem is an RFC 9457 problem document with the fields of its kind.
type problem struct {
	Type      string                 `json:"type"`
	Title     string                 `json:"title"`
	Status    int                    `json:"status"`
	Detail    string                 `json:"detail"`
	Instance  string                 `json:"instance"`
	Errors    []inventory.FieldError `json:"errors,omitempty"`
	Shortages []inventory.Shortage   `json:"shortages,omitempty"`
	Expected  *int64                 `json:"expected,omitempty"`
	Current   *int64                 `json:"current,omitempty"`
	Resource  string                 `json:"resource,omitempty"`
	Name      string                 `json:"name,omitempty"`
	Items     []batchItem            `json:"items,omitempty"`

	retryAfter string
	replayed   bool // it was given before, and names that request as its instance
}

// kindOfProblem is a row of the table of problems.
type kindOfProblem struct {
	name   string
	title  string
	status int
}

// refusals is the table of what the rules refuse.
var refusals = map[inventory.RefusalKind]kindOfProblem{
	inventory.InsufficientStock:  {"insufficient-stock", "Insufficient stock", http.StatusConflict},
	inventory.Conflict:           {"conflict", "The state doesn't allow it", http.StatusConflict},
	inventory.ReservationExpired: {"reservation-expired", "The reservation has expired", http.StatusConflict},
	inventory.VersionMismatch:    {"version-mismatch", "Another version is current", http.StatusPreconditionFailed},
	inventory.NotFound:           {"not-found", "Not found", http.StatusNotFound},
	inventory.Invalid:            {"invalid-request", "Invalid request", http.StatusBadRequest},
	inventory.OverLimit:          {"over-limit", "Over a limit", http.StatusUnprocessableEntity},
}

// Problems that no table row leads to.
var (
	unauthenticated = kindOfProblem{"unauthenticated", "Unauthenticated", http.StatusUnauthorized}
	forbidden       = kindOfProblem{"forbidden", "Forbidden", http.StatusForbidden}
	tooLarge        = kindOfProblem{"too-large", "Too large", http.StatusRequestEntityTooLarge}
	rateLimited     = kindOfProblem{"rate-limited", "Rate limited", http.StatusTooManyRequests}
	internal        = kindOfProblem{"internal", "Internal error", http.StatusInternalServerError}
)

// failures is the table of what else can go wrong; detail "" means the error's own words.
var failures = []struct {
	err error
	kindOfProblem
	detail     string
	retryAfter string
}{
	{service.ErrKeyReused, kindOfProblem{"idempotency-key-reused", "Idempotency key reused", http.StatusUnprocessableEntity}, "this Idempotency-Key was used with another request", ""},
	{service.ErrOverloaded, kindOfProblem{"overloaded", "Overloaded", http.StatusServiceUnavailable}, "too many commands wait already; this one was not run", "1"},
	{service.ErrOutcomeUnknown, kindOfProblem{"unavailable", "Unavailable", http.StatusServiceUnavailable}, "the database was lost while it committed; repeat the request with the same Idempotency-Key to learn or bring about its outcome", "1"},
	{service.ErrUnavailable, kindOfProblem{"unavailable", "Unavailable", http.StatusServiceUnavailable}, "the database is not reachable; the command was not run", "1"},
	{service.ErrAborted, kindOfProblem{"aborted", "Aborted", http.StatusFailedDependency}, "another command of the batch was refused, so that none took effect", ""},
	{context.DeadlineExceeded, kindOfProblem{"deadline-exceeded", "Deadline exceeded", http.StatusGatewayTimeout}, "the deadline passed; the command was not run, or its outcome can be had by repeating it with the same Idempotency-Key", ""},
	{context.Canceled, kindOfProblem{"deadline-exceeded", "Deadline exceeded", http.StatusGatewayTimeout}, "the caller gave up; the command was not run, or its outcome can be had by repeating it with the same Idempotency-Key", ""},
	{auth.ErrNoCredential, unauthenticated, auth.ErrNoCredential.Error(), ""},
	{auth.ErrBadCredential, unauthenticated, auth.ErrBadCredential.Error(), ""},
	{auth.ErrUnavailable, kindOfProblem{"unavailable", "Unavailable", http.StatusServiceUnavailable}, auth.ErrUnavailable.Error(), "1"},
	{errMediaType, kindOfProblem{"unsupported-media-type", "Unsupported media type", http.StatusUnsupportedMediaType}, "Content-Type must be application/x-ndjson or text/csv, in UTF-8 and not compressed", ""},
	{errMethod, kindOfProblem{"method-not-allowed", "Method not allowed", http.StatusMethodNotAllowed}, "this path doesn't know the method", ""},
}

// problemOf turns an error into a problem. What it doesn't know is internal, and keeps its words
// for the log.
func problemOf(err error) problem {
	var again *service.ReplayedRefusal
	if errors.As(err, &again) {
		p := refused(again.Refusal)
		p.Instance, p.replayed = again.FirstRequest, true
		return p
	}
	var refusal *inventory.Refusal
	if errors.As(err, &refusal) {
		return refused(refusal)
	}
	var limited *service.RateLimited
	if errors.As(err, &limited) {
		p := of(kindOfProblem{"rate-limited", "Too many requests", http.StatusTooManyRequests}, limited.Error())
		p.retryAfter = strconv.Itoa(int(math.Ceil(limited.RetryAfter.Seconds())))
		return p
	}
	var denied *auth.Denied
	if errors.As(err, &denied) {
		return of(forbidden, denied.Error())
	}
	var spoiled *spoiledBatch
	if errors.As(err, &spoiled) {
		p := spoiled.problem
		p.Items, p.replayed = spoiled.items, spoiled.replayed
		return p
	}
	var cut *http.MaxBytesError
	if errors.As(err, &cut) {
		return of(tooLarge, fmt.Sprintf("the body is larger than the limit of %d bytes", cut.Limit))
	}
	for _, f := range failures {
		if errors.Is(err, f.err) {
			p := of(f.kindOfProblem, f.detail)
			p.retryAfter = f.retryAfter
			return p
		}
	}
	return of(internal, "an internal error; the instance names it in the log")
}

func refused(r *inventory.Refusal) problem {
	p := of(refusals[r.Kind], r.Detail)
	p.Errors, p.Shortages, p.Resource, p.Name = r.Fields, r.Shortages, r.Resource, r.Name
	if r.Kind == inventory.VersionMismatch {
		p.Expected, p.Current = &r.Expected, &r.Current
	}
	return p
}

func of(k kindOfProblem, detail string) problem {
	return problem{Type: "/problems/" + k.name, Title: k.title, Status: k.status, Detail: detail}
}

func (a *api) writeProblem(c *gin.Context, id, operation string, err error) {
	p := problemOf(err)
	if !p.replayed {
		p.Instance = id
	}
	a.logProblem(c, p.Status, id, operation, err)
	if errors.Is(err, auth.ErrBadCredential) && a.options.Log != nil {
		a.options.Log.InfoContext(c.Request.Context(), "credential refused", "operation", operation, "request_id", id, "reason", err)
	}
	if p.Status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", challenge(err))
	}
	if p.retryAfter != "" {
		c.Header("Retry-After", p.retryAfter)
	}
	if p.replayed {
		c.Header("Idempotency-Replayed", "true")
	}
	if p.Status == http.StatusPreconditionFailed && p.Current != nil && *p.Current > 0 {
		c.Header("ETag", fmt.Sprintf("%q", fmt.Sprint(*p.Current)))
	}
	writeJSON(c, p.Status, "application/problem+json", p)
}

// challenge says how to come in (RFC 6750): no more, where no credential was given.
func challenge(err error) string {
	if errors.Is(err, auth.ErrBadCredential) {
		return `Bearer realm="stockyard", error="invalid_token"`
	}
	return `Bearer realm="stockyard"`
}

func (a *api) logProblem(c *gin.Context, status int, id, operation string, err error) {
	if status >= http.StatusInternalServerError && a.options.Log != nil {
		a.options.Log.WarnContext(c.Request.Context(), "request failed", "operation", operation, "status", status, "request_id", id, "error", err)
	}
}

func badField(field, message string) error {
	return badFields(inventory.FieldError{Field: field, Message: message})
}

func badFields(wrong ...inventory.FieldError) error { return refusalOf(wrong) }

func refusalOf(wrong []inventory.FieldError) *inventory.Refusal {
	details := make([]string, 0, 3)
	for _, w := range wrong[:min(len(wrong), 3)] {
		details = append(details, w.Field+" "+w.Message)
	}
	detail := strings.Join(details, "; ")
	if len(wrong) > 3 {
		detail += fmt.Sprintf("; and %d more", len(wrong)-3)
	}
	return &inventory.Refusal{Kind: inventory.Invalid, Detail: detail, Fields: wrong}
}

func notFound(resource, name string) error {
	return &inventory.Refusal{Kind: inventory.NotFound, Detail: fmt.Sprintf("there is no %s %q", resource, name), Resource: resource, Name: name}
}
