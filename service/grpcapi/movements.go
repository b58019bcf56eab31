package grpcapi

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

func (s *stock) Move(ctx context.Context, r *pb.MoveRequest) (*pb.MoveResponse, error) {
	var in reader
	movement := in.movement("", r.GetMovement())
	if err := in.err(); err != nil {
		return nil, err
	}
	outcome, err := s.service.Move(ctx, commander(ctx, r), movement)
	if err != nil {
		return nil, err
	}
	sayReplayed(ctx, outcome.Replayed)
	return &pb.MoveResponse{Movement: movementOf(outcome.Movement)}, nil
}

func (s *stock) MoveBatch(ctx context.Context, r *pb.MoveBatchRequest) (*pb.MoveBatchResponse, error) {
	var in reader
	movements := make([]service.MovementInput, len(r.GetMovements()))
	for i, m := range r.GetMovements() {
		movements[i] = in.movement(fmt.Sprintf("movements[%d].", i), m)
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	on := service.OnError(r.GetOnError())
	outcomes, err := s.service.MoveBatch(ctx, commander(ctx, r), on, movements)
	if err != nil {
		return nil, err
	}
	instance, err := batch(ctx, on, outcomes)
	if err != nil {
		return nil, err
	}
	return &pb.MoveBatchResponse{Items: each(outcomes, func(o service.ItemOutcome) *pb.MoveBatchItem {
		if o.Err != nil {
			return &pb.MoveBatchItem{Outcome: &pb.MoveBatchItem_Error{Error: commandError(o.Err, instance)}}
		}
		return &pb.MoveBatchItem{Outcome: &pb.MoveBatchItem_Movement{Movement: movementOf(o.Movement)}}
	})}, nil
}

// movement reads a movement; at is what its fields' names begin with.
func (r *reader) movement(at string, m *pb.MovementInput) service.MovementInput {
	in := service.MovementInput{
		Kind: m.GetKind(), Reason: m.GetReason(), Reference: m.GetReference(), Channel: m.GetChannel(),
		EffectiveAt: r.moment(at+"effective_at", m.GetEffectiveAt()),
		Lines:       each(m.GetLines(), movementLineIn),
	}
	if m != nil {
		in.MovementOptions = service.MovementOptions{AllowShortfall: m.AllowShortfall, AsOfVersion: m.AsOfVersion, To: m.GetTo(), From: m.GetFrom()}
	}
	return in
}

func movementLineIn(l *pb.MovementLineInput) service.MovementLineInput {
	return service.MovementLineInput{
		Location: l.GetLocation(), SKU: l.GetSku(), Quantity: l.Quantity, IfVersion: l.IfVersion, UnitCost: moneyIn(l.GetUnitCost()),
		MovementOptions: service.MovementOptions{AllowShortfall: l.AllowShortfall, AsOfVersion: l.AsOfVersion, To: l.GetTo(), From: l.GetFrom()},
	}
}

func movementOf(m *inventory.MovementAnswer) *pb.Movement {
	return &pb.Movement{
		Id: m.ID.String(), Kind: string(m.Kind), Region: m.Region,
		Reason: m.Reason, Reference: m.Reference, Channel: m.Channel,
		RecordedAt: timestamppb.New(m.RecordedAt), EffectiveAt: timestamppb.New(m.EffectiveAt), Warnings: m.Warnings,
		Lines: each(m.Lines, func(l inventory.MovementLineAnswer) *pb.MovementLine {
			return &pb.MovementLine{Location: l.Location, Sku: l.SKU, Deltas: balancesOf(l.Deltas), Level: levelOf(l.Level)}
		}),
	}
}
