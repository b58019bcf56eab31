package grpcapi_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"stockyard/service"
	"stockyard/service/grpcapi"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
)

// header is the metadata of the last answer that it was kept of.
type header struct{ md metadata.MD }

func (h *header) keep() grpc.CallOption { return grpc.Header(&h.md) }

func (h *header) value(key string) string { return value(h.md, key) }

func TestAnswersSayWhichRequestAndRegion(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		var h header
		ok(p.catalogue.ListRegions(with(t, "x-request-id", "mine-7"), &pb.ListRegionsRequest{}, h.keep()))(t)
		if h.value("x-request-id") != "mine-7" || h.value("stockyard-region") != america {
			t.Errorf("header %v", h.md)
		}
		fails(p.catalogue.GetProduct(with(t, "x-request-id", "not fit for logs"), &pb.GetProductRequest{Sku: "none"}, h.keep()))(t, codes.NotFound, "not-found")
		if id := h.value("x-request-id"); len(id) < 20 || h.value("stockyard-region") != america {
			t.Errorf("header of an error %v", h.md)
		}
	})
}

func TestADryRunWritesNothing(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 5)
		sale := move("sell", s.line(2))
		sale.DryRun = true
		if got := ok(p.stock.Move(with(t), sale))(t).GetMovement().GetLines()[0].GetLevel(); got.GetOnHand() != 3 {
			t.Errorf("it would leave %v", got)
		}
		held := ok(p.reservations.Reserve(with(t), &pb.ReserveRequest{Reservation: s.reservation(5), DryRun: true}))(t).GetReservation()
		if held.GetStatus() != "held" {
			t.Errorf("it would be %v", held)
		}
		id := p.reserve(t, s, 1)
		ok(p.reservations.Confirm(with(t), &pb.ConfirmRequest{Id: id, DryRun: true}))(t)
		ok(p.stock.MoveBatch(with(t), &pb.MoveBatchRequest{Movements: []*pb.MovementInput{sale.GetMovement()}, DryRun: true}))(t)
		if got, want := p.balances(t, s), "on_hand 5 held 1 allocated 0 quarantined 0 shortfall 0 available 4 version 2"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// A key stands for its command, whichever door it comes in by.
func TestARepeatGetsTheFirstAnswer(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 5)
		key := name("key")
		var h header
		sold := ok(p.stock.Move(keyed(t, key), move("sell", s.line(2)), h.keep()))(t)
		if h.value("idempotency-replayed") != "" {
			t.Error("the first answer says that it is a repeat")
		}
		again := ok(p.stock.Move(keyed(t, key), move("sell", s.line(2)), h.keep()))(t)
		if h.value("idempotency-replayed") != "true" || !proto.Equal(sold, again) {
			t.Errorf("again %v, %v, want %v", h.md, again, sold)
		}
		body := `{"kind": "sell", "lines": [{"location": "` + s.location + `", "sku": "` + s.sku + `", "quantity": 2}]}`
		if a := p.post(t, "/v1/movements", key, body); a.Code != 201 || a.Header().Get("Idempotency-Replayed") != "true" || !strings.Contains(a.Body.String(), sold.GetMovement().GetId()) {
			t.Errorf("by REST: %d %v %s", a.Code, a.Header(), a.Body)
		}

		body = `{"lines": [{"location": "` + s.location + `", "sku": "` + s.sku + `", "quantity": 9}], "expires_in": "20m"}`
		if a := p.post(t, "/v1/reservations", key+"r", body); a.Code != 409 {
			t.Errorf("by REST: %d %s", a.Code, a.Body)
		}
		input := s.reservation(9)
		input.ExpiresIn = "20m"
		fails(p.reservations.Reserve(keyed(t, key+"r"), &pb.ReserveRequest{Reservation: input}, h.keep()))(t, codes.FailedPrecondition, "insufficient-stock")
		if h.value("idempotency-replayed") != "true" {
			t.Error("a refusal that is repeated doesn't say so")
		}
	})
}

// A deadline ends the wait, and the key says afterwards what became of the command.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(_ *service.Options, o *grpcapi.Options) { o.RequestTimeout = 500 * time.Millisecond })
		slow := start(t, db, america)
		s := slow.shelf(t, 5)
		unlock := lock(t, db, s)
		key := name("key")
		sale := move("sell", s.line(1))
		fails(p.stock.Move(metadata.AppendToOutgoingContext(t.Context(), "idempotency-key", key), sale))(t, codes.DeadlineExceeded, "deadline-exceeded")
		ctx, cancel := context.WithTimeout(once(t), 300*time.Millisecond)
		defer cancel()
		if _, err := slow.stock.Move(ctx, sale); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("the caller's own deadline: %v", err)
		}
		unlock()
		// Both may have come about after their callers left; the first one's key says so.
		ok(slow.stock.Move(keyed(t, key), sale))(t)
		ok(slow.stock.Move(keyed(t, key), sale))(t)
		until(t, "the books say what came about", func() bool {
			got := slow.balances(t, s)
			return strings.HasPrefix(got, "on_hand 3") || strings.HasPrefix(got, "on_hand 4")
		})

		// A client that never sends its message is cut off too.
		stream, err := p.conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, pb.StockService_Move_FullMethodName)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := stream.RecvMsg(&pb.MoveResponse{}); status.Code(err) != codes.DeadlineExceeded || time.Since(began) > 30*time.Second {
			t.Errorf("a slow client: %v after %s", err, time.Since(began))
		}
		db.Verify(t)
	})
}

