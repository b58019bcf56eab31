package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

// webhooks serves WebhookService.
type webhooks struct{ service *service.Service }

func (w *webhooks) PutWebhook(ctx context.Context, r *pb.PutWebhookRequest) (*pb.PutWebhookResponse, error) {
	if err := catalogued("webhook", r.GetWebhook(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	in, filter := r.GetInput(), r.GetInput().GetFilter()
	input := service.WebhookInput{
		URL: in.GetUrl(), Secret: in.GetSecret(),
		Filter: service.WebhookFilter{Regions: filter.GetRegions(), Locations: filter.GetLocations(), SKUs: filter.GetSkus(), Kinds: filter.GetKinds()},
	}
	if in != nil {
		input.Active = in.Active
	}
	webhook, created, err := w.service.PutWebhook(ctx, callerOf(ctx), r.GetWebhook(), input, precondition(r.IfVersion))
	return &pb.PutWebhookResponse{Webhook: webhookOf(webhook), Created: created}, err
}

func (w *webhooks) GetWebhook(ctx context.Context, r *pb.GetWebhookRequest) (*pb.GetWebhookResponse, error) {
	if err := catalogued("webhook", r.GetWebhook(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	webhook, err := w.service.Webhook(ctx, callerOf(ctx), r.GetWebhook())
	return &pb.GetWebhookResponse{Webhook: webhookOf(webhook)}, err
}

func (w *webhooks) DeleteWebhook(ctx context.Context, r *pb.DeleteWebhookRequest) (*pb.DeleteWebhookResponse, error) {
	if err := catalogued("webhook", r.GetWebhook(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	return &pb.DeleteWebhookResponse{}, w.service.DeleteWebhook(ctx, callerOf(ctx), r.GetWebhook(), precondition(r.IfVersion))
}

func (w *webhooks) ListWebhooks(ctx context.Context, r *pb.ListWebhooksRequest) (*pb.ListWebhooksResponse, error) {
	var in reader
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := w.service.Webhooks(ctx, callerOf(ctx), page)
	return &pb.ListWebhooksResponse{Items: each(list.Items, webhookOf), NextPageToken: list.NextPageToken}, err
}

func (w *webhooks) ListDeliveries(ctx context.Context, r *pb.ListDeliveriesRequest) (*pb.ListDeliveriesResponse, error) {
	var in reader
	name := in.name("webhook", r.GetWebhook(), inventory.CheckIdentifier)
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := w.service.Deliveries(ctx, callerOf(ctx), name, r.GetStatus(), page)
	return &pb.ListDeliveriesResponse{Items: each(list.Items, deliveryOf), NextPageToken: list.NextPageToken}, err
}

func (w *webhooks) Redeliver(ctx context.Context, r *pb.RedeliverRequest) (*pb.RedeliverResponse, error) {
	if err := catalogued("webhook", r.GetWebhook(), inventory.CheckIdentifier); err != nil {
		return nil, err
	}
	delivery, err := w.service.Redeliver(ctx, callerOf(ctx), r.GetWebhook(), r.GetId())
	return &pb.RedeliverResponse{Delivery: deliveryOf(delivery)}, err
}

func webhookOf(w service.WebhookAnswer) *pb.Webhook {
	return &pb.Webhook{
		Name: w.Name, Url: w.URL, Active: w.Active, Secret: w.Secret, SwitchedOff: w.SwitchedOff, Version: w.Version,
		Filter:         &pb.WebhookFilter{Regions: w.Filter.Regions, Locations: w.Filter.Locations, Skus: w.Filter.SKUs, Kinds: w.Filter.Kinds},
		OldSecretUntil: momentOf(w.OldSecretUntil), FailingSince: momentOf(w.FailingSince), NextAttemptAt: momentOf(w.NextAttemptAt),
		CreatedAt: timestamppb.New(w.CreatedAt), UpdatedAt: timestamppb.New(w.UpdatedAt),
	}
}

func deliveryOf(d service.DeliveryAnswer) *pb.Delivery {
	return &pb.Delivery{
		Id: d.ID, Type: d.Type, Subject: d.Subject, Sequence: d.Sequence, Status: d.Status, Attempts: d.Attempts,
		NextAttemptAt: momentOf(d.NextAttemptAt), LastStatus: d.LastStatus, LastError: d.LastError,
		CreatedAt: timestamppb.New(d.CreatedAt), UpdatedAt: timestamppb.New(d.UpdatedAt),
	}
}
