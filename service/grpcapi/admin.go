package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store"
)

// admin serves AdminService.
type admin struct{ service *service.Service }

func (a *admin) Verify(ctx context.Context, _ *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	v, err := a.service.Verify(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	sayAsOf(ctx, v.AsOf)
	return &pb.VerifyResponse{Clean: v.Clean, AsOf: timestamppb.New(v.AsOf), Checks: each(v.Checks, checkOf)}, nil
}

func checkOf(c store.CheckResult) *pb.Check {
	return &pb.Check{
		Name: c.Name, About: c.About, Checked: c.Checked,
		Violations: each(c.Violations, func(v store.Violation) *pb.Violation {
			return &pb.Violation{Key: v.Key, Detail: v.Detail}
		}),
	}
}
