package grpcapi_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "stockyard/service/grpcapi/stockyardv1"
)

// Stock goes from one location to another, most of it arrives, and the rest is given up.
func TestATransfer(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10)
		far := shelf{p.location(t, europe), s.sku}
		input := &pb.TransferInput{From: s.location, To: far.location, Reference: name("lorry"), Lines: []*pb.TransferLineInput{{Sku: s.sku, Quantity: ptr[int64](6)}}}
		planned := ok(p.transfers.CreateTransfer(once(t), &pb.CreateTransferRequest{Transfer: input}))(t).GetTransfer()
		if planned.GetStatus() != "draft" || planned.GetRegion() != america || planned.GetVersion() != 1 {
			t.Errorf("planned %v", planned)
		}
		dry := ok(p.transfers.ShipTransfer(with(t), &pb.ShipTransferRequest{Id: planned.GetId(), DryRun: true}))(t).GetTransfer()
		key := name("key")
		shipped := ok(p.transfers.ShipTransfer(keyed(t, key), &pb.ShipTransferRequest{Id: planned.GetId()}))(t).GetTransfer()
		var h header
		again := ok(p.transfers.ShipTransfer(keyed(t, key), &pb.ShipTransferRequest{Id: planned.GetId()}, h.keep()))(t).GetTransfer()
		if dry.GetStatus() != "in_transit" || shipped.GetLines()[0].GetInTransit() != 6 || !proto.Equal(again, shipped) || h.value("idempotency-replayed") != "true" {
			t.Errorf("dry %v, shipped %v, again %v", dry, shipped, again)
		}
		received := ok(p.transfers.ReceiveTransfer(once(t), &pb.ReceiveTransferRequest{
			Id: planned.GetId(), Lines: []*pb.Arrival{{Sku: s.sku, Quantity: ptr[int64](5), Quarantined: 1}},
		}))(t).GetTransfer()
		if l := received.GetLines()[0]; received.GetStatus() != "partially_received" || l.GetReceived() != 5 || l.GetQuarantined() != 1 || l.GetInTransit() != 1 {
			t.Errorf("received %v", received)
		}
		st := fails(p.transfers.CancelTransfer(once(t), &pb.CancelTransferRequest{Id: planned.GetId()}))(t, codes.FailedPrecondition, "conflict")
		if st.Message() == "" {
			t.Error("nothing is said")
		}
		closed := ok(p.transfers.CloseTransfer(once(t), &pb.CloseTransferRequest{Id: planned.GetId(), Disposition: "lost", Reason: "fell off"}))(t).GetTransfer()
		if closed.GetStatus() != "closed" || closed.GetLines()[0].GetLost() != 1 {
			t.Errorf("closed %v", closed)
		}
		got := ok(p.transfers.GetTransfer(with(t), &pb.GetTransferRequest{Id: planned.GetId()}))(t).GetTransfer()
		list := ok(p.transfers.ListTransfers(with(t), &pb.ListTransfersRequest{From: s.location, To: far.location, Reference: input.GetReference(), Status: "closed"}))(t).GetItems()
		if !proto.Equal(got, closed) || len(list) != 1 || !proto.Equal(list[0], got) {
			t.Errorf("got %v, listed %v", got, list)
		}
		if got := p.balances(t, far); !strings.HasPrefix(got, "on_hand 5 held 0 allocated 0 quarantined 1 ") {
			t.Errorf("there: %s", got)
		}
		events := ok(p.stock.ListEvents(with(t), &pb.ListEventsRequest{Location: far.location, Sku: far.sku}))(t).GetItems()
		if len(events) == 0 || events[0].GetTransfer() != planned.GetId() {
			t.Errorf("the ledger says %v", events)
		}

		draft := ok(p.transfers.CreateTransfer(once(t), &pb.CreateTransferRequest{Transfer: input}))(t).GetTransfer()
		if got := ok(p.transfers.CancelTransfer(once(t), &pb.CancelTransferRequest{Id: draft.GetId()}))(t).GetTransfer(); got.GetStatus() != "cancelled" {
			t.Errorf("cancelled %v", got)
		}
		odd := &pb.CreateTransferRequest{Transfer: &pb.TransferInput{From: s.location, To: s.location, Lines: []*pb.TransferLineInput{{}}}}
		fields := wrong(t, fails(p.transfers.CreateTransfer(once(t), odd))(t, codes.InvalidArgument, "invalid-request"))
		slices.Sort(fields)
		if got := strings.Join(fields, " "); got != "lines[0].quantity lines[0].sku to" {
			t.Errorf("wrong are %s", got)
		}
	})
}
