package grpcapi_test

import (
	"testing"

	pb "stockyard/service/grpcapi/stockyardv1"
)

// A shop's day by the generated client: what it sells, goods that come in, an order that is held,
// paid, shipped in two parts, and a count in the evening.
func TestAShopsDay(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		london, tea := name("london"), name("tea")
		ok(p.catalogue.PutLocation(with(t), &pb.PutLocationRequest{Location: london, Input: &pb.LocationInput{
			Name: "London", Region: europe, Kind: "store", Country: "GB", Latitude: ptr(51.5), Longitude: ptr(-0.1),
		}}))(t)
		ok(p.catalogue.PutProduct(with(t), &pb.PutProductRequest{Sku: tea, Input: &pb.ProductInput{
			Name: "Tea", UnitCost: &pb.Money{Amount: "2.50", Currency: "GBP"},
		}}))(t)
		s := shelf{london, tea}
		received := ok(p.stock.Move(once(t), move("receive", s.line(10))))(t).GetMovement()
		if l := received.GetLines()[0]; received.GetRegion() != europe || l.GetDeltas().GetOnHand() != 10 || l.GetLevel().GetAvailable() != 10 {
			t.Errorf("received %v", received)
		}

		order := ok(p.reservations.Reserve(once(t), &pb.ReserveRequest{Reservation: &pb.ReservationInput{
			OrderReference: "A-1", ExpiresIn: "10m", Destination: &pb.Destination{Country: "FR"},
			Lines: []*pb.ReservationLineInput{{Sku: tea, Quantity: ptr[int64](4)}},
		}}))(t).GetReservation()
		if order.GetStatus() != "held" || order.GetLines()[0].GetLocation() != london || order.GetExpiresAt() == nil {
			t.Errorf("held %v", order)
		}
		paid := ok(p.reservations.Confirm(once(t), &pb.ConfirmRequest{Id: order.GetId(), Reference: "payment 7"}))(t).GetReservation()
		if paid.GetStatus() != "allocated" || paid.GetExpiresAt() != nil || paid.GetVersion() != 2 {
			t.Errorf("confirmed %v", paid)
		}
		part := &pb.FulfilRequest{Id: order.GetId(), Lines: []*pb.Selection{{Line: 1, Quantity: ptr[int64](3)}}}
		shipped := ok(p.reservations.Fulfil(once(t), part))(t).GetReservation()
		if shipped.GetStatus() != "allocated" || shipped.GetLines()[0].GetFulfilled() != 3 {
			t.Errorf("shipped a part: %v", shipped)
		}
		rest := ok(p.reservations.Fulfil(once(t), &pb.FulfilRequest{Id: order.GetId()}))(t).GetReservation()
		if rest.GetStatus() != "fulfilled" || rest.GetLines()[0].GetFulfilled() != 4 {
			t.Errorf("shipped the rest: %v", rest)
		}

		counted := ok(p.stock.Move(once(t), move("count", s.line(5))))(t).GetMovement()
		if counted.GetLines()[0].GetDeltas().GetOnHand() != -1 {
			t.Errorf("counted %v", counted)
		}
		if got, want := p.balances(t, s), "on_hand 5 held 0 allocated 0 quarantined 0 shortfall 0 available 5 version 6"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		events := ok(p.stock.ListEvents(with(t), &pb.ListEventsRequest{Location: london, Sku: tea}))(t).GetItems()
		kinds := ""
		for _, e := range events {
			kinds += e.GetKind() + " "
		}
		if kinds != "receive reserve confirm fulfil fulfil count " || events[1].GetReservation() != order.GetId() || events[2].GetReference() != "payment 7" {
			t.Errorf("the ledger says %s: %v", kinds, events)
		}
	})
}
