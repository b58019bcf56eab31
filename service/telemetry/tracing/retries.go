package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Retries are why a transaction ran again, each time.
type Retries struct{ Causes []string }

type retriesKey struct{}

// WithRetries gives a context in which retries are told. One goroutine at a time may use it.
func WithRetries(ctx context.Context) (context.Context, *Retries) {
	r := &Retries{}
	return context.WithValue(ctx, retriesKey{}, r), r
}

// Retried notes that the transaction that the context's span stands for runs again, and why.
func Retried(ctx context.Context, cause string) {
	span := Recorded(ctx)
	if span == nil {
		return
	}
	span.AddEvent("retry", trace.WithAttributes(attribute.String("stockyard.retry.cause", cause)))
	if r, told := ctx.Value(retriesKey{}).(*Retries); told {
		r.Causes = append(r.Causes, cause)
	}
}
