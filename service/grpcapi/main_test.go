package grpcapi_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	"stockyard/service/grpcapi"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/httpapi"
	"stockyard/service/secrets"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// The regions of the topology that comes with the binary.
const (
	america = "us-east1"
	europe  = "europe-west1"
)

// pod is a server of a region, over a real database, and the generated clients to it.
type pod struct {
	*storetest.DB
	region  string
	conn    *grpc.ClientConn
	server  *grpcapi.Server
	service *service.Service

	catalogue    pb.CatalogueServiceClient
	stock        pb.StockServiceClient
	reservations pb.ReservationServiceClient
	transfers    pb.TransferServiceClient
	admin        pb.AdminServiceClient
	feed         pb.FeedServiceClient
	webhooks     pb.WebhookServiceClient
}

// start starts a pod. What clients only see as "internal" fails the test.
func start(t testing.TB, db *storetest.DB, region string, change ...func(*service.Options, *grpcapi.Options)) *pod {
	t.Helper()
	url := db.URLs[0]
	for i, name := range db.Topology.Names() {
		if name == region {
			url = db.URLs[i]
		}
	}
	st, err := store.Open(t.Context(), store.Options{URL: url, Regions: db.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secrets.New()
	if err != nil {
		t.Fatal(err)
	}
	o := service.Options{Region: region, Topology: db.Topology, OnInternal: func(err error) { t.Errorf("internal error: %v", err) }}
	hub := feed.NewHub(st, feed.Options{})
	o.Webhooks = service.WebhookOptions{Secrets: keys, From: hub.Now}
	door := grpcapi.Options{Authenticator: auth.Anonymous{}, Feed: hub}
	for _, c := range change {
		c(&o, &door)
	}
	p := &pod{DB: db, region: region, service: service.New(st, o)}
	p.server = grpcapi.New(p.service, door)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.server.Serve(listener) }()
	p.conn = dial(t, listener.Addr().String())
	stopHub := storetest.Background(t, hub.Run)
	t.Cleanup(func() {
		p.server.Close()
		stopHub()
		if err := <-served; err != nil {
			t.Error(err)
		}
		p.service.Close()
		st.Close()
	})
	p.catalogue, p.stock = pb.NewCatalogueServiceClient(p.conn), pb.NewStockServiceClient(p.conn)
	p.reservations, p.transfers = pb.NewReservationServiceClient(p.conn), pb.NewTransferServiceClient(p.conn)
	p.admin, p.feed, p.webhooks = pb.NewAdminServiceClient(p.conn), pb.NewFeedServiceClient(p.conn), pb.NewWebhookServiceClient(p.conn)
	return p
}

func dial(t testing.TB, address string, more ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, append(more, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// post asks the REST door of the same service.
func (p *pod) post(t testing.TB, path, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Idempotency-Key", key)
	answer := httptest.NewRecorder()
	httpapi.New(p.service, httpapi.Options{Authenticator: auth.Anonymous{}}).ServeHTTP(answer, request)
	return answer
}

// shared runs a test against a pod on a database that tests share, once a database: it keeps to
// names of its own. The invariants must hold in the end.
func shared(t *testing.T, test func(t *testing.T, p *pod)) {
	t.Helper()
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		test(t, start(t, db, america))
		db.Verify(t)
	})
}

var named atomic.Int64

// name makes a name that no other test uses.
func name(prefix string) string { return fmt.Sprintf("%s-%d", prefix, named.Add(1)) }

// keyed is a context that carries an idempotency key, and perhaps further metadata.
func keyed(t testing.TB, key string, more ...string) context.Context {
	t.Helper()
	return with(t, append(more, "idempotency-key", key)...)
}

// once is keyed with a key of its own.
func once(t testing.TB) context.Context {
	t.Helper()
	return keyed(t, name("key"))
}

func with(t testing.TB, pairs ...string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// ok fails the test for an error, and gives the answer.
func ok[T any](answer T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v; %v", err, status.Convert(err).Details())
		}
		return answer
	}
}

