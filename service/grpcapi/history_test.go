package grpcapi_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "stockyard/service/grpcapi/stockyardv1"
)

// chapter is what was known of two shelves after a step of a story.
type chapter struct {
	at       *timestamppb.Timestamp
	from, to string
}

// told gives the state of a shelf, now or at a time.
func (p *pod) told(t *testing.T, s shelf, at *timestamppb.Timestamp, axis string) string {
	t.Helper()
	l := ok(p.stock.GetLevel(with(t), &pb.GetLevelRequest{Location: s.location, Sku: s.sku, AsOf: at, Axis: axis}))(t).GetLevel()

	return fmt.Sprintf("on_hand %d held %d allocated %d incoming %d available %d version %d",
		l.GetOnHand(), l.GetHeld(), l.GetAllocated(), l.GetIncoming(), l.GetAvailable(), l.GetVersion())
}

// The story that REST's tests tell, by the generated client: from the catalogue to the count, over
// two regions, with the history of each step at the end.
func TestStoryOfTwoShelvesAndTheirHistory(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		from := shelf{p.location(t, america), p.product(t)}
		to := shelf{p.location(t, europe), from.sku}
		var story []chapter
		next := func(at *timestamppb.Timestamp) {
			t.Helper()
			story = append(story, chapter{at, p.told(t, from, nil, ""), p.told(t, to, nil, "")})
		}
		next(ok(p.stock.Move(once(t), move("receive", from.line(20))))(t).GetMovement().GetRecordedAt())
		order := ok(p.reservations.Reserve(once(t), &pb.ReserveRequest{Reservation: from.reservation(6)}))(t).GetReservation()
		next(order.GetUpdatedAt())
		next(ok(p.reservations.Confirm(once(t), &pb.ConfirmRequest{Id: order.GetId()}))(t).GetReservation().GetUpdatedAt())
		part := &pb.FulfilRequest{Id: order.GetId(), Lines: []*pb.Selection{{Line: 1, Quantity: ptr[int64](4)}}}
		next(ok(p.reservations.Fulfil(once(t), part))(t).GetReservation().GetUpdatedAt())
		lorry := ok(p.transfers.CreateTransfer(once(t), &pb.CreateTransferRequest{Transfer: &pb.TransferInput{
			From: from.location, To: to.location, Lines: []*pb.TransferLineInput{{Sku: from.sku, Quantity: ptr[int64](5)}},
		}}))(t).GetTransfer().GetId()
		next(ok(p.transfers.ShipTransfer(once(t), &pb.ShipTransferRequest{Id: lorry}))(t).GetTransfer().GetUpdatedAt())
		arrived := &pb.ReceiveTransferRequest{Id: lorry, Lines: []*pb.Arrival{{Sku: from.sku, Quantity: ptr[int64](3)}}}
		next(ok(p.transfers.ReceiveTransfer(once(t), arrived))(t).GetTransfer().GetUpdatedAt())
		next(ok(p.transfers.CloseTransfer(once(t), &pb.CloseTransferRequest{Id: lorry, Disposition: "lost"}))(t).GetTransfer().GetUpdatedAt())
		next(ok(p.stock.Move(once(t), move("count", from.line(10))))(t).GetMovement().GetRecordedAt())

		if end := story[len(story)-1]; end.from != "on_hand 10 held 0 allocated 2 incoming 0 available 8 version 6" ||
			end.to != "on_hand 3 held 0 allocated 0 incoming 0 available 3 version 3" {
			t.Errorf("in the end: %+v", end)
		}
		for i, c := range story {
			for _, axis := range []string{"recorded", "effective"} {
				if got := p.told(t, from, c.at, axis); got != c.from {
					t.Errorf("step %d, %s: the origin had %s, and now %s", i, axis, c.from, got)
				}
				if got := p.told(t, to, c.at, axis); got != c.to {
					t.Errorf("step %d, %s: the destination had %s, and now %s", i, axis, c.to, got)
				}
			}
		}
	})
}
