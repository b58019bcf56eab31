package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/otel/trace"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/telemetry/tracing"
)

// request is a request on its way through a handler.
type request struct {
	operation auth.Operation
	gin       *gin.Context
	ctx       context.Context
	id        string
	who       service.Caller
	// limit is the most bytes of body.
	limit int64
}

// reply is what a handler answers.
type reply struct {
	status   int
	body     any
	version  int64 // the ETag, where there is one
	asOf     time.Time
	replayed bool
	streamed bool // it has been written already
}

// serve frames a handler: request id, region, deadline, problems, metrics, log, trace.
func (a *api) serve(r route) gin.HandlerFunc {
	path, _ := pathOf(r)
	name := r.method + " " + path
	return func(c *gin.Context) {
		began := time.Now()
		span := a.begin(c, name)
		id := a.head(c)
		answer, err := a.guarded(c, r, id)
		defer func() { a.served(c, span, string(r.operation), id, began) }()
		switch {
		case err != nil && c.Writer.Written():
			a.logProblem(c, http.StatusInternalServerError, id, string(r.operation), err)
			panic(http.ErrAbortHandler) // the client must see that the answer is not whole
		case err != nil && comesBack(c, r.operation, err):
			a.logProblem(c, http.StatusServiceUnavailable, id, string(r.operation), err)
			postpone(c, err)
		case err != nil:
			a.writeProblem(c, id, string(r.operation), err)
		case !answer.streamed:
			writeReply(c, answer)
		}
	}
}

// refuse answers what is no operation.
func (a *api) refuse(why func(*http.Request) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		began := time.Now()
		span := a.begin(c, c.Request.Method)
		id := a.head(c)
		a.writeProblem(c, id, unknownOperation, why(c.Request))
		a.served(c, span, unknownOperation, id, began)
	}
}

// served tells metrics, log and trace of a request that was answered.
func (a *api) served(c *gin.Context, span trace.Span, operation, id string, began time.Time) {
	status, took := c.Writer.Status(), time.Since(began)
	a.options.Observe(operation, status, took)
	if ctx := c.Request.Context(); a.options.Log != nil && a.options.Log.Enabled(ctx, slog.LevelDebug) {
		a.options.Log.DebugContext(ctx, "request", "operation", operation, "status", status, "request_id", id, "took", took)
	}
	end(c, span, operation, id)
}

// unknownOperation is what metrics and logs call requests for what isn't there.
const unknownOperation = "unknown"

// head writes what every answer carries and gives the request's id.
func (a *api) head(c *gin.Context) (id string) {
	id = service.RequestID(c.GetHeader("X-Request-Id"))
	c.Header("X-Request-Id", id)
	c.Header("Stockyard-Region", a.service.Region())
	return id
}

// guarded runs the handler under the request's deadline. A panic is a problem like any other bug.
func (a *api) guarded(c *gin.Context, r route, id string) (answer reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	principal, err := a.options.Authenticator.Authenticate(c.Request.Context(), c.GetHeader("Authorization"))
	if err != nil {
		a.turnedAway(c, r.operation, id, err)
		return reply{}, err
	}
	if err := checkHeaders(c.Request); err != nil {
		return reply{}, err
	}
	usual, most := a.options.RequestTimeout, maxTimeout
	switch {
	case r.operation == auth.Verify:
		usual, most = verifyTimeout, verifyTimeout
	case r.operation == auth.RunReport:
		usual = reportTimeout
	case r.body == piecewise, r.body == held:
		usual, most = streamTimeout, streamTimeout
	}
	timeout, err := readTimeout(c.GetHeader("Request-Timeout"), usual, most)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), timeout)
	defer cancel()
	if r.body < 0 {
		ctx = tracing.Unrecorded(ctx)
	}
	if r.body == piecewise {
		ctx = a.untilDraining(ctx)
	}
	if r.body > 0 {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, r.body)
	}
	who := service.Caller{Principal: principal, RequestID: id}
	release, err := a.service.Admit(who, r.operation)
	if err != nil {
		return reply{}, err
	}
	defer release()
	if r.body > maxBody {
		weight := r.body
		if n := c.Request.ContentLength; n >= 0 && n < weight {
			weight = n
		}
		if err := a.bulk.Acquire(ctx, weight); err != nil {
			return reply{}, err
		}
		defer a.bulk.Release(weight)
	}
	return r.serve(&request{operation: r.operation, gin: c, ctx: ctx, id: id, who: who, limit: r.body})
}

