package grpcapi_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	"stockyard/service/grpcapi"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
)

// statusOf reads what a command of a batch was refused with.
func statusOf(e *pb.CommandError) *status.Status {
	return status.FromProto(&spb.Status{Code: e.GetCode(), Message: e.GetMessage(), Details: e.GetDetails()})
}

func TestRefusalsCarryTheirDetails(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 5)
		st := fails(p.stock.Move(once(t), move("sell", s.line(3), s.line(4))))(t, codes.FailedPrecondition, "insufficient-stock")
		want := &pb.Shortage{Line: 2, Sku: s.sku, Location: s.location, Requested: 4, Available: 2}
		if got := detail[*pb.Shortages](t, st).GetShortages(); len(got) != 1 || !proto.Equal(got[0], want) {
			t.Errorf("shortages %v, want %v", got, want)
		}
		if got := detail[*errdetails.PreconditionFailure](t, st).GetViolations(); len(got) != 1 || got[0].GetType() != "insufficient-stock" || got[0].GetDescription() != st.Message() {
			t.Errorf("preconditions %v", got)
		}

		st = fails(p.catalogue.ArchiveProduct(with(t), &pb.ArchiveProductRequest{Sku: s.sku}))(t, codes.FailedPrecondition, "conflict")
		if got := detail[*errdetails.PreconditionFailure](t, st).GetViolations(); len(got) != 1 || got[0].GetType() != "conflict" {
			t.Errorf("preconditions %v", got)
		}

		line := s.line(1)
		line.IfVersion = ptr[int64](7)
		st = fails(p.stock.Move(once(t), move("sell", line)))(t, codes.Aborted, "version-mismatch")
		if d := detail[*pb.VersionMismatch](t, st); d.GetExpected() != 7 || d.GetCurrent() != 1 {
			t.Errorf("mismatch %v", d)
		}
		st = fails(p.catalogue.PutProduct(with(t), &pb.PutProductRequest{Sku: s.sku, Input: &pb.ProductInput{Name: "x"}, IfVersion: ptr[int64](3)}))(t, codes.Aborted, "version-mismatch")
		if d := detail[*pb.VersionMismatch](t, st); d.GetExpected() != 3 || d.GetCurrent() != 1 {
			t.Errorf("mismatch %v", d)
		}

		st = fails(p.stock.GetLevel(with(t), &pb.GetLevelRequest{Location: s.location, Sku: "no-such"}))(t, codes.NotFound, "not-found")
		if d := detail[*errdetails.ResourceInfo](t, st); d.GetResourceType() != "product" || d.GetResourceName() != "no-such" {
			t.Errorf("not found is %v", d)
		}

		key := name("key")
		ok(p.stock.Move(keyed(t, key), move("sell", s.line(1))))(t)
		fails(p.stock.Move(keyed(t, key), move("sell", s.line(2))))(t, codes.AlreadyExists, "idempotency-key-reused")
		st = fails(p.stock.Move(keyed(t, name("key"), "idempotency-key", key), move("sell", s.line(1))))(t, codes.InvalidArgument, "invalid-request")
		if got := wrong(t, st); len(got) != 1 || got[0] != "Idempotency-Key" {
			t.Errorf("two keys: %v", got)
		}

		input := s.reservation(4)
		input.ExpiresIn = "1s"
		held := ok(p.reservations.Reserve(once(t), &pb.ReserveRequest{Reservation: input}))(t).GetReservation()
		until(t, "the hold is over and its units are sold", func() bool {
			_, err := p.stock.Move(once(t), move("sell", s.line(4)))
			return err == nil
		})
		st = fails(p.reservations.Confirm(once(t), &pb.ConfirmRequest{Id: held.GetId()}))(t, codes.FailedPrecondition, "reservation-expired")
		if got := detail[*pb.Shortages](t, st).GetShortages(); len(got) != 1 || got[0].GetRequested() != 4 {
			t.Errorf("shortages %v", got)
		}
	})
}

