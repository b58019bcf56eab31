package grpcapi

import (
	"context"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
)

func (s *reservations) Confirm(ctx context.Context, r *pb.ConfirmRequest) (*pb.ConfirmResponse, error) {
	after, err := step(ctx, r, s.service.Confirm, service.StepInput{Reason: r.GetReason(), Reference: r.GetReference()})
	return &pb.ConfirmResponse{Reservation: after}, err
}

func (s *reservations) Extend(ctx context.Context, r *pb.ExtendRequest) (*pb.ExtendResponse, error) {
	after, err := step(ctx, r, s.service.Extend, service.StepInput{ExpiresIn: r.GetExpiresIn()})
	return &pb.ExtendResponse{Reservation: after}, err
}

func (s *reservations) Release(ctx context.Context, r *pb.ReleaseRequest) (*pb.ReleaseResponse, error) {
	after, err := step(ctx, r, s.service.Release, unitsOf(r))
	return &pb.ReleaseResponse{Reservation: after}, err
}

func (s *reservations) Fulfil(ctx context.Context, r *pb.FulfilRequest) (*pb.FulfilResponse, error) {
	after, err := step(ctx, r, s.service.Fulfil, unitsOf(r))
	return &pb.FulfilResponse{Reservation: after}, err
}

// step runs a step of a reservation's life.
func step(ctx context.Context, request stepRequest, run stepper[service.StepInput], in service.StepInput) (*pb.Reservation, error) {
	outcome, err := run(ctx, commander(ctx, request), request.GetId(), in)
	if err != nil {
		return nil, err
	}
	sayReplayed(ctx, outcome.Replayed)
	return reservationOf(outcome.Reservation), nil
}

// stepRequest is what requests for steps have in common.
type stepRequest interface {
	GetId() string
	GetDryRun() bool
}

// stepper is a use case that is a step.
type stepper[In any] func(context.Context, service.Caller, string, In) (service.Outcome, error)

func unitsOf(r interface {
	GetLines() []*pb.Selection
	GetReason() string
	GetReference() string
},
) service.StepInput {
	in := service.StepInput{Reason: r.GetReason(), Reference: r.GetReference()}
	for _, l := range r.GetLines() {
		in.Lines = append(in.Lines, service.SelectionInput{Line: int(l.GetLine()), SKU: l.GetSku(), Location: l.GetLocation(), Quantity: l.Quantity})
	}
	return in
}
