package tracing_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"stockyard/service/telemetry/tracing"
)

const given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func open(t testing.TB, env ...string) (*tracing.Traces, error) {
	t.Helper()
	for _, setting := range env {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	traces, err := tracing.Open(t.Context(), tracing.Pod{Region: "us-east1", Version: "test"}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { _ = traces.Close() })
	return traces, err
}

// to is an address where nobody takes spans.
const to = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"

func TestVariablesThatSwitchTracesOff(t *testing.T) {
	for _, env := range [][]string{{"OTEL_EXPORTER_OTLP_ENDPOINT="}, {to, "OTEL_SDK_DISABLED=true"}, {to, "OTEL_TRACES_EXPORTER=none"}} {
		t.Run(strings.Join(env, " "), func(t *testing.T) {
			if traces, err := open(t, env...); traces != nil || err != nil {
				t.Errorf("gave %v, %v", traces, err)
			}
		})
	}
}

func TestVariablesThatAreWrongAreNamed(t *testing.T) {
	for wrong, env := range map[string][]string{
		"OTEL_EXPORTER_OTLP_PROTOCOL": {to, "OTEL_EXPORTER_OTLP_PROTOCOL=http/json"},
		"OTEL_TRACES_EXPORTER":        {to, "OTEL_TRACES_EXPORTER=zipkin"},
		"OTEL_EXPORTER_OTLP_ENDPOINT": {"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317"},
		"OTEL_RESOURCE_ATTRIBUTES":    {to, "OTEL_RESOURCE_ATTRIBUTES=team"},
	} {
		t.Run(wrong, func(t *testing.T) {
			if traces, err := open(t, env...); traces != nil || err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("gave %v, %v", traces, err)
			}
		})
	}
}

func TestCallerDecidesWhetherATraceIsRecorded(t *testing.T) {
	traces, err := open(t, to, "OTEL_TRACES_SAMPLER=parentbased_always_off")
	if err != nil {
		t.Fatal(err)
	}
	for traceparent, recorded := range map[string]bool{"": false, given: true, strings.TrimSuffix(given, "1") + "0": false} {
		ctx, span := traces.Serve(t.Context(), headers(traceparent), "request")
		if (tracing.Recorded(ctx) != nil) != recorded || tracing.Recorded(tracing.Unrecorded(ctx)) != nil {
			t.Errorf("%q: recorded: %t", traceparent, !recorded)
		}
		if named := trace.SpanContextFromContext(ctx).TraceID().String(); traceparent != "" && !strings.Contains(traceparent, named) {
			t.Errorf("%q goes on as %s", traceparent, named)
		}
		span.End()
	}
}

// What others are asked for a request is a part of its trace.
func TestTraceIsGivenOn(t *testing.T) {
	traces, err := open(t, to)
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := traces.Serve(t.Context(), headers(given), "request")
	defer span.End()
	out := headers("")
	_, call := traces.Call(ctx, out, "call")
	defer call.End()
	if want := "00-" + given[3:35] + "-" + call.SpanContext().SpanID().String() + "-01"; out.Get("traceparent") != want {
		t.Errorf("the call says %q, not %q", out.Get("traceparent"), want)
	}
}

func headers(traceparent string) propagation.HeaderCarrier {
	h := http.Header{}
	if traceparent != "" {
		h.Set("traceparent", traceparent)
	}
	return propagation.HeaderCarrier(h)
}

// BenchmarkRequest is what traces add to a request of one command: what the door, the lane and the
// store ask of them, with eight statements in two round trips.
func BenchmarkRequest(b *testing.B) {
	for name, env := range map[string][]string{
		"off":     nil,
		"sampled": {to, "OTEL_BSP_EXPORT_TIMEOUT=1"},
		"unlucky": {to, "OTEL_TRACES_SAMPLER=always_off"},
	} {
		b.Run(name, func(b *testing.B) {
			traces, err := open(b, env...)
			if err != nil {
				b.Fatal(err)
			}
			empty := headers("")
			b.ReportAllocs()
			for b.Loop() {
				request(b.Context(), traces, empty)
			}
		})
	}
}

func request(ctx context.Context, traces *tracing.Traces, in propagation.HeaderCarrier) {
	ctx, span := traces.Serve(ctx, in, "request")
	begin := func(within trace.Span, name string) trace.Span {
		if within == nil {
			return nil
		}
		_, span := tracing.Begin(ctx, within, name)
		return span
	}
	root := tracing.Recorded(ctx)
	spans := append(make([]trace.Span, 0, 12), begin(root, "lane wait"), begin(root, "transaction"))
	for range 2 {
		trip := begin(tracing.Recorded(ctx), "round trip")
		spans = append(spans, trip)
		for range 4 {
			spans = append(spans, begin(trip, "statement"))
		}
	}
	for _, s := range spans {
		if s != nil {
			s.End()
		}
	}
	span.End()
}
