package grpcapi_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	pb "stockyard/service/grpcapi/stockyardv1"
)

// Who may, by role; admins may always.
const (
	all      = "viewer pos warehouse planner integrator"
	keepers  = "planner integrator"
	sellers  = "pos integrator"
	handlers = "warehouse integrator"
	shippers = "pos warehouse integrator"
	planners = "warehouse planner integrator"
	systems  = "integrator"
	analysts = "viewer planner"
	nobody   = ""
)

// calls describe the API, by the names of the methods.
func calls() map[string]call {
	known := map[string]call{}
	for _, some := range []map[string]call{productCalls(), placeCalls(), stockCalls(), reservationCalls(), transferCalls(), webhookCalls(), adminCalls()} {
		maps.Copy(known, some)
	}
	return known
}

// field is what the requests are about: a stock level in america, with plenty, and places besides.
type field struct {
	*pod
	shelf
	guarded   *pod
	near      string // where the shelf is
	second    string // another location in america
	far       string // a location in asia
	channel   string
	threshold string
	key       string // a key's id
	webhook   string
}

func newField(t *testing.T, p *pod) *field {
	t.Helper()
	f := &field{pod: p, shelf: p.shelf(t, 1_000_000), second: p.location(t, america), far: p.location(t, asia)}
	ok(p.stock.Move(once(t), move("receive", shelf{f.far, f.sku}.line(1_000_000))))(t)
	f.near, f.channel, f.threshold, f.key, f.webhook = f.shelf.location, f.newChannel(t), f.newThreshold(t), f.newKey(t), f.newWebhook(t)
	return f
}

var (
	tea        = &pb.ProductInput{Name: "Tea"}
	web        = &pb.ChannelInput{Name: "Web", Kind: "web"}
	anyWebhook = &pb.WebhookInput{Url: "https://shop.example.com/hooks"}
	low        = &pb.ThresholdInput{Below: 5}
	warehouse  = &pb.LocationInput{Name: "Site", Region: america, Kind: "warehouse", Country: "US"}
	one        = ptr[int64](1)
)

func (f *field) newChannel(t *testing.T) (channel string) {
	t.Helper()
	channel = name("chan")
	ok(f.catalogue.PutChannel(with(t), &pb.PutChannelRequest{Channel: channel, Input: web}))(t)
	return channel
}

func (f *field) newThreshold(t *testing.T) (threshold string) {
	t.Helper()
	threshold = name("rule")
	ok(f.catalogue.PutThreshold(with(t), &pb.PutThresholdRequest{Name: threshold, Input: low}))(t)
	return threshold
}

func (f *field) newKey(t *testing.T) (id string) {
	t.Helper()
	return ok(f.admin.CreateKey(with(t), &pb.CreateKeyRequest{Name: "walker", Grants: []string{"viewer"}}))(t).GetKey().GetId()
}

func (f *field) newWebhook(t *testing.T) (webhook string) {
	t.Helper()
	webhook = name("hook")
	ok(f.webhooks.PutWebhook(with(t), &pb.PutWebhookRequest{Webhook: webhook, Input: anyWebhook}))(t)
	return webhook
}

// newDelivery gives a webhook a delivery, as the dispatcher would, and gives its id.
func (f *field) newDelivery(t *testing.T) (id string) {
	t.Helper()
	id = uuid.NewString()
	f.Exec(t, fmt.Sprintf(`INSERT INTO webhook_deliveries
		(region, webhook, id, kind, subject, sequence, payload, status, attempts, tried_from, next_attempt_at, created_at, updated_at)
		SELECT region, id, '%s', 'com.stockyard.stock.sell.v1', 'NYC/tea', 1, '{}', 'parked', 9, now(), now(), now(), now()
		  FROM webhooks WHERE name = '%s' AND deleted_at IS NULL`, id, f.webhook))
	return id
}

// transfer plans a transfer of one unit, and ships it where it is told to.
func (f *field) transfer(t *testing.T, from, to string, ship bool) (id string) {
	t.Helper()
	id = ok(f.transfers.CreateTransfer(once(t), &pb.CreateTransferRequest{Transfer: f.plan(from, to)}))(t).GetTransfer().GetId()
	if ship {
		ok(f.transfers.ShipTransfer(once(t), &pb.ShipTransferRequest{Id: id}))(t)
	}
	return id
}

func (f *field) plan(from, to string) *pb.TransferInput {
	return &pb.TransferInput{From: from, To: to, Lines: []*pb.TransferLineInput{{Sku: f.sku, Quantity: one}}}
}

