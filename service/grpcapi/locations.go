package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

func (c *catalogue) PutLocation(ctx context.Context, r *pb.PutLocationRequest) (*pb.PutLocationResponse, error) {
	if err := catalogued("location", r.GetLocation(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	l, created, err := c.service.PutLocation(ctx, callerOf(ctx), applyLocation(inventory.Location{Name: r.GetLocation()}, r.GetInput()), precondition(r.IfVersion))
	return &pb.PutLocationResponse{Location: locationOf(l), Created: created}, err
}

func (c *catalogue) GetLocation(ctx context.Context, r *pb.GetLocationRequest) (*pb.GetLocationResponse, error) {
	if err := catalogued("location", r.GetLocation(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	l, err := c.service.Location(ctx, callerOf(ctx), r.GetLocation())
	return &pb.GetLocationResponse{Location: locationOf(l)}, err
}

func (c *catalogue) PatchLocation(ctx context.Context, r *pb.PatchLocationRequest) (*pb.PatchLocationResponse, error) {
	if err := catalogued("location", r.GetLocation(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	change, err := patch(r.GetInput(), r.GetUpdateMask(), locationInputOf, applyLocation)
	if err != nil {
		return nil, err
	}
	l, err := c.service.PatchLocation(ctx, callerOf(ctx), r.GetLocation(), precondition(r.IfVersion), change)
	return &pb.PatchLocationResponse{Location: locationOf(l)}, err
}

func (c *catalogue) ArchiveLocation(ctx context.Context, r *pb.ArchiveLocationRequest) (*pb.ArchiveLocationResponse, error) {
	if err := catalogued("location", r.GetLocation(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	return &pb.ArchiveLocationResponse{}, c.service.ArchiveLocation(ctx, callerOf(ctx), r.GetLocation(), precondition(r.IfVersion))
}

func (c *catalogue) ListLocations(ctx context.Context, r *pb.ListLocationsRequest) (*pb.ListLocationsResponse, error) {
	var in reader
	region, page := in.text("region", r.GetRegion()), in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := c.service.Locations(ctx, callerOf(ctx), region, page)
	return &pb.ListLocationsResponse{Items: each(list.Items, locationOf), NextPageToken: list.NextPageToken}, err
}

func applyLocation(l inventory.Location, in *pb.LocationInput) inventory.Location {
	l.Title, l.Region, l.Kind, l.Country = in.GetName(), in.GetRegion(), in.GetKind(), in.GetCountry()
	l.Latitude, l.Longitude, l.Priority = nil, nil, in.GetPriority()
	if in != nil {
		l.Latitude, l.Longitude = in.Latitude, in.Longitude
	}
	return l
}

func locationInputOf(l inventory.Location) (*pb.LocationInput, error) {
	return &pb.LocationInput{
		Name: l.Title, Region: l.Region, Kind: l.Kind, Country: l.Country,
		Latitude: l.Latitude, Longitude: l.Longitude, Priority: l.Priority,
	}, nil
}

func locationOf(l inventory.Location) *pb.Location {
	return &pb.Location{
		Location: l.Name, Name: l.Title, Region: l.Region, Kind: l.Kind, Country: l.Country,
		Latitude: l.Latitude, Longitude: l.Longitude, Priority: l.Priority,
		Version: l.Version, CreatedAt: timestamppb.New(l.CreatedAt), UpdatedAt: timestamppb.New(l.UpdatedAt),
	}
}

// each turns a list into messages.
func each[From, To any](from []From, turn func(From) To) []To {
	to := make([]To, len(from))
	for i, v := range from {
		to[i] = turn(v)
	}
	return to
}
