package pod_test

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// otlpCollector takes spans by OTLP, as Tempo or Datadog would.
type otlpCollector struct {
	collector.UnimplementedTraceServiceServer
	endpoint, protocol string

	mu    sync.Mutex
	keys  []string // what came in the header api-key
	about map[string]string
	spans []*otlp.Span
}

// Export takes spans over gRPC.
func (c *otlpCollector) Export(ctx context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	c.take(r, metadata.ValueFromIncomingContext(ctx, "api-key"))
	return &collector.ExportTraceServiceResponse{}, nil
}

// ServeHTTP takes spans over HTTP.
func (c *otlpCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	var m collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &m) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.take(&m, r.Header["Api-Key"])
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *otlpCollector) take(r *collector.ExportTraceServiceRequest, keys []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = append(c.keys, keys...)
	for _, of := range r.ResourceSpans {
		c.about = texts(of.Resource.Attributes)
		for _, in := range of.ScopeSpans {
			c.spans = append(c.spans, in.Spans...)
		}
	}
}

// of gives the spans of a trace that have come so far.
func (c *otlpCollector) of(traceID string) (found spans) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if hex.EncodeToString(s.TraceId) == traceID {
			found = append(found, s)
		}
	}
	return found
}

func collectGRPC(t *testing.T) *otlpCollector {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &otlpCollector{endpoint: "http://" + listener.Addr().String(), protocol: "grpc"}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return c
}

func collectHTTP(t *testing.T) *otlpCollector {
	t.Helper()
	c := &otlpCollector{protocol: "http/protobuf"}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.endpoint = server.URL
	return c
}

// spans of one trace.
type spans []*otlp.Span

// named gives the spans of a name.
func (s spans) named(name string) (found spans) {
	for _, span := range s {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// within gives the spans that are parts of one.
func (s spans) within(parent *otlp.Span) (found spans) {
	for _, span := range s {
		if string(span.ParentSpanId) == string(parent.SpanId) {
			found = append(found, span)
		}
	}
	return found
}

func (s spans) names() (names []string) {
	for _, span := range s {
		names = append(names, span.Name)
	}
	return names
}

// one gives the only span of a name; ok is false where it hasn't come yet.
func (s spans) one(name string) (_ *otlp.Span, ok bool) {
	found := s.named(name)
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

// texts are attributes by name, those that are no text as their protobuf text.
func texts(all []*common.KeyValue) map[string]string {
	by := map[string]string{}
	for _, kv := range all {
		by[kv.Key] = kv.Value.GetStringValue()
		if by[kv.Key] == "" {
			by[kv.Key] = kv.Value.String()
		}
	}
	return by
}

func lasted(s *otlp.Span) time.Duration {
	return time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano)
}