func productCalls() map[string]call {
	return map[string]call{
		"PutProduct": {keepers, everywhere, func(*testing.T, *field) proto.Message { return &pb.PutProductRequest{Sku: name("sku"), Input: tea} }},
		"GetProduct": {all, anywhere, func(_ *testing.T, f *field) proto.Message { return &pb.GetProductRequest{Sku: f.sku} }},
		"PatchProduct": {keepers, everywhere, func(_ *testing.T, f *field) proto.Message {
			return &pb.PatchProductRequest{Sku: f.sku, Input: tea}
		}},
		"ArchiveProduct": {keepers, everywhere, func(t *testing.T, f *field) proto.Message { return &pb.ArchiveProductRequest{Sku: f.product(t)} }},
		"ListProducts":   {all, anywhere, func(*testing.T, *field) proto.Message { return &pb.ListProductsRequest{PageSize: one} }},
		"ImportProducts": {keepers, everywhere, func(*testing.T, *field) proto.Message {
			return &pb.ImportProductsRequest{Rows: []*pb.ImportRow{{Sku: name("sku"), Input: tea}}}
		}},
	}
}

func placeCalls() map[string]call {
	return map[string]call{
		"PutLocation": {systems, placed, func(*testing.T, *field) proto.Message {
			return &pb.PutLocationRequest{Location: name("loc"), Input: warehouse}
		}},
		"GetLocation": {all, anywhere, func(_ *testing.T, f *field) proto.Message { return &pb.GetLocationRequest{Location: f.near} }},
		"PatchLocation": {systems, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.PatchLocationRequest{Location: f.near, Input: &pb.LocationInput{Name: "Site"}}
		}},
		"ArchiveLocation": {systems, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.ArchiveLocationRequest{Location: f.pod.location(t, america)}
		}},
		"ListLocations": {all, anywhere, func(*testing.T, *field) proto.Message {
			return &pb.ListLocationsRequest{Region: america, PageSize: one}
		}},

		"PutChannel": {keepers, everywhere, func(*testing.T, *field) proto.Message {
			return &pb.PutChannelRequest{Channel: name("chan"), Input: web}
		}},
		"GetChannel": {all, anywhere, func(_ *testing.T, f *field) proto.Message { return &pb.GetChannelRequest{Channel: f.channel} }},
		"PatchChannel": {keepers, everywhere, func(_ *testing.T, f *field) proto.Message {
			return &pb.PatchChannelRequest{Channel: f.channel, Input: &pb.ChannelInput{Name: "Web"}}
		}},
		"ArchiveChannel": {keepers, everywhere, func(t *testing.T, f *field) proto.Message {
			return &pb.ArchiveChannelRequest{Channel: f.newChannel(t)}
		}},
		"ListChannels": {all, anywhere, func(*testing.T, *field) proto.Message { return &pb.ListChannelsRequest{PageSize: one} }},

		"PutThreshold": {keepers, everywhere, func(*testing.T, *field) proto.Message {
			return &pb.PutThresholdRequest{Name: name("rule"), Input: low}
		}},
		"GetThreshold": {all, anywhere, func(_ *testing.T, f *field) proto.Message { return &pb.GetThresholdRequest{Name: f.threshold} }},
		"PatchThreshold": {keepers, everywhere, func(_ *testing.T, f *field) proto.Message {
			return &pb.PatchThresholdRequest{Name: f.threshold, Input: &pb.ThresholdInput{Below: 7}}
		}},
		"ArchiveThreshold": {keepers, everywhere, func(t *testing.T, f *field) proto.Message {
			return &pb.ArchiveThresholdRequest{Name: f.newThreshold(t)}
		}},
		"ListThresholds": {all, anywhere, func(*testing.T, *field) proto.Message { return &pb.ListThresholdsRequest{PageSize: one} }},

		"ListRegions": {all, anywhere, func(*testing.T, *field) proto.Message { return &pb.ListRegionsRequest{} }},
	}
}

func stockCalls() map[string]call {
	return map[string]call{
		"GetLevel":   {all, placed, func(_ *testing.T, f *field) proto.Message { return &pb.GetLevelRequest{Location: f.near, Sku: f.sku} }},
		"ListLevels": {all, placed, func(_ *testing.T, f *field) proto.Message { return &pb.ListLevelsRequest{Location: f.near} }},
		"ListEvents": {all, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.ListEventsRequest{Location: f.near, Sku: f.sku, PageSize: one}
		}},
		"Watch": {all, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.WatchRequest{Regions: []string{america}, Skus: []string{f.sku}}
		}},
		"GetAvailability": {all, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.GetAvailabilityRequest{Skus: []string{f.sku}, Region: america}
		}},
		"Move": {shippers, placed, func(_ *testing.T, f *field) proto.Message { return move("return", f.line(1)) }},
		"MoveBatch": {shippers, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.MoveBatchRequest{Movements: []*pb.MovementInput{movement("return", f.line(1))}, OnError: "abort"}
		}},
	}
}

