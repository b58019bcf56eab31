package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

func (a *admin) ListAuditLog(ctx context.Context, r *pb.ListAuditLogRequest) (*pb.ListAuditLogResponse, error) {
	var in reader
	query := service.AuditQuery{
		Actor: in.text("actor", r.GetActor()), Operation: in.text("operation", r.GetOperation()), Outcome: r.GetOutcome(),
		RequestID: in.text("request_id", r.GetRequestId()), Resource: in.text("resource", r.GetResource()),
		Name: in.text("name", r.GetName()), Region: in.text("region", r.GetRegion()),
		Since: orZero(in.moment("since", r.GetSince())), Until: orZero(in.moment("until", r.GetUntil())),
	}
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := a.service.AuditLog(ctx, callerOf(ctx), query, page)
	if err != nil {
		return nil, err
	}
	answer := &pb.ListAuditLogResponse{NextPageToken: list.NextPageToken}
	for _, e := range list.Items {
		entry, err := auditEntryOf(e)
		if err != nil {
			return nil, err
		}
		answer.Items = append(answer.Items, entry)
	}
	return answer, nil
}

func (a *admin) ListSeals(ctx context.Context, r *pb.ListSealsRequest) (*pb.ListSealsResponse, error) {
	var in reader
	region, location := in.text("region", r.GetRegion()), in.text("location", r.GetLocation())
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := a.service.Seals(ctx, callerOf(ctx), region, location, page)
	return &pb.ListSealsResponse{Items: each(list.Items, sealOf), NextPageToken: list.NextPageToken}, err
}

func auditEntryOf(e service.AuditAnswer) (*pb.AuditEntry, error) {
	after, err := structOf(e.After)
	return &pb.AuditEntry{
		Id: e.ID.String(), At: timestamppb.New(e.At), Region: e.Region, Actor: e.Actor, RequestId: e.RequestID,
		Operation: e.Operation, Outcome: e.Outcome, Resource: e.Resource, Name: e.Name,
		Reason: e.Reason, Reference: e.Reference, Detail: e.Detail, After: after, Attempts: e.Attempts,
	}, err
}

func sealOf(s inventory.Seal) *pb.Seal {
	return &pb.Seal{
		Location: s.Location, Region: s.Region, UpTo: timestamppb.New(s.UpTo), Root: s.Root.String(),
		Levels: s.Levels, SealedAt: timestamppb.New(s.SealedAt),
	}
}
