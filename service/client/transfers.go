package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// TransferRequest plans a transfer of stock from one location to another.
type TransferRequest struct {
	From      string         `json:"from"`
	To        string         `json:"to"`
	Lines     []TransferLine `json:"lines"` // at most 1000, each SKU once
	Reference string         `json:"reference,omitempty"`
}

// TransferLine asks for units of a SKU to be transferred.
type TransferLine struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Arrival is units of a transfer that arrived, Quarantined of them not fit for sale.
type Arrival struct {
	SKU         string `json:"sku"`
	Quantity    int64  `json:"quantity"`
	Quarantined int64  `json:"quarantined,omitempty"`
}

// Transfer is a transfer with its lines, at the version it had when answered.
type Transfer struct {
	ID        string            `json:"id"`
	Region    string            `json:"region"`
	Status    string            `json:"status"` // draft, in_transit, partially_received, received, closed, cancelled
	From      string            `json:"from"`
	To        string            `json:"to"`
	Reference string            `json:"reference"`
	Lines     []TransferredLine `json:"lines"`
	Version   int64             `json:"version"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// TransferredLine says where the units of a line are.
type TransferredLine struct {
	Line        int    `json:"line"`
	SKU         string `json:"sku"`
	Quantity    int64  `json:"quantity"`
	Shipped     int64  `json:"shipped"`
	Received    int64  `json:"received"`
	Quarantined int64  `json:"quarantined"`
	Lost        int64  `json:"lost"`
	Returned    int64  `json:"returned"`
	InTransit   int64  `json:"in_transit"`
}

// CreateTransfer plans a transfer under key; no stock moves before it is shipped.
func (c *Client) CreateTransfer(ctx context.Context, key string, r TransferRequest) (Transfer, Call, error) {
	return c.transfer(ctx, key, "", r)
}

// ShipTransfer sends a draft on its way.
func (c *Client) ShipTransfer(ctx context.Context, key, id string) (Transfer, Call, error) {
	return c.transfer(ctx, key, step(id, "ship"), struct{}{})
}

// ReceiveTransfer takes in what arrived.
func (c *Client) ReceiveTransfer(ctx context.Context, key, id string, arrivals ...Arrival) (Transfer, Call, error) {
	return c.transfer(ctx, key, step(id, "receive"), struct {
		Lines []Arrival `json:"lines"`
	}{arrivals})
}

// CloseTransfer ends a transfer of which units never arrived: they are "lost" or "returned".
func (c *Client) CloseTransfer(ctx context.Context, key, id, disposition string) (Transfer, Call, error) {
	return c.transfer(ctx, key, step(id, "close"), struct {
		Disposition string `json:"disposition"`
	}{disposition})
}

// CancelTransfer gives up a draft.
func (c *Client) CancelTransfer(ctx context.Context, key, id string) (Transfer, Call, error) {
	return c.transfer(ctx, key, step(id, "cancel"), struct{}{})
}

// Transfer reads a transfer.
func (c *Client) Transfer(ctx context.Context, id string) (Transfer, Call, error) {
	var out Transfer
	call, err := c.do(ctx, request{method: http.MethodGet, path: "/v1/transfers/" + url.PathEscape(id)}, &out)
	return out, call, err
}

func (c *Client) transfer(ctx context.Context, key, suffix string, body any) (Transfer, Call, error) {
	var out Transfer
	call, err := c.do(ctx, request{method: http.MethodPost, path: "/v1/transfers" + suffix, key: key, body: body}, &out)
	return out, call, err
}
