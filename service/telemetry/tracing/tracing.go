// Package tracing begins the spans of requests and what is done for them. Where no collector is named,
// or a trace isn't sampled, it costs a look into the context.
//
// Spans carry names, sizes, times and SQLSTATEs: never SQL parameters, bodies or error texts, which
// may hold secrets.
package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const library = "stockyard"

// Traces begins the spans of requests; nil begins none.
type Traces struct{ provider *sdk.TracerProvider }

// w3c reads and writes traceparent and tracestate.
var w3c propagation.TraceContext

// traceparent is the header as net/http spells it.
const traceparent = "Traceparent"

// Carrier is where a request's headers are.
type Carrier = propagation.TextMapCarrier

// Serve begins the span of a request as a part of the trace that its headers name, if any. Without
// a collector there is no span, and logs name that trace all the same. Who calls it ends the span.
func (t *Traces) Serve(ctx context.Context, headers Carrier, name string) (context.Context, trace.Span) {
	if headers.Get(traceparent) != "" {
		ctx = w3c.Extract(ctx, headers)
	}
	if t == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	return t.provider.Tracer(library).Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
}

// Call begins the span of a request to somebody else, whose headers tell him of it.
func (t *Traces) Call(ctx context.Context, headers Carrier, name string, about ...attribute.KeyValue) (context.Context, trace.Span) {
	if t == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	ctx, span := t.provider.Tracer(library).Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(about...))
	w3c.Inject(ctx, headers)
	return ctx, span
}

// Recorded gives the context's span, nil where there is none that is recorded.
func Recorded(ctx context.Context) trace.Span {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		return span
	}
	return nil
}

// Begin begins a span within another one.
func Begin(ctx context.Context, within trace.Span, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	return within.TracerProvider().Tracer(library).Start(trace.ContextWithSpan(ctx, within), name, options...)
}

// Fail says of a span that what it stands for failed: how, in a word.
func Fail(span trace.Span, how string) {
	span.SetStatus(codes.Error, how)
	span.SetAttributes(attribute.String("error.type", how))
}

// Unrecorded gives a context whose trace is known, and in which nothing is recorded: for streams, which
// would make traces without an end.
func Unrecorded(ctx context.Context) context.Context {
	if Recorded(ctx) == nil {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(ctx))
}