func reservationCalls() map[string]call {
	return map[string]call{
		"Reserve": {sellers, placed, func(_ *testing.T, f *field) proto.Message { return &pb.ReserveRequest{Reservation: f.reservation(1)} }},
		"ReserveBatch": {sellers, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.ReserveBatchRequest{Reservations: []*pb.ReservationInput{f.reservation(1)}, OnError: "abort"}
		}},
		"Confirm": {sellers, placed, func(t *testing.T, f *field) proto.Message { return &pb.ConfirmRequest{Id: f.reserve(t, f.shelf, 1)} }},
		"Extend": {sellers, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.ExtendRequest{Id: f.reserve(t, f.shelf, 1), ExpiresIn: "1h"}
		}},
		"Release": {sellers, placed, func(t *testing.T, f *field) proto.Message { return &pb.ReleaseRequest{Id: f.reserve(t, f.shelf, 1)} }},
		"Fulfil": {shippers, placed, func(t *testing.T, f *field) proto.Message {
			id := f.reserve(t, f.shelf, 1)
			ok(f.reservations.Confirm(once(t), &pb.ConfirmRequest{Id: id}))(t)
			return &pb.FulfilRequest{Id: id}
		}},
		"GetReservation": {all, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.GetReservationRequest{Id: f.reserve(t, f.shelf, 1)}
		}},
		"ListReservations": {all, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.ListReservationsRequest{Location: f.near, PageSize: one}
		}},
	}
}

// transferCalls: the other end lies where the grants that must not do are good, but for reading, for
// which either end is enough.
func transferCalls() map[string]call {
	return map[string]call{
		"CreateTransfer": {planners, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.CreateTransferRequest{Transfer: f.plan(f.near, f.far)}
		}},
		"ShipTransfer": {handlers, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.ShipTransferRequest{Id: f.transfer(t, f.near, f.far, false)}
		}},
		"ReceiveTransfer": {handlers, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.ReceiveTransferRequest{Id: f.transfer(t, f.far, f.near, true), Lines: []*pb.Arrival{{Sku: f.sku, Quantity: one}}}
		}},
		"CloseTransfer": {planners, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.CloseTransferRequest{Id: f.transfer(t, f.near, f.far, true), Disposition: "lost"}
		}},
		"CancelTransfer": {planners, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.CancelTransferRequest{Id: f.transfer(t, f.near, f.far, false)}
		}},
		"GetTransfer": {all, placed, func(t *testing.T, f *field) proto.Message {
			return &pb.GetTransferRequest{Id: f.transfer(t, f.near, f.second, false)}
		}},
		"ListTransfers": {all, placed, func(_ *testing.T, f *field) proto.Message {
			return &pb.ListTransfersRequest{From: f.near, To: f.second}
		}},
	}
}

func webhookCalls() map[string]call {
	return map[string]call{
		"PutWebhook": {systems, everywhere, func(*testing.T, *field) proto.Message {
			return &pb.PutWebhookRequest{Webhook: name("hook"), Input: anyWebhook}
		}},
		"GetWebhook":     {systems, everywhere, func(_ *testing.T, f *field) proto.Message { return &pb.GetWebhookRequest{Webhook: f.webhook} }},
		"DeleteWebhook":  {systems, everywhere, func(t *testing.T, f *field) proto.Message { return &pb.DeleteWebhookRequest{Webhook: f.newWebhook(t)} }},
		"ListWebhooks":   {systems, everywhere, func(*testing.T, *field) proto.Message { return &pb.ListWebhooksRequest{PageSize: one} }},
		"ListDeliveries": {systems, everywhere, func(_ *testing.T, f *field) proto.Message { return &pb.ListDeliveriesRequest{Webhook: f.webhook} }},
		"Redeliver": {systems, everywhere, func(t *testing.T, f *field) proto.Message {
			return &pb.RedeliverRequest{Webhook: f.webhook, Id: f.newDelivery(t)}
		}},
	}
}

func adminCalls() map[string]call {
	return map[string]call{
		"ListReports":  {analysts, anywhere, func(*testing.T, *field) proto.Message { return &pb.ListReportsRequest{} }},
		"RunReport":    {analysts, everywhere, func(*testing.T, *field) proto.Message { return &pb.RunReportRequest{Report: "sales_by_day"} }},
		"Verify":       {systems, everywhere, func(*testing.T, *field) proto.Message { return &pb.VerifyRequest{} }},
		"ListAuditLog": {nobody, everywhere, func(*testing.T, *field) proto.Message { return &pb.ListAuditLogRequest{PageSize: one} }},
		"ListSeals":    {nobody, everywhere, func(*testing.T, *field) proto.Message { return &pb.ListSealsRequest{Region: america} }},
		"CreateKey": {nobody, everywhere, func(*testing.T, *field) proto.Message {
			return &pb.CreateKeyRequest{Name: "walker", Grants: []string{"viewer"}}
		}},
		"GetKey":    {nobody, everywhere, func(_ *testing.T, f *field) proto.Message { return &pb.GetKeyRequest{Id: f.key} }},
		"ListKeys":  {nobody, everywhere, func(*testing.T, *field) proto.Message { return &pb.ListKeysRequest{PageSize: one} }},
		"RevokeKey": {nobody, everywhere, func(t *testing.T, f *field) proto.Message { return &pb.RevokeKeyRequest{Id: f.newKey(t)} }},
	}
}