// turnedAway has an attempt without a good credential recorded.
func (a *api) turnedAway(c *gin.Context, op auth.Operation, id string, err error) {
	if errors.Is(err, auth.ErrNoCredential) || errors.Is(err, auth.ErrBadCredential) {
		host, _, _ := net.SplitHostPort(c.Request.RemoteAddr)
		a.service.Unauthenticated(op, id, host)
	}
}

// maxTimeout bounds how long a caller may wait.
const maxTimeout = 5 * time.Minute

// readTimeout reads how long the caller wants to wait: a duration such as "500ms", or seconds.
func readTimeout(header string, usual, most time.Duration) (time.Duration, error) {
	if header == "" {
		return usual, nil
	}
	d, err := time.ParseDuration(header)
	if seconds, bad := strconv.ParseFloat(header, 64); bad == nil && seconds > 0 && strings.Trim(header, "0123456789.") == "" {
		d, err = time.Duration(min(seconds, most.Seconds())*float64(time.Second)), nil
	}
	if err != nil || d <= 0 {
		return 0, badField("Request-Timeout", `must be a duration such as "500ms", or seconds, above 0`)
	}
	return min(d, most), nil
}

func writeReply(c *gin.Context, r reply) {
	if r.version > 0 {
		c.Header("ETag", strconv.Quote(strconv.FormatInt(r.version, 10)))
	}
	if !r.asOf.IsZero() {
		c.Header("Stock-As-Of", r.asOf.Format(time.RFC3339Nano))
	}
	if r.replayed {
		c.Header("Idempotency-Replayed", "true")
	}
	if r.body == nil {
		c.Status(r.status)
		c.Writer.WriteHeaderNow()
		return
	}
	writeJSON(c, r.status, "application/json", r.body)
}

func writeJSON(c *gin.Context, status int, contentType string, body any) {
	raw, err := encode(body)
	if err != nil { // only a bug can bring this about; the types are ours
		status, raw = http.StatusInternalServerError, []byte(`{"type":"/problems/internal","title":"Internal error","status":500}`)
	}
	c.Header("Content-Type", contentType)
	c.Header("Content-Length", strconv.Itoa(len(raw)+1))
	c.Status(status)
	_, _ = c.Writer.Write(append(raw, '\n')) // a client that went away misses nothing else
}

// encode writes an answer as JSON: itself where it knows how, which is faster.
func encode(body any) ([]byte, error) {
	if a, is := body.(interface {
		AppendJSON(b []byte) (_ []byte, fits bool)
	}); is {
		if raw, fits := a.AppendJSON(make([]byte, 0, 512)); fits {
			return raw, nil
		}
	}
	return json.Marshal(body, json.Deterministic(true))
}

// param gives a path parameter as the caller meant it.
func (r *request) param(name string) (string, error) {
	v, err := r.gin.Param(name), error(nil)
	if r.gin.Request.URL.RawPath != "" {
		v, err = url.PathUnescape(v)
	}
	if err != nil || !utf8.ValidString(v) {
		return "", badField(name, "must be percent-encoded UTF-8")
	}
	return v, nil
}

// sku gives the SKU of the path.
func (r *request) sku() (string, error) {
	return r.named("sku", inventory.CheckSKU)
}

// named gives a path parameter that must be a well-formed name.
func (r *request) named(param string, check func(string) string) (string, error) {
	v, err := r.param(param)
	if err != nil {
		return "", err
	}
	if wrong := check(v); wrong != "" {
		return "", badField(param, wrong)
	}
	return v, nil
}

// caller says who asks for a stock command, and how.
func (r *request) caller() (service.Caller, error) {
	dry, err := r.dryRun()
	caller := r.who
	caller.Key, caller.DryRun = r.gin.GetHeader("Idempotency-Key"), dry
	return caller, err
}

func (r *request) dryRun() (bool, error) {
	q := r.query()
	dry := q.flag("dry_run")
	return dry, q.err()
}

var errMethod = errors.New("method not allowed")
