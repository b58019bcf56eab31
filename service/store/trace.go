package store

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"stockyard/service/telemetry/tracing"
)

// trip is the span of a round trip; nil where nothing is traced. Its statements become spans within
// it once it is over: the server runs one after the other, and each lasted from the answer before to its own.
type trip struct {
	ctx    context.Context
	span   trace.Span
	mark   time.Time // when the last answer came, or the trip began
	server []attribute.KeyValue
}

func beginTrip(ctx context.Context, conn *pgx.Conn) *trip {
	within := tracing.Recorded(ctx)
	if within == nil {
		return nil
	}
	t := &trip{server: serverOf(conn), mark: time.Now()}
	t.ctx, t.span = tracing.Begin(ctx, within, "round trip", trace.WithTimestamp(t.mark))
	return t
}

// serverOf says which server a connection goes to, once it is set up.
func serverOf(conn *pgx.Conn) []attribute.KeyValue {
	if s, set := conn.PgConn().CustomData()[sessionKey].(*session); set {
		return s.server
	}
	return nil
}

// describe says which server a new connection goes to. Its name may stand for several.
func describe(conn *pgx.Conn, d *dialect) []attribute.KeyValue {
	about := []attribute.KeyValue{attribute.String("db.system.name", d.name), attribute.String("db.namespace", conn.Config().Database)}
	if tcp, is := conn.PgConn().Conn().RemoteAddr().(*net.TCPAddr); is {
		about = append(about, attribute.String("network.peer.address", tcp.IP.String()), attribute.Int("network.peer.port", tcp.Port))
	}
	return about
}

// sent says that the statements have been sent: what took time before was preparing them.
func (t *trip) sent() {
	if t != nil {
		t.span.AddEvent("sent")
	}
}

// answered says that a statement has been answered.
func (t *trip) answered(name, sql string, err error) {
	if t == nil {
		return
	}
	now := time.Now()
	_, span := tracing.Begin(t.ctx, t.span, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(t.mark),
		trace.WithAttributes(t.server...), trace.WithAttributes(attribute.String("db.query.summary", name), attribute.String("db.query.text", sql)))
	failed(span, err)
	span.End(trace.WithTimestamp(now))
	t.mark = now
}

func (t *trip) end(err error) {
	if t == nil {
		return
	}
	failed(t.span, err)
	t.span.End()
}

// failed says why a statement failed by its SQLSTATE: what the server says may quote parameters.
func failed(span trace.Span, err error) {
	if err == nil {
		return
	}
	code := sqlState(err)
	if code == "" {
		tracing.Fail(span, "no_answer")
		return
	}
	tracing.Fail(span, code)
	span.SetAttributes(attribute.String("db.response.status_code", code))
}

// tracer traces what doesn't go by round trips: waiting for a connection, and the statements of verify.
type tracer struct{}

type spanKey struct{}

func traceBegin(ctx context.Context, name string, options ...trace.SpanStartOption) context.Context {
	within := tracing.Recorded(ctx)
	if within == nil {
		return ctx
	}
	_, span := tracing.Begin(ctx, within, name, options...)
	return context.WithValue(ctx, spanKey{}, span)
}

func traceEnd(ctx context.Context, err error) {
	if span, begun := ctx.Value(spanKey{}).(trace.Span); begun {
		failed(span, err)
		span.End()
	}
}

// TraceAcquireStart implements pgxpool.AcquireTracer.
func (tracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	return traceBegin(ctx, "connection")
}

// TraceAcquireEnd implements pgxpool.AcquireTracer.
func (tracer) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	traceEnd(ctx, data.Err)
}

// TraceQueryStart implements pgx.QueryTracer.
func (tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if tracing.Recorded(ctx) == nil {
		return ctx
	}
	return traceBegin(ctx, "query", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(serverOf(conn)...), trace.WithAttributes(attribute.String("db.query.text", data.SQL)))
}

// TraceQueryEnd implements pgx.QueryTracer.
func (tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	traceEnd(ctx, data.Err)
}
