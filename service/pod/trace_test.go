package pod_test

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
)

// A reservation's trace goes from the caller's span by the request, its wait in a lane and the
// transaction to each statement, whichever door it came in by and whichever way spans go out; the log
// tells of the request under the same id, and no secret is in it, nor what was asked for.
func TestReservationIsTracedFromItsCallerToItsStatements(t *testing.T) {
	binary := build(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		for _, c := range []*otlpCollector{collectGRPC(t), collectHTTP(t)} {
			t.Run(c.protocol, func(t *testing.T) {
				t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.endpoint)
				t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", c.protocol)
				t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=collectors-secret")
				t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
				t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
				pods, targets := startPods(t, binary, db, "--anonymous", "--log-format", "json", "--log-level", "debug")
				p, s := pods[0], openShop(t, db.Topology.Primary, targets, 100)

				rest := newCaller()
				rest.reserveOverREST(t, p, s.sku)
				root := c.awaits(t, rest, "POST /v1/reservations", s.sku)
				if about := texts(root.Attributes); about["http.route"] != "/v1/reservations" || about["stockyard.operation"] != "reserve" || about["stockyard.result"] != "accepted" {
					t.Errorf("the request's span says %v", about)
				}
				logged(t, p, rest)

				overGRPC := newCaller()
				overGRPC.reserveOverGRPC(t, p, s.sku)
				root = c.awaits(t, overGRPC, "stockyard.v1.ReservationService/Reserve", s.sku)
				if about := texts(root.Attributes); about["rpc.method"] != "Reserve" || about["stockyard.batch.commands"] != "int_value:1" {
					t.Errorf("the call's span says %v", about)
				}
				logged(t, p, overGRPC)

				c.mu.Lock()
				defer c.mu.Unlock()
				if !slices.Contains(c.keys, "collectors-secret") {
					t.Error("the collector was not shown its key")
				}
				if c.about["service.name"] != "stockyard" || c.about["deployment.environment.name"] != "test" {
					t.Errorf("spans are said to be of %v", c.about)
				}
			})
		}
	})
}

// caller calls as a part of a trace of its own.
type caller struct{ traceID, spanID, requestID string }

func newCaller() caller {
	var b [24]byte
	_, _ = rand.Read(b[:])
	return caller{hex.EncodeToString(b[:16]), hex.EncodeToString(b[16:]), rand.Text()}
}

func (c caller) traceparent() string { return "00-" + c.traceID + "-" + c.spanID + "-01" }

func (c caller) reserveOverREST(t *testing.T, p *process, sku string) {
	t.Helper()
	body := fmt.Sprintf(`{"lines": [{"sku": %q, "location": "NYC", "quantity": 1}]}`, sku)
	request, err := http.NewRequestWithContext(t.Context(), "POST", p.url()+"/v1/reservations", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Idempotency-Key", rand.Text())
	request.Header.Set("traceparent", c.traceparent())
	request.Header.Set("X-Request-Id", c.requestID)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("answered %s", answer.Status)
	}
}

func (c caller) reserveOverGRPC(t *testing.T, p *process, sku string) {
	t.Helper()
	conn, err := grpc.NewClient(p.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "idempotency-key", rand.Text(), "traceparent", c.traceparent(), "x-request-id", c.requestID)
	_, err = pb.NewReservationServiceClient(conn).Reserve(ctx, &pb.ReserveRequest{Reservation: &pb.ReservationInput{
		Lines: []*pb.ReservationLineInput{{Sku: sku, Location: "NYC", Quantity: proto.Int64(1)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// awaits waits until a caller's trace has come, makes sure that it is whole, and gives the request's span.
func (c *otlpCollector) awaits(t *testing.T, from caller, request, sku string) (root *otlp.Span) {
	t.Helper()
	var all spans
	within(t, 30*time.Second, "the trace comes", func() (whole bool) {
		all = c.of(from.traceID)
		root, whole = all.one(request)
		return whole
	})
	wait, waited := all.one("lane wait")
	tx, ran := all.one("transaction")
	if !waited || !ran {
		t.Fatalf("no wait or no transaction among %v", all.names())
	}
	if hex.EncodeToString(root.ParentSpanId) != from.spanID || root.Kind != otlp.Span_SPAN_KIND_SERVER {
		t.Errorf("the request is no part of the caller's span: %v", root)
	}
	for _, part := range []*otlp.Span{wait, tx} {
		if string(part.ParentSpanId) != string(root.SpanId) || lasted(part) > lasted(root) {
			t.Errorf("%q is no part of the request", part.Name)
		}
	}
	if len(tx.Links) != 1 || string(tx.Links[0].SpanId) != string(root.SpanId) || len(root.Links) != 1 || string(root.Links[0].SpanId) != string(tx.SpanId) {
		t.Errorf("request and transaction are not linked: %v, %v", root.Links, tx.Links)
	}
	var statements spans
	for _, trip := range all.within(tx).named("round trip") {
		statements = append(statements, all.within(trip)...)
	}
	for _, name := range []string{"BEGIN ISOLATION LEVEL SERIALIZABLE", "insert_events", "insert_commands", "COMMIT"} {
		found, is := statements.one(name)
		if !is {
			t.Errorf("no %s among the transaction's statements %v", name, statements.names())
			continue
		}
		if about := texts(found.Attributes); about["db.query.text"] == "" || about["db.system.name"] == "" || found.Kind != otlp.Span_SPAN_KIND_CLIENT {
			t.Errorf("%s says %v", name, about)
		}
	}
	if told := fmt.Sprint(all); strings.Contains(told, sku) || strings.Contains(told, "secret") {
		t.Error("spans tell parameters or secrets")
	}
	return root
}

// logged makes sure that the pod's log tells of the caller's request by its id and its trace.
func logged(t *testing.T, p *process, from caller) {
	t.Helper()
	file, err := os.Open(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	found := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.Contains(lines.Text(), "collectors-secret") {
			t.Errorf("the log has the collector's key in it: %s", lines.Text())
		}
		var line struct {
			RequestID string `json:"request_id"`
			TraceID   string `json:"trace_id"`
			Operation string `json:"operation"`
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.RequestID != from.requestID {
			continue
		}
		found = true
		if line.TraceID != from.traceID || line.Operation != "reserve" {
			t.Errorf("the log doesn't say which trace it was: %s", lines.Text())
		}
	}
	if !found {
		t.Errorf("the log doesn't tell of request %s", from.requestID)
	}
}
