package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

// reservations serves ReservationService.
type reservations struct{ service *service.Service }

func (s *reservations) Reserve(ctx context.Context, r *pb.ReserveRequest) (*pb.ReserveResponse, error) {
	outcome, err := s.service.Reserve(ctx, commander(ctx, r), reservationIn(r.GetReservation()))
	if err != nil {
		return nil, err
	}
	sayReplayed(ctx, outcome.Replayed)
	return &pb.ReserveResponse{Reservation: reservationOf(outcome.Reservation)}, nil
}

func (s *reservations) ReserveBatch(ctx context.Context, r *pb.ReserveBatchRequest) (*pb.ReserveBatchResponse, error) {
	on := service.OnError(r.GetOnError())
	outcomes, err := s.service.ReserveBatch(ctx, commander(ctx, r), on, each(r.GetReservations(), reservationIn))
	if err != nil {
		return nil, err
	}
	instance, err := batch(ctx, on, outcomes)
	if err != nil {
		return nil, err
	}
	return &pb.ReserveBatchResponse{Items: each(outcomes, func(o service.ItemOutcome) *pb.ReserveBatchItem {
		if o.Err != nil {
			return &pb.ReserveBatchItem{Outcome: &pb.ReserveBatchItem_Error{Error: commandError(o.Err, instance)}}
		}
		return &pb.ReserveBatchItem{Outcome: &pb.ReserveBatchItem_Reservation{Reservation: reservationOf(o.Reservation)}}
	})}, nil
}

func (s *reservations) GetReservation(ctx context.Context, r *pb.GetReservationRequest) (*pb.GetReservationResponse, error) {
	found, asOf, err := s.service.Reservation(ctx, callerOf(ctx), r.GetId())
	if err != nil {
		return nil, err
	}
	sayAsOf(ctx, asOf)
	return &pb.GetReservationResponse{Reservation: reservationOf(found)}, nil
}

func (s *reservations) ListReservations(ctx context.Context, r *pb.ListReservationsRequest) (*pb.ListReservationsResponse, error) {
	var in reader
	query := service.ReservationsQuery{
		Status: r.GetStatus(), OrderReference: in.text("order_reference", r.GetOrderReference()),
		Location: in.text("location", r.GetLocation()), Region: in.text("region", r.GetRegion()),
	}
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := s.service.Reservations(ctx, callerOf(ctx), query, page)
	return &pb.ListReservationsResponse{Items: each(list.Items, reservationOf), NextPageToken: list.NextPageToken}, err
}

func reservationIn(r *pb.ReservationInput) service.ReservationInput {
	in := service.ReservationInput{
		OrderReference: r.GetOrderReference(), ExpiresIn: r.GetExpiresIn(), Policy: r.GetPolicy(),
		Strategy: r.GetStrategy(), Channel: r.GetChannel(),
		Lines: each(r.GetLines(), func(l *pb.ReservationLineInput) service.ReservationLineInput {
			return service.ReservationLineInput{SKU: l.GetSku(), Quantity: l.Quantity, Location: l.GetLocation(), IfVersion: l.IfVersion}
		}),
	}
	if to := r.GetDestination(); to != nil {
		in.Destination = &service.Destination{Country: to.GetCountry(), Region: to.GetRegion(), Latitude: to.Latitude, Longitude: to.Longitude}
	}
	return in
}

func reservationOf(r *inventory.ReservationAnswer) *pb.Reservation {
	return &pb.Reservation{
		Id: r.ID.String(), Region: r.Region, Status: string(r.Status), OrderReference: r.OrderReference, Channel: r.Channel,
		ExpiresAt: momentOf(r.ExpiresAt), Shortages: shortagesOf(r.Shortages), Version: r.Version,
		CreatedAt: timestamppb.New(r.CreatedAt), UpdatedAt: timestamppb.New(r.UpdatedAt),
		Lines: each(r.Lines, func(l inventory.LineAnswer) *pb.ReservationLine {
			return &pb.ReservationLine{
				Line: int64(l.Line), Sku: l.SKU, Location: l.Location,
				Quantity: l.Quantity, Fulfilled: l.Fulfilled, Released: l.Released,
			}
		}),
	}
}

func shortagesOf(shortages []inventory.Shortage) []*pb.Shortage {
	return each(shortages, func(s inventory.Shortage) *pb.Shortage {
		return &pb.Shortage{Line: int64(s.Line), Sku: s.SKU, Location: s.Location, Requested: s.Requested, Available: s.Available}
	})
}
