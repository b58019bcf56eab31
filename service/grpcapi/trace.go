package grpcapi

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"

	"stockyard/service/auth"
	"stockyard/service/telemetry/tracing"
)

// incoming is a call's metadata as traces read it: regardless of case.
type incoming struct{ context.Context }

// Get implements tracing.Carrier.
func (i incoming) Get(key string) string { return given(i, key) }

// Set implements tracing.Carrier. What came in stays as it is.
func (incoming) Set(string, string) {}

// Keys implements tracing.Carrier.
func (incoming) Keys() []string { return nil }

// endSpan ends the span of a call.
func endSpan(span trace.Span, method string, operation auth.Operation, id string, code codes.Code) {
	if !span.IsRecording() {
		return
	}
	service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	span.SetAttributes(
		attribute.String("rpc.system", "grpc"), attribute.String("rpc.service", service), attribute.String("rpc.method", name),
		attribute.Int("rpc.grpc.status_code", int(code)), attribute.String("stockyard.operation", string(operation)), attribute.String("stockyard.request_id", id),
	)
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		tracing.Fail(span, code.String())
	default: // theirs, and no fault of ours
	}
	span.End()
}
