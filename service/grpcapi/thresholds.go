package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

func (c *catalogue) PutThreshold(ctx context.Context, r *pb.PutThresholdRequest) (*pb.PutThresholdResponse, error) {
	if err := catalogued("name", r.GetName(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	t, created, err := c.service.PutThreshold(ctx, callerOf(ctx), applyThreshold(inventory.Threshold{Name: r.GetName()}, r.GetInput()), precondition(r.IfVersion))
	return &pb.PutThresholdResponse{Threshold: thresholdOf(t), Created: created}, err
}

func (c *catalogue) GetThreshold(ctx context.Context, r *pb.GetThresholdRequest) (*pb.GetThresholdResponse, error) {
	if err := catalogued("name", r.GetName(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	t, err := c.service.Threshold(ctx, callerOf(ctx), r.GetName())
	return &pb.GetThresholdResponse{Threshold: thresholdOf(t)}, err
}

func (c *catalogue) PatchThreshold(ctx context.Context, r *pb.PatchThresholdRequest) (*pb.PatchThresholdResponse, error) {
	if err := catalogued("name", r.GetName(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	change, err := patch(r.GetInput(), r.GetUpdateMask(), thresholdInputOf, applyThreshold)
	if err != nil {
		return nil, err
	}
	t, err := c.service.PatchThreshold(ctx, callerOf(ctx), r.GetName(), precondition(r.IfVersion), change)
	return &pb.PatchThresholdResponse{Threshold: thresholdOf(t)}, err
}

func (c *catalogue) ArchiveThreshold(ctx context.Context, r *pb.ArchiveThresholdRequest) (*pb.ArchiveThresholdResponse, error) {
	if err := catalogued("name", r.GetName(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	return &pb.ArchiveThresholdResponse{}, c.service.ArchiveThreshold(ctx, callerOf(ctx), r.GetName(), precondition(r.IfVersion))
}

func (c *catalogue) ListThresholds(ctx context.Context, r *pb.ListThresholdsRequest) (*pb.ListThresholdsResponse, error) {
	var in reader
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := c.service.Thresholds(ctx, callerOf(ctx), page)
	return &pb.ListThresholdsResponse{Items: each(list.Items, thresholdOf), NextPageToken: list.NextPageToken}, err
}

func applyThreshold(t inventory.Threshold, in *pb.ThresholdInput) inventory.Threshold {
	t.SKU, t.Location, t.Channel, t.Below = in.GetSku(), in.GetLocation(), in.GetChannel(), in.GetBelow()
	t.Active = in == nil || in.Active == nil || in.GetActive()
	return t
}

func thresholdInputOf(t inventory.Threshold) (*pb.ThresholdInput, error) {
	return &pb.ThresholdInput{Sku: t.SKU, Location: t.Location, Channel: t.Channel, Below: t.Below, Active: &t.Active}, nil
}

func thresholdOf(t inventory.Threshold) *pb.Threshold {
	return &pb.Threshold{
		Name: t.Name, Sku: t.SKU, Location: t.Location, Channel: t.Channel, Below: t.Below, Active: t.Active,
		Version: t.Version, CreatedAt: timestamppb.New(t.CreatedAt), UpdatedAt: timestamppb.New(t.UpdatedAt),
	}
}
