package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	"stockyard/service/auth"
	pb "stockyard/service/grpcapi/stockyardv1"
)

func (a *admin) CreateKey(ctx context.Context, r *pb.CreateKeyRequest) (*pb.CreateKeyResponse, error) {
	var in reader
	input := service.KeyInput{Name: r.GetName(), Grants: r.GetGrants(), ExpiresIn: r.GetExpiresIn(), ExpiresAt: in.moment("expires_at", r.GetExpiresAt())}
	if err := in.err(); err != nil {
		return nil, err
	}
	key, err := a.service.CreateKey(ctx, callerOf(ctx), input)
	if err != nil {
		return nil, err
	}
	return &pb.CreateKeyResponse{Text: key.Text, Key: keyOf(key.Key)}, nil
}

func (a *admin) GetKey(ctx context.Context, r *pb.GetKeyRequest) (*pb.GetKeyResponse, error) {
	key, err := a.service.Key(ctx, callerOf(ctx), r.GetId())
	return &pb.GetKeyResponse{Key: keyOf(key)}, err
}

func (a *admin) ListKeys(ctx context.Context, r *pb.ListKeysRequest) (*pb.ListKeysResponse, error) {
	var in reader
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := a.service.Keys(ctx, callerOf(ctx), page)
	return &pb.ListKeysResponse{Items: each(list.Items, keyOf), NextPageToken: list.NextPageToken}, err
}

func (a *admin) RevokeKey(ctx context.Context, r *pb.RevokeKeyRequest) (*pb.RevokeKeyResponse, error) {
	key, err := a.service.RevokeKey(ctx, callerOf(ctx), r.GetId())
	return &pb.RevokeKeyResponse{Key: keyOf(key)}, err
}

func keyOf(k auth.Key) *pb.Key {
	return &pb.Key{
		Id: k.ID, Name: k.Name, Grants: each(k.Grants, auth.Grant.String), Status: string(k.Status),
		CreatedAt: timestamppb.New(k.CreatedAt), CreatedBy: k.CreatedBy,
		ExpiresAt: momentOf(k.ExpiresAt), LastUsedAt: momentOf(k.LastUsedAt), RevokedAt: momentOf(k.RevokedAt),
	}
}