// lock holds a stock level's row until it is told to let go.
func lock(t *testing.T, db *storetest.DB, s shelf) (unlock func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "UPDATE stock_levels SET updated_at = updated_at WHERE region = $1 AND sku = $2 AND location = $3", america, s.sku, s.location); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
		_ = conn.Close(t.Context())
	}
}

func TestAMessageThatIsTooLargeIsToldTheLimit(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		large := strings.Repeat("x", 5<<20)
		st := fails(p.catalogue.GetProduct(with(t), &pb.GetProductRequest{Sku: large}))(t, codes.ResourceExhausted, "over-limit")
		if !strings.Contains(st.Message(), "4194304") {
			t.Errorf("%v", st)
		}
		stream := ok(p.catalogue.ImportProducts(with(t)))(t)
		if err := stream.Send(&pb.ImportProductsRequest{Rows: []*pb.ImportRow{{Sku: large}}}); err != nil {
			t.Fatal(err)
		}
		for err := error(nil); err == nil; {
			if _, err = stream.Recv(); err != nil {
				fails(struct{}{}, err)(t, codes.ResourceExhausted, "over-limit")
			}
		}

		batch := &pb.MoveBatchRequest{Movements: []*pb.MovementInput{movement("sell")}}
		for range 13 {
			batch.Movements = append(batch.Movements, &pb.MovementInput{Reason: large})
		}
		_, err := p.stock.MoveBatch(once(t), batch)
		if st := status.Convert(err); st.Code() != codes.ResourceExhausted || !strings.Contains(st.Message(), "67108864") {
			t.Errorf("a batch: %v", st)
		}
		ok(p.catalogue.ListRegions(with(t), &pb.ListRegionsRequest{}))(t)
	})
}

// What REST takes as a batch, gRPC takes too: a thousand commands of a thousand lines, in one message
// beyond what grpc takes by itself. Each is refused for its kind, because a million lines take minutes.
func TestABatchOfAThousandCommandsOfAThousandLines(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 5)
		lines := make([]*pb.MovementLineInput, service.MaxLines)
		for i := range lines {
			lines[i] = s.line(1)
		}
		batch := &pb.MoveBatchRequest{DryRun: true}
		for range service.MaxCommands {
			batch.Movements = append(batch.Movements, movement("no-such", lines...))
		}
		if size := proto.Size(batch); size < 8<<20 {
			t.Fatalf("%d bytes prove nothing", size)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		answer, err := p.stock.MoveBatch(ctx, batch, grpc.MaxCallRecvMsgSize(1<<30))
		if got := ok(answer, err)(t).GetItems(); len(got) != service.MaxCommands || !slices.Equal(wrong(t, statusOf(got[999].GetError())), []string{"kind"}) {
			t.Errorf("%d items; the last one: %.200v", len(got), got[len(got)-1])
		}
		batch.Movements = append(batch.Movements, batch.GetMovements()[0])
		st := fails(p.stock.MoveBatch(ctx, batch))(t, codes.InvalidArgument, "over-limit")
		if got := wrong(t, st); len(got) != 1 || got[0] != "movements" {
			t.Errorf("1001 commands: %v", got)
		}
	})
}

// A bug harms the call that runs into it, and is told to the log alone.
func TestAPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		var log bytes.Buffer
		var mu sync.Mutex
		var seen []string
		p := start(t, db, america, func(o *service.Options, door *grpcapi.Options) {
			o.Topology = nil // what lists the regions runs into it
			door.Log = slog.New(slog.NewJSONHandler(&log, nil))
			door.Observe = func(operation, code string, _ time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, operation+" "+code)
			}
		})
		st := fails(p.catalogue.ListRegions(with(t, "x-request-id", "find-me"), &pb.ListRegionsRequest{}))(t, codes.Internal, "internal")
		if strings.Contains(st.String(), "nil pointer") || strings.Contains(st.String(), ".go") {
			t.Errorf("the client reads %v", st)
		}
		for _, want := range []string{"find-me", "nil pointer", "catalogue.go", "list_regions"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log says nothing of %s: %s", want, log.String())
			}
		}
		ok(p.catalogue.ListChannels(with(t), &pb.ListChannelsRequest{}))(t)
		mu.Lock()
		defer mu.Unlock()
		if got := strings.Join(seen, ", "); got != "list_regions Internal, list_channels OK" {
			t.Errorf("observed %s", got)
		}
	})
}
