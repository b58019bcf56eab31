package client

import (
	"context"
	"net/http"
	"net/url"
)

// Product is a row of the catalogue.
type Product struct {
	SKU         string         `json:"-"` // 1-64 printable characters, any of them: slashes and spaces too
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Unit        string         `json:"unit,omitempty"`
	Barcode     string         `json:"barcode,omitempty"`
	Category    string         `json:"category,omitempty"`
	UnitCost    *Money         `json:"unit_cost,omitempty"`
	Attributes  map[string]any `json:"attributes,omitempty"`
}

// Money is a decimal amount in an ISO 4217 currency.
type Money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// Location is a place that has stock. Its region can't change.
type Location struct {
	Name    string `json:"-"` // the caller's own id, 1-64 letters, digits, '.', '_', '-'
	Title   string `json:"name"`
	Region  string `json:"region"`
	Kind    string `json:"kind"`
	Country string `json:"country"` // ISO 3166-1 alpha-2

	Latitude  *float64 `json:"latitude,omitempty"` // degrees; with Longitude or not at all
	Longitude *float64 `json:"longitude,omitempty"`
	Priority  int64    `json:"priority,omitempty"` // lower is asked first when sourcing
}

// PutProduct makes or replaces a product.
func (c *Client) PutProduct(ctx context.Context, p Product) (Call, error) {
	return c.do(ctx, request{method: http.MethodPut, path: "/v1/products/" + url.PathEscape(p.SKU), body: p}, nil)
}

// PutLocation makes or replaces a location.
func (c *Client) PutLocation(ctx context.Context, l Location) (Call, error) {
	return c.do(ctx, request{method: http.MethodPut, path: "/v1/locations/" + url.PathEscape(l.Name), body: l}, nil)
}
