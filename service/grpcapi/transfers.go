package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

// transfers serves TransferService.
type transfers struct{ service *service.Service }

func (s *transfers) CreateTransfer(ctx context.Context, r *pb.CreateTransferRequest) (*pb.CreateTransferResponse, error) {
	outcome, err := s.service.CreateTransfer(ctx, commander(ctx, r), transferIn(r.GetTransfer()))
	if err != nil {
		return nil, err
	}
	sayReplayed(ctx, outcome.Replayed)
	return &pb.CreateTransferResponse{Transfer: transferOf(outcome.Transfer)}, nil
}

func (s *transfers) ShipTransfer(ctx context.Context, r *pb.ShipTransferRequest) (*pb.ShipTransferResponse, error) {
	after, err := transferStep(ctx, r, s.service.ShipTransfer, service.TransferStepInput{Reason: r.GetReason(), Reference: r.GetReference()})
	return &pb.ShipTransferResponse{Transfer: after}, err
}

func (s *transfers) ReceiveTransfer(ctx context.Context, r *pb.ReceiveTransferRequest) (*pb.ReceiveTransferResponse, error) {
	in := service.TransferStepInput{Reason: r.GetReason(), Reference: r.GetReference(), Lines: each(r.GetLines(), arrivalIn)}
	after, err := transferStep(ctx, r, s.service.ReceiveTransfer, in)
	return &pb.ReceiveTransferResponse{Transfer: after}, err
}

func (s *transfers) CloseTransfer(ctx context.Context, r *pb.CloseTransferRequest) (*pb.CloseTransferResponse, error) {
	in := service.TransferStepInput{Disposition: r.GetDisposition(), Reason: r.GetReason(), Reference: r.GetReference()}
	after, err := transferStep(ctx, r, s.service.CloseTransfer, in)
	return &pb.CloseTransferResponse{Transfer: after}, err
}

func (s *transfers) CancelTransfer(ctx context.Context, r *pb.CancelTransferRequest) (*pb.CancelTransferResponse, error) {
	after, err := transferStep(ctx, r, s.service.CancelTransfer, service.TransferStepInput{})
	return &pb.CancelTransferResponse{Transfer: after}, err
}

func (s *transfers) GetTransfer(ctx context.Context, r *pb.GetTransferRequest) (*pb.GetTransferResponse, error) {
	found, asOf, err := s.service.Transfer(ctx, callerOf(ctx), r.GetId())
	if err != nil {
		return nil, err
	}
	sayAsOf(ctx, asOf)
	return &pb.GetTransferResponse{Transfer: transferOf(found)}, nil
}

func (s *transfers) ListTransfers(ctx context.Context, r *pb.ListTransfersRequest) (*pb.ListTransfersResponse, error) {
	var in reader
	query := service.TransfersQuery{
		Status: r.GetStatus(), From: in.text("from", r.GetFrom()), To: in.text("to", r.GetTo()),
		Reference: in.text("reference", r.GetReference()), Region: in.text("region", r.GetRegion()),
	}
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := s.service.Transfers(ctx, callerOf(ctx), query, page)
	return &pb.ListTransfersResponse{Items: each(list.Items, transferOf), NextPageToken: list.NextPageToken}, err
}

// transferStep runs a step of a transfer's life.
func transferStep(ctx context.Context, request stepRequest, run stepper[service.TransferStepInput], in service.TransferStepInput) (*pb.Transfer, error) {
	outcome, err := run(ctx, commander(ctx, request), request.GetId(), in)
	if err != nil {
		return nil, err
	}
	sayReplayed(ctx, outcome.Replayed)
	return transferOf(outcome.Transfer), nil
}

func transferIn(t *pb.TransferInput) service.TransferInput {
	return service.TransferInput{
		From: t.GetFrom(), To: t.GetTo(), Reference: t.GetReference(),
		Lines: each(t.GetLines(), func(l *pb.TransferLineInput) service.TransferLineInput {
			return service.TransferLineInput{SKU: l.GetSku(), Quantity: l.Quantity}
		}),
	}
}

func arrivalIn(a *pb.Arrival) service.ArrivalInput {
	return service.ArrivalInput{SKU: a.GetSku(), Quantity: a.Quantity, Quarantined: a.GetQuarantined()}
}

func transferOf(t *inventory.TransferAnswer) *pb.Transfer {
	return &pb.Transfer{
		Id: t.ID.String(), Region: t.Region, Status: string(t.Status), From: t.From, To: t.To, Reference: t.Reference,
		Version: t.Version, CreatedAt: timestamppb.New(t.CreatedAt), UpdatedAt: timestamppb.New(t.UpdatedAt),
		Lines: each(t.Lines, func(l inventory.TransferLineAnswer) *pb.TransferLine {
			return &pb.TransferLine{
				Line: int64(l.Line), Sku: l.SKU, Quantity: l.Quantity, Shipped: l.Shipped, Received: l.Received,
				Quarantined: l.Quarantined, Lost: l.Lost, Returned: l.Returned, InTransit: l.InTransit,
			}
		}),
	}
}