func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// Everything that is wrong with a request is named at once, under the names that REST uses.
func TestEveryInvalidFieldIsNamed(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		odd := &pb.MovementInput{Kind: "sell", Reason: "\x00", Lines: []*pb.MovementLineInput{
			{Location: "a b", Sku: " x"}, {Location: "a", Sku: "x", Quantity: ptr[int64](0), IfVersion: ptr[int64](-1), UnitCost: &pb.Money{}},
		}}
		nan := &structpb.Struct{Fields: map[string]*structpb.Value{"n": structpb.NewNumberValue(math.NaN()), "deep": deep(70)}}
		for want, refused := range map[string]func() *status.Status{
			"lines[0].location lines[0].quantity lines[0].sku lines[1].if_version lines[1].quantity lines[1].unit_cost lines[1].unit_cost.amount lines[1].unit_cost.currency reason": func() *status.Status {
				return fails(p.stock.Move(once(t), &pb.MoveRequest{Movement: odd}))(t, codes.InvalidArgument, "invalid-request")
			},
			"kind lines": func() *status.Status {
				return fails(p.stock.Move(once(t), &pb.MoveRequest{}))(t, codes.InvalidArgument, "invalid-request")
			},
			"Idempotency-Key": func() *status.Status {
				return fails(p.stock.Move(with(t), &pb.MoveRequest{}))(t, codes.InvalidArgument, "invalid-request")
			},
			"effective_at": func() *status.Status {
				at := &timestamppb.Timestamp{Seconds: math.MaxInt64}
				return fails(p.stock.Move(once(t), &pb.MoveRequest{Movement: &pb.MovementInput{EffectiveAt: at}}))(t, codes.InvalidArgument, "invalid-request")
			},
			"movements[1].effective_at": func() *status.Status {
				at := &timestamppb.Timestamp{Nanos: -1}
				return fails(p.stock.MoveBatch(once(t), &pb.MoveBatchRequest{Movements: []*pb.MovementInput{{}, {EffectiveAt: at}}}))(t, codes.InvalidArgument, "invalid-request")
			},
			"destination destination.country expires_in lines policy strategy": func() *status.Status {
				in := &pb.ReservationInput{ExpiresIn: "soon", Policy: "some", Strategy: "best", Destination: &pb.Destination{Country: "uk", Region: america}}
				return fails(p.reservations.Reserve(once(t), &pb.ReserveRequest{Reservation: in}))(t, codes.InvalidArgument, "invalid-request")
			},
			"expires_in": func() *status.Status {
				return fails(p.reservations.Extend(once(t), &pb.ExtendRequest{}))(t, codes.InvalidArgument, "invalid-request")
			},
			"lines[0].line lines[0].quantity": func() *status.Status {
				none := []*pb.Selection{{Quantity: ptr[int64](0)}}
				return fails(p.reservations.Release(once(t), &pb.ReleaseRequest{Id: "x", Lines: none}))(t, codes.InvalidArgument, "invalid-request")
			},
			"attributes.deep attributes.n name": func() *status.Status {
				return fails(p.catalogue.PutProduct(with(t), &pb.PutProductRequest{Sku: "x", Input: &pb.ProductInput{Attributes: nan}}))(t, codes.InvalidArgument, "invalid-request")
			},
			"country kind name region": func() *status.Status {
				return fails(p.catalogue.PutLocation(with(t), &pb.PutLocationRequest{Location: "x"}))(t, codes.InvalidArgument, "invalid-request")
			},
			"sku": func() *status.Status {
				return fails(p.catalogue.GetProduct(with(t), &pb.GetProductRequest{Sku: "\x00"}))(t, codes.InvalidArgument, "invalid-request")
			},
			"category page_size query": func() *status.Status {
				return fails(p.catalogue.ListProducts(with(t), &pb.ListProductsRequest{Query: "\x00", Category: "\x1b", PageSize: ptr[int64](0)}))(t, codes.InvalidArgument, "invalid-request")
			},
			"page_token": func() *status.Status {
				return fails(p.catalogue.ListChannels(with(t), &pb.ListChannelsRequest{PageToken: "x"}))(t, codes.InvalidArgument, "invalid-request")
			},
			"consistency location max_staleness min_version sku": func() *status.Status {
				return fails(p.stock.GetLevel(with(t), &pb.GetLevelRequest{Consistency: "some", MaxStaleness: "x", MinVersion: ptr[int64](-1)}))(t, codes.InvalidArgument, "invalid-request")
			},
			"after_version": func() *status.Status {
				return fails(p.stock.ListEvents(with(t), &pb.ListEventsRequest{Location: "x", Sku: "x", AfterVersion: -1}))(t, codes.InvalidArgument, "invalid-request")
			},
			"on_error": func() *status.Status {
				return fails(p.stock.MoveBatch(once(t), &pb.MoveBatchRequest{OnError: "shrug", Movements: []*pb.MovementInput{{}}}))(t, codes.InvalidArgument, "invalid-request")
			},
		} {
			fields := wrong(t, refused())
			slices.Sort(fields)
			if got := strings.Join(fields, " "); got != want {
				t.Errorf("wrong are %s, want %s", got, want)
			}
		}
		skus := slices.Repeat([]string{"x"}, service.MaxSKUs+1)
		fails(p.stock.GetAvailability(with(t), &pb.GetAvailabilityRequest{Skus: skus}))(t, codes.InvalidArgument, "over-limit")
	})
}

