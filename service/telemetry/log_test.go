package telemetry_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"stockyard/service/telemetry"
)

func TestLogLinesNameTheirTrace(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.Logger(&out, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	at := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	log = log.With("worker", "x")
	log.Info("without")
	log.InfoContext(trace.ContextWithSpanContext(t.Context(), at), "within")
	for lines := json.NewDecoder(&out); lines.More(); {
		var line map[string]any
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		want := any(nil)
		if line["msg"] == "within" {
			want = at.TraceID().String()
		}
		if line["trace_id"] != want || line["worker"] != "x" {
			t.Errorf("logged %v", line)
		}
	}
}
