package service

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"stockyard/service/telemetry/tracing"
)

// traced is what a job's trace needs to know of it. The zero value is a job that isn't traced.
type traced struct {
	span   trace.Span // that of the request
	queued time.Time  // zero once it was taken off the queue
	waited time.Duration
}

func newTraced(ctx context.Context) (t traced) {
	if t.span = tracing.Recorded(ctx); t.span != nil {
		t.queued = time.Now()
	}
	return t
}

// taken ends the wait in a lane's queue, which becomes a span of its own. dropped says that the
// command is not run, as nobody waits for it any more.
func (t *traced) taken(ctx context.Context, operation string, dropped bool) {
	if t.span == nil || t.queued.IsZero() {
		return
	}
	now := time.Now()
	t.waited = now.Sub(t.queued)
	_, wait := tracing.Begin(ctx, t.span, "lane wait", trace.WithTimestamp(t.queued),
		trace.WithAttributes(attribute.String("stockyard.operation", operation), attribute.Bool("stockyard.lane.dropped", dropped)))
	wait.End(trace.WithTimestamp(now))
	t.queued = time.Time{}
}

// batchTrace is the span of a batch's transaction. It belongs to the trace of the first command that has
// one, and links to the requests of all; nil where no command is traced.
type batchTrace struct {
	span     trace.Span
	commands int
	retries  *tracing.Retries
}

func beginBatch(ctx context.Context, batch []*job) (context.Context, *batchTrace) {
	var r requests
	for _, j := range batch {
		r.add(j)
		for _, twin := range j.twins {
			r.add(twin)
		}
	}
	if r.first == nil {
		return ctx, nil
	}
	b := &batchTrace{commands: len(batch)}
	ctx, b.span = tracing.Begin(ctx, r.first, "transaction", trace.WithLinks(r.links...),
		trace.WithAttributes(attribute.Int("stockyard.batch.commands", len(batch))))
	ctx, b.retries = tracing.WithRetries(ctx)
	return ctx, b
}

// requests are those that have commands in a batch, each once.
type requests struct {
	first trace.Span
	links []trace.Link
	seen  map[trace.SpanID]bool
}

func (r *requests) add(j *job) {
	if j.span == nil {
		return
	}
	j.taken(j.ctx, j.operation, false)
	if r.first == nil {
		r.first, r.seen = j.span, map[trace.SpanID]bool{}
	}
	at := j.span.SpanContext()
	if !r.seen[at.SpanID()] {
		r.seen[at.SpanID()] = true
		r.links = append(r.links, trace.Link{SpanContext: at})
	}
}

// end ends the span; err is why nothing came of the transaction.
func (b *batchTrace) end(err error) {
	if b == nil {
		return
	}
	b.span.SetAttributes(attribute.Int("stockyard.retries", len(b.retries.Causes)))
	if err != nil {
		tracing.Fail(b.span, resultName(result{err: err}))
	}
	b.span.End()
}

// decided tells the span of a command's request what became of it, and in which transaction. The
// attributes of a request with several commands are those of the last one; each has its event.
func (b *batchTrace) decided(j *job, r result) {
	if b == nil || j.span == nil {
		return
	}
	about := []attribute.KeyValue{
		attribute.Float64("stockyard.lane.wait_seconds", j.waited.Seconds()), attribute.Int("stockyard.batch.commands", b.commands),
		attribute.Int("stockyard.retries", len(b.retries.Causes)), attribute.String("stockyard.result", resultName(r)),
	}
	if len(b.retries.Causes) > 0 {
		about = append(about, attribute.StringSlice("stockyard.retry.causes", b.retries.Causes))
	}
	j.span.SetAttributes(about...)
	j.span.AddEvent("decided", trace.WithAttributes(append(about, attribute.String("stockyard.operation", j.operation))...))
	j.span.AddLink(trace.Link{SpanContext: b.span.SpanContext()})
}
