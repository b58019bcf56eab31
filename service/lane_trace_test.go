package service_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"stockyard/service"
	"stockyard/service/store/storetest"
)

// recorder has the spans that ended.
type recorder struct {
	*tracetest.InMemoryExporter
	provider *sdk.TracerProvider
}

func record(t *testing.T) recorder {
	r := recorder{InMemoryExporter: tracetest.NewInMemoryExporter()}
	r.provider = sdk.NewTracerProvider(sdk.WithSyncer(r.InMemoryExporter))
	t.Cleanup(func() { _ = r.provider.Shutdown(context.WithoutCancel(t.Context())) })
	return r
}

// request runs a command as a traced request of that name.
func (r recorder) request(t *testing.T, name string, run func(context.Context) error) error {
	ctx, span := r.provider.Tracer("test").Start(t.Context(), name)
	defer span.End()
	return run(ctx)
}

// named gives the spans of a name that a test wants so many of.
func (r recorder) named(t *testing.T, name string, want int) (found tracetest.SpanStubs) {
	t.Helper()
	for _, span := range r.GetSpans() {
		if span.Name == name {
			found = append(found, span)
		}
	}
	if len(found) != want {
		t.Fatalf("%d spans %q, not %d", len(found), name, want)
	}
	return found
}

// attributes by name.
func attributes(all []attribute.KeyValue) map[attribute.Key]attribute.Value {
	by := map[attribute.Key]attribute.Value{}
	for _, a := range all {
		by[a.Key] = a.Value
	}
	return by
}

func linked(s tracetest.SpanStub) (to []trace.SpanID) {
	for _, l := range s.Links {
		to = append(to, l.SpanContext.SpanID())
	}
	return to
}

// Requests that share a transaction find it from their traces, and it finds them.
func TestSharedTransactionIsLinkedWithItsRequests(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		r := record(t)
		b, twice := y.busy(t, service.Options{}), y.fresh()
		sell := func(name string, caller service.Caller) func() error {
			return func() error {
				return r.request(t, name, func(ctx context.Context) error {
					_, err := b.Move(ctx, caller, move("sell", nyc, b.sku, 1))
					return err
				})
			}
		}
		b.queued(t, sell("first", y.fresh()), sell("second", twice), sell("twin", twice))
		b.release()
		b.sent.Wait()

		tx := r.named(t, "transaction", 1)[0]
		if n := attributes(tx.Attributes)["stockyard.batch.commands"].AsInt64(); n != 2 { // the twins are one
			t.Errorf("the transaction had %d commands", n)
		}
		for _, name := range []string{"first", "second", "twin"} {
			request := r.named(t, name, 1)[0]
			if !slices.Contains(linked(tx), request.SpanContext.SpanID()) || !slices.Contains(linked(request), tx.SpanContext.SpanID()) {
				t.Errorf("%s and the transaction are not linked: %v, %v", name, request.Links, tx.Links)
			}
			about := attributes(request.Attributes)
			if about["stockyard.lane.wait_seconds"].AsFloat64() <= 0 || about["stockyard.batch.commands"].AsInt64() != 2 {
				t.Errorf("%s doesn't say how it was batched: %v", name, request.Attributes)
			}
		}
		first := r.named(t, "first", 1)[0]
		if tx.Parent.SpanID() != first.SpanContext.SpanID() || tx.SpanContext.TraceID() != first.SpanContext.TraceID() {
			t.Error("the transaction is not a part of the first one's trace")
		}
		for _, wait := range r.named(t, "lane wait", 3) {
			if !wait.EndTime.After(wait.StartTime) || wait.EndTime.After(tx.EndTime) {
				t.Errorf("waited from %s to %s", wait.StartTime, wait.EndTime)
			}
		}
		if trips := r.named(t, "round trip", 2); trips[0].Parent.SpanID() != tx.SpanContext.SpanID() {
			t.Error("the statements are no part of the transaction")
		}
	})
}

// A request's trace tells of runs again and their causes: here, of a commit whose answer was lost.
func TestRetriesAreTraced(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		r := record(t)
		proxy := storetest.NewProxy(t, y.URLs[0])
		pod, sku := y.podAt(t, 0, proxy.URL, service.Options{}), y.product(t, 5, nyc)
		var commits atomic.Int64
		proxy.OnCommit(func() storetest.Fate {
			if commits.Add(1) == 1 {
				return storetest.Done
			}
			return storetest.Passes
		})
		err := r.request(t, "request", func(ctx context.Context) error {
			_, err := pod.Move(ctx, y.fresh(), move("sell", nyc, sku, 1))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		request, tx := r.named(t, "request", 1)[0], r.named(t, "transaction", 1)[0]
		about := attributes(request.Attributes)
		if !slices.Contains(about["stockyard.retry.causes"].AsStringSlice(), "outcome_unknown") || about["stockyard.retries"].AsInt64() == 0 {
			t.Errorf("the request doesn't say why it took two runs: %v", request.Attributes)
		}
		if len(tx.Events) == 0 || tx.Events[0].Name != "retry" {
			t.Errorf("the transaction doesn't tell of the run again: %v", tx.Events)
		}
		y.wants(t, nyc, sku, 4, 0, 0, 0)
	})
}