// fails wants an error of a code and a reason, and gives it.
func fails[T any](_ T, err error) func(t testing.TB, code codes.Code, reason string) *status.Status {
	return func(t testing.TB, code codes.Code, reason string) *status.Status {
		t.Helper()
		st := status.Convert(err)
		about := detail[*errdetails.ErrorInfo](t, st)
		if st.Code() != code || about.GetReason() != reason || about.GetDomain() != "stockyard" {
			t.Fatalf("%v: %s, reason %q; want %v, reason %q", st.Code(), st.Message(), about.GetReason(), code, reason)
		}
		if detail[*errdetails.RequestInfo](t, st).GetRequestId() == "" {
			t.Errorf("%v names no request", st)
		}
		return st
	}
}

// detail gives the detail of a type.
func detail[D any](t testing.TB, st *status.Status) (found D) {
	t.Helper()
	for _, d := range st.Details() {
		if d, is := d.(D); is {
			return d
		}
	}
	t.Errorf("%v %s has no %T among %v", st.Code(), st.Message(), found, st.Details())
	return found
}

// wrong gives the fields that a refusal names, in its order.
func wrong(t testing.TB, st *status.Status) (fields []string) {
	t.Helper()
	for _, v := range detail[*errdetails.BadRequest](t, st).GetFieldViolations() {
		if v.GetDescription() == "" {
			t.Errorf("nothing is said about %s", v.GetField())
		}
		fields = append(fields, v.GetField())
	}
	return fields
}

// product makes a product of its own.
func (p *pod) product(t testing.TB) (sku string) {
	t.Helper()
	sku = name("sku")
	ok(p.catalogue.PutProduct(with(t), &pb.PutProductRequest{Sku: sku, Input: &pb.ProductInput{Name: "Tea"}}))(t)
	return sku
}

// location makes a location of its own in a region.
func (p *pod) location(t testing.TB, region string) (location string) {
	t.Helper()
	location = name("loc")
	input := &pb.LocationInput{Name: "Site", Region: region, Kind: "warehouse", Country: "GB"}
	ok(p.catalogue.PutLocation(with(t), &pb.PutLocationRequest{Location: location, Input: input}))(t)
	return location
}

// shelf is a stock level of a new product at a new location.
type shelf struct{ location, sku string }

// shelf makes a product and a location, and receives so many units.
func (p *pod) shelf(t testing.TB, units int64) shelf {
	t.Helper()
	s := shelf{p.location(t, p.region), p.product(t)}
	if units > 0 {
		ok(p.stock.Move(once(t), move("receive", s.line(units))))(t)
	}
	return s
}

func (s shelf) line(quantity int64) *pb.MovementLineInput {
	return &pb.MovementLineInput{Location: s.location, Sku: s.sku, Quantity: &quantity}
}

func move(kind string, lines ...*pb.MovementLineInput) *pb.MoveRequest {
	return &pb.MoveRequest{Movement: movement(kind, lines...)}
}

func movement(kind string, lines ...*pb.MovementLineInput) *pb.MovementInput {
	return &pb.MovementInput{Kind: kind, Lines: lines}
}

func (s shelf) reservation(quantity int64) *pb.ReservationInput {
	return &pb.ReservationInput{Lines: []*pb.ReservationLineInput{{Location: s.location, Sku: s.sku, Quantity: &quantity}}}
}

// reserve holds units at the shelf and gives the reservation's id.
func (p *pod) reserve(t testing.TB, s shelf, quantity int64) (id string) {
	t.Helper()
	return ok(p.reservations.Reserve(once(t), &pb.ReserveRequest{Reservation: s.reservation(quantity)}))(t).GetReservation().GetId()
}

// balances gives a level's quantities in one line, to be compared at once.
func (p *pod) balances(t testing.TB, s shelf) string {
	t.Helper()
	l := ok(p.stock.GetLevel(with(t), &pb.GetLevelRequest{Location: s.location, Sku: s.sku}))(t).GetLevel()
	return fmt.Sprintf("on_hand %d held %d allocated %d quarantined %d shortfall %d available %d version %d",
		l.GetOnHand(), l.GetHeld(), l.GetAllocated(), l.GetQuarantined(), l.GetShortfall(), l.GetAvailable(), l.GetVersion())
}

func ptr[T any](v T) *T { return &v }