func deep(levels int) *structpb.Value {
	v := structpb.NewStringValue("x")
	for range levels {
		v = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{v}})
	}
	return v
}

// What a newer client may have meant is not guessed; what isn't UTF-8 is the caller's mistake.
func TestMessagesAreReadStrictly(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 5)
		newer := move("sell", s.line(1))
		newer.GetMovement().GetLines()[0].ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
		st := fails(p.stock.Move(once(t), newer))(t, codes.InvalidArgument, "invalid-request")
		if got := wrong(t, st); len(got) != 1 || got[0] != "movement.lines[0].#99" {
			t.Errorf("wrong are %v", got)
		}
		raw := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "\xff")
		err := p.conn.Invoke(with(t), pb.CatalogueService_GetProduct_FullMethodName, raw, &pb.GetProductResponse{}, grpc.ForceCodecV2(rawCodec{}))
		st = fails(struct{}{}, err)(t, codes.InvalidArgument, "invalid-request")
		if !strings.Contains(st.Message(), "UTF-8") {
			t.Errorf("it says %q", st.Message())
		}
		err = p.conn.Invoke(with(t), pb.CatalogueService_GetProduct_FullMethodName, []byte{0x0a, 0xff}, &pb.GetProductResponse{}, grpc.ForceCodecV2(rawCodec{}))
		fails(struct{}{}, err)(t, codes.InvalidArgument, "invalid-request")
		if got := p.balances(t, s); !strings.HasPrefix(got, "on_hand 5") {
			t.Errorf("after all of that: %s", got)
		}
	})
}

// Details that would not fit into trailers are cut, and the error says how many are missing.
func TestManyDetailsAreCut(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 1)
		lines := make([]*pb.MovementLineInput, service.MaxLines)
		for i := range lines {
			lines[i] = s.line(5)
		}
		st := fails(p.stock.Move(once(t), move("sell", lines...)))(t, codes.FailedPrecondition, "insufficient-stock")
		listed := len(detail[*pb.Shortages](t, st).GetShortages())
		about := detail[*errdetails.ErrorInfo](t, st).GetMetadata()
		if listed < 10 || about["omitted_shortages"] != fmt.Sprint(service.MaxLines-listed) || proto.Size(st.Proto()) > 5<<10 {
			t.Errorf("%d shortages are listed, %v, %d bytes", listed, about, proto.Size(st.Proto()))
		}
		batch := ok(p.stock.MoveBatch(once(t), &pb.MoveBatchRequest{Movements: []*pb.MovementInput{movement("sell", lines...)}}))(t)
		if got := detail[*pb.Shortages](t, statusOf(batch.GetItems()[0].GetError())).GetShortages(); len(got) != service.MaxLines {
			t.Errorf("within a message %d shortages are listed", len(got))
		}
	})
}

// A pod that can't take more, and one that is stopping, say so and when to come back.
func TestOverloadSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(o *service.Options, _ *grpcapi.Options) { o.Lanes, o.QueueSize, o.BatchSize = 1, 1, 1 })
		s := p.shelf(t, 1000)
		refusals := make(chan *status.Status, 400)
		done := make(chan struct{})
		for range 16 {
			go func() {
				defer func() { done <- struct{}{} }()
				for range 10 {
					if _, err := p.stock.Move(once(t), move("sell", s.line(1))); err != nil {
						refusals <- status.Convert(err)
					}
				}
			}()
		}
		for range 16 {
			<-done
		}
		close(refusals)
		if len(refusals) == 0 {
			t.Error("nothing was ever refused")
		}
		for st := range refusals {
			fails(struct{}{}, st.Err())(t, codes.Unavailable, "overloaded")
			if d := detail[*errdetails.RetryInfo](t, st).GetRetryDelay().AsDuration(); d != time.Second {
				t.Fatalf("come back after %s", d)
			}
		}
		p.service.Close()
		st := fails(p.stock.Move(once(t), move("sell", s.line(1))))(t, codes.Unavailable, "unavailable")
		detail[*errdetails.RetryInfo](t, st)
		db.Verify(t)
	})
}

// A database that is gone is no secret, but what its driver says is.
func TestALostDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		proxy := storetest.NewProxy(t, db.URLs[0])
		own := *db
		own.URLs = []string{proxy.URL, proxy.URL, proxy.URL}
		p := start(t, &own, america)
		p.product(t)
		proxy.Refuse(true)
		proxy.Cut()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := p.catalogue.GetProduct(ctx, &pb.GetProductRequest{Sku: "x"})
		st := fails(struct{}{}, err)(t, codes.Unavailable, "unavailable")
		if strings.Contains(st.Message(), "127.0.0.1") || strings.Contains(st.String(), "dial") {
			t.Errorf("the driver's words: %v", st)
		}
	})
}
