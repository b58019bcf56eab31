package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

// stock serves StockService.
type stock struct{ service *service.Service }

func (s *stock) GetLevel(ctx context.Context, r *pb.GetLevelRequest) (*pb.GetLevelResponse, error) {
	var in reader
	location, sku := in.name("location", r.GetLocation(), inventory.CheckIdentifier), in.name("sku", r.GetSku(), inventory.CheckSKU)
	fresh := in.freshness(service.Freshness{Consistency: r.GetConsistency(), MaxStaleness: r.GetMaxStaleness(), MinVersion: r.MinVersion})
	past, axis := in.moment("as_of", r.GetAsOf()), service.Axis(in.text("axis", r.GetAxis()))
	in.wrong = append(in.wrong, service.CheckPast(orZero(past), axis, fresh)...)
	if err := in.err(); err != nil {
		return nil, err
	}
	if past != nil {
		level, err := s.service.LevelAsOf(ctx, callerOf(ctx), location, sku, *past, axis)
		sayAsOf(ctx, *past)
		return &pb.GetLevelResponse{Level: levelOf(level)}, err
	}
	level, asOf, err := s.service.Level(ctx, callerOf(ctx), location, sku, fresh)
	if err != nil {
		return nil, err
	}
	sayAsOf(ctx, asOf)
	return &pb.GetLevelResponse{Level: levelOf(level)}, nil
}

func (s *stock) ListLevels(ctx context.Context, r *pb.ListLevelsRequest) (*pb.ListLevelsResponse, error) {
	var in reader
	query := service.LevelsQuery{
		SKU: in.filter("sku", r.GetSku(), inventory.CheckSKU), Location: in.filter("location", r.GetLocation(), inventory.CheckIdentifier),
		Region: in.text("region", r.GetRegion()), AvailableBelow: r.AvailableBelow,
		Fresh: in.freshness(service.Freshness{Consistency: r.GetConsistency(), MaxStaleness: r.GetMaxStaleness()}),
	}
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := s.service.Levels(ctx, callerOf(ctx), query, page)
	sayAsOf(ctx, list.AsOf)
	return &pb.ListLevelsResponse{Items: each(list.Items, levelOf), NextPageToken: list.NextPageToken}, err
}

func (s *stock) ListEvents(ctx context.Context, r *pb.ListEventsRequest) (*pb.ListEventsResponse, error) {
	var in reader
	location, sku := in.name("location", r.GetLocation(), inventory.CheckIdentifier), in.name("sku", r.GetSku(), inventory.CheckSKU)
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := s.service.Events(ctx, callerOf(ctx), location, sku, r.GetAfterVersion(), page)
	return &pb.ListEventsResponse{Items: each(list.Items, eventOf), NextPageToken: list.NextPageToken}, err
}

func (s *stock) GetAvailability(ctx context.Context, r *pb.GetAvailabilityRequest) (*pb.GetAvailabilityResponse, error) {
	var in reader
	fresh := in.freshness(service.Freshness{Consistency: r.GetConsistency(), MaxStaleness: r.GetMaxStaleness()})
	region, channel := in.text("region", r.GetRegion()), in.filter("channel", r.GetChannel(), inventory.CheckIdentifier)
	if err := in.err(); err != nil {
		return nil, err
	}
	items, asOf, err := s.service.AvailabilityOf(ctx, callerOf(ctx), r.GetSkus(), region, channel, fresh)
	if err != nil {
		return nil, err
	}
	sayAsOf(ctx, asOf)
	return &pb.GetAvailabilityResponse{Items: each(items, availabilityOf)}, nil
}

func levelOf(l inventory.LevelAnswer) *pb.Level {
	return &pb.Level{
		Location: l.Location, Sku: l.SKU, Region: l.Region,
		OnHand: l.OnHand, Held: l.Held, Allocated: l.Allocated, Quarantined: l.Quarantined, Incoming: l.Incoming,
		Shortfall: l.Shortfall, Available: l.Available, Version: l.Version, UpdatedAt: momentOf(l.UpdatedAt),
	}
}

func balancesOf(b inventory.Balances) *pb.Balances {
	return &pb.Balances{
		OnHand: b.OnHand, Held: b.Held, Allocated: b.Allocated,
		Quarantined: b.Quarantined, Incoming: b.Incoming, Shortfall: b.Shortfall,
	}
}

func eventOf(e service.EventAnswer) *pb.Event {
	event := &pb.Event{
		Location: e.Location, Sku: e.SKU, Region: e.Region, Version: e.Version, Kind: string(e.Kind),
		Deltas: balancesOf(e.Deltas), Balances: balancesOf(e.Balances), Movement: e.Movement.String(),
		UnitCost: moneyOf(e.UnitCost), Reason: e.Reason, Reference: e.Reference, Channel: e.Channel, Actor: e.Actor,
		EffectiveAt: timestamppb.New(e.EffectiveAt), RecordedAt: timestamppb.New(e.RecordedAt),
	}
	if e.Reservation != nil {
		event.Reservation = e.Reservation.String()
	}
	if e.Transfer != nil {
		event.Transfer = e.Transfer.String()
	}
	return event
}

func availabilityOf(a service.Availability) *pb.Availability {
	return &pb.Availability{
		Sku: a.SKU, Available: a.Available, Sellable: a.Sellable, ByRegion: a.ByRegion,
		ByLocation: each(a.ByLocation, func(l service.LocationAvailability) *pb.LocationAvailability {
			return &pb.LocationAvailability{Location: l.Location, Available: l.Available}
		}),
	}
}
