package grpcapi_test

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "stockyard/service/grpcapi/stockyardv1"
)

func TestStepsOfAReservation(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10)
		order := name("order")
		input := s.reservation(6)
		input.OrderReference = order
		held := ok(p.reservations.Reserve(once(t), &pb.ReserveRequest{Reservation: input}))(t).GetReservation()
		later := ok(p.reservations.Extend(once(t), &pb.ExtendRequest{Id: held.GetId(), ExpiresIn: "2h"}))(t).GetReservation()
		if gain := later.GetExpiresAt().AsTime().Sub(held.GetExpiresAt().AsTime()); gain.Hours() < 1.7 {
			t.Errorf("extended by %s", gain)
		}
		released := ok(p.reservations.Release(once(t), &pb.ReleaseRequest{Id: held.GetId(), Lines: []*pb.Selection{{Sku: s.sku, Quantity: ptr[int64](1)}}}))(t).GetReservation()
		if l := released.GetLines()[0]; l.GetReleased() != 1 || l.GetQuantity() != 6 || released.GetStatus() != "held" {
			t.Errorf("released %v", released)
		}
		st := fails(p.reservations.Fulfil(once(t), &pb.FulfilRequest{Id: held.GetId()}))(t, codes.FailedPrecondition, "conflict")
		if st.Message() == "" {
			t.Error("nothing is said")
		}
		got := ok(p.reservations.GetReservation(with(t), &pb.GetReservationRequest{Id: held.GetId()}))(t).GetReservation()
		list := ok(p.reservations.ListReservations(with(t), &pb.ListReservationsRequest{OrderReference: order, Status: "held", Location: s.location, Region: p.region}))(t)
		if !proto.Equal(got, released) || len(list.GetItems()) != 1 || !proto.Equal(list.GetItems()[0], got) {
			t.Errorf("got %v, listed %v, want %v", got, list, released)
		}
		fails(p.reservations.GetReservation(with(t), &pb.GetReservationRequest{Id: "nonsense"}))(t, codes.NotFound, "not-found")
	})
}

func TestAPartialReservationSaysWhatIsMissing(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 4)
		input := s.reservation(9)
		input.Policy = "partial"
		got := ok(p.reservations.Reserve(once(t), &pb.ReserveRequest{Reservation: input}))(t).GetReservation()
		want := &pb.Shortage{Line: 1, Sku: s.sku, Location: s.location, Requested: 9, Available: 4}
		if len(got.GetShortages()) != 1 || !proto.Equal(got.GetShortages()[0], want) || got.GetLines()[0].GetQuantity() != 4 {
			t.Errorf("reserved %v", got)
		}
	})
}

func TestBatches(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10)
		key := name("key")
		request := &pb.MoveBatchRequest{Movements: []*pb.MovementInput{movement("sell", s.line(3)), movement("sell", s.line(99)), movement("lend", s.line(1)), movement("sell", s.line(1))}}
		items := ok(p.stock.MoveBatch(keyed(t, key), request))(t).GetItems()
		if items[0].GetMovement() == nil || statusOf(items[1].GetError()).Code() != codes.FailedPrecondition || items[3].GetMovement() == nil {
			t.Errorf("items %v", items)
		}
		refused := items[2].GetError()
		st := statusOf(refused)
		if st.Code() != codes.InvalidArgument || len(wrong(t, st)) != 1 || wrong(t, st)[0] != "kind" {
			t.Errorf("the odd one: %v", st)
		}
		var header header
		again := ok(p.stock.MoveBatch(keyed(t, key), request, header.keep()))(t).GetItems()
		if header.value("idempotency-replayed") != "true" || !proto.Equal(again[3], items[3]) {
			t.Errorf("again %v, want %v", again, items)
		}

		both := &pb.ReserveBatchRequest{OnError: "abort", Reservations: []*pb.ReservationInput{s.reservation(1), s.reservation(99)}}
		st = fails(p.reservations.ReserveBatch(keyed(t, key+"b"), both))(t, codes.FailedPrecondition, "insufficient-stock")
		if detail[*pb.BatchRefusal](t, st).GetItem() != 1 || detail[*pb.Shortages](t, st).GetShortages()[0].GetRequested() != 99 {
			t.Errorf("aborted with %v", st.Details())
		}
		fails(p.reservations.ReserveBatch(keyed(t, key+"b"), both, header.keep()))(t, codes.FailedPrecondition, "insufficient-stock")
		if header.value("idempotency-replayed") != "true" {
			t.Error("a refused batch that is repeated doesn't say so")
		}
		both.Reservations[1] = s.reservation(1)
		if got := ok(p.reservations.ReserveBatch(once(t), both))(t).GetItems(); len(got) != 2 || got[1].GetReservation().GetStatus() != "held" {
			t.Errorf("reserved %v", got)
		}
		each := &pb.ReserveBatchRequest{Reservations: []*pb.ReservationInput{s.reservation(99)}}
		if st := statusOf(ok(p.reservations.ReserveBatch(once(t), each))(t).GetItems()[0].GetError()); st.Code() != codes.FailedPrecondition || len(detail[*pb.Shortages](t, st).GetShortages()) != 1 {
			t.Errorf("refused %v", st)
		}
	})
}
