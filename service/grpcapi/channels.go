package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

func (c *catalogue) PutChannel(ctx context.Context, r *pb.PutChannelRequest) (*pb.PutChannelResponse, error) {
	if err := catalogued("channel", r.GetChannel(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	channel, created, err := c.service.PutChannel(ctx, callerOf(ctx), applyChannel(inventory.Channel{Name: r.GetChannel()}, r.GetInput()), precondition(r.IfVersion))
	return &pb.PutChannelResponse{Channel: channelOf(channel), Created: created}, err
}

func (c *catalogue) GetChannel(ctx context.Context, r *pb.GetChannelRequest) (*pb.GetChannelResponse, error) {
	if err := catalogued("channel", r.GetChannel(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	channel, err := c.service.Channel(ctx, callerOf(ctx), r.GetChannel())
	return &pb.GetChannelResponse{Channel: channelOf(channel)}, err
}

func (c *catalogue) PatchChannel(ctx context.Context, r *pb.PatchChannelRequest) (*pb.PatchChannelResponse, error) {
	if err := catalogued("channel", r.GetChannel(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	change, err := patch(r.GetInput(), r.GetUpdateMask(), channelInputOf, applyChannel)
	if err != nil {
		return nil, err
	}
	channel, err := c.service.PatchChannel(ctx, callerOf(ctx), r.GetChannel(), precondition(r.IfVersion), change)
	return &pb.PatchChannelResponse{Channel: channelOf(channel)}, err
}

func (c *catalogue) ArchiveChannel(ctx context.Context, r *pb.ArchiveChannelRequest) (*pb.ArchiveChannelResponse, error) {
	if err := catalogued("channel", r.GetChannel(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	return &pb.ArchiveChannelResponse{}, c.service.ArchiveChannel(ctx, callerOf(ctx), r.GetChannel(), precondition(r.IfVersion))
}

func (c *catalogue) ListChannels(ctx context.Context, r *pb.ListChannelsRequest) (*pb.ListChannelsResponse, error) {
	var in reader
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := c.service.Channels(ctx, callerOf(ctx), page)
	return &pb.ListChannelsResponse{Items: each(list.Items, channelOf), NextPageToken: list.NextPageToken}, err
}

func applyChannel(c inventory.Channel, in *pb.ChannelInput) inventory.Channel {
	c.Title, c.Kind, c.Locations, c.SafetyStock = in.GetName(), in.GetKind(), in.GetLocations(), in.GetSafetyStock()
	return c
}

func channelInputOf(c inventory.Channel) (*pb.ChannelInput, error) {
	return &pb.ChannelInput{Name: c.Title, Kind: c.Kind, Locations: c.Locations, SafetyStock: c.SafetyStock}, nil
}

func channelOf(c inventory.Channel) *pb.Channel {
	return &pb.Channel{
		Channel: c.Name, Name: c.Title, Kind: c.Kind, Locations: c.Locations, SafetyStock: c.SafetyStock,
		Version: c.Version, CreatedAt: timestamppb.New(c.CreatedAt), UpdatedAt: timestamppb.New(c.UpdatedAt),
	}
}
