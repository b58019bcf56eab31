package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// ReservationRequest asks for a promise of stock.
type ReservationRequest struct {
	OrderReference string            `json:"order_reference,omitempty"`
	Lines          []ReservationLine `json:"lines"`                // at most 1000
	ExpiresIn      string            `json:"expires_in,omitempty"` // 1s to 720h; empty: 15m
	Policy         string            `json:"policy,omitempty"`     // all_or_nothing (default) or partial
	Strategy       string            `json:"strategy,omitempty"`   // nearest, priority, fewest_splits
	Destination    *Destination      `json:"destination,omitempty"`
	Channel        string            `json:"channel,omitempty"`
}

// ReservationLine without a location is sourced by the server, over several locations if it must.
type ReservationLine struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Location string `json:"location,omitempty"`
}

// Destination is where the goods go: a country, a region, or a point.
type Destination struct {
	Country   string   `json:"country,omitempty"`
	Region    string   `json:"region,omitempty"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
}

// Reservation is a promise with its lines, at the version it had when answered.
type Reservation struct {
	ID             string         `json:"id"`
	Region         string         `json:"region"`
	Status         string         `json:"status"`
	OrderReference string         `json:"order_reference"`
	ExpiresAt      time.Time      `json:"expires_at"`
	Lines          []ReservedLine `json:"lines"`
	Shortages      []Shortage     `json:"shortages"` // policy partial only
	Version        int64          `json:"version"`
	CreatedAt      time.Time      `json:"created_at"`
}

// ReservedLine is what a line got; Line counts the lines of the request.
type ReservedLine struct {
	Line      int    `json:"line"`
	SKU       string `json:"sku"`
	Location  string `json:"location"`
	Quantity  int64  `json:"quantity"`
	Fulfilled int64  `json:"fulfilled"`
	Released  int64  `json:"released"`
}

// Reserve makes a reservation under key.
func (c *Client) Reserve(ctx context.Context, key string, r ReservationRequest) (Reservation, Call, error) {
	return c.reservation(ctx, key, "", r)
}

// Confirm turns held into allocated: the promise no longer expires.
func (c *Client) Confirm(ctx context.Context, key, id string) (Reservation, Call, error) {
	return c.reservation(ctx, key, step(id, "confirm"), struct{}{})
}

// Extend moves the expiry of a held reservation to a duration from now, 1s to 720h.
func (c *Client) Extend(ctx context.Context, key, id, expiresIn string) (Reservation, Call, error) {
	return c.reservation(ctx, key, step(id, "extend"), struct {
		ExpiresIn string `json:"expires_in"`
	}{expiresIn})
}

// Fulfil says that all units left.
func (c *Client) Fulfil(ctx context.Context, key, id string) (Reservation, Call, error) {
	return c.reservation(ctx, key, step(id, "fulfil"), struct{}{})
}

// Release gives back what is still promised.
func (c *Client) Release(ctx context.Context, key, id string) (Reservation, Call, error) {
	return c.reservation(ctx, key, step(id, "release"), struct{}{})
}

func step(id, verb string) string { return "/" + url.PathEscape(id) + "/" + verb }

func (c *Client) reservation(ctx context.Context, key, suffix string, body any) (Reservation, Call, error) {
	var out Reservation
	call, err := c.do(ctx, request{method: http.MethodPost, path: "/v1/reservations" + suffix, key: key, body: body}, &out)
	return out, call, err
}
