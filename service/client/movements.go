package client

import (
	"context"
	"net/http"
	"time"
)

// MovementRequest is a command that changes stock; all of its lines take effect or none.
type MovementRequest struct {
	Kind        string         `json:"kind"`
	Lines       []MovementLine `json:"lines"` // at most 1000
	Reason      string         `json:"reason,omitempty"`
	Reference   string         `json:"reference,omitempty"`
	Channel     string         `json:"channel,omitempty"`
	EffectiveAt time.Time      `json:"effective_at,omitzero"`
}

// MovementLine is one level's part; only adjust takes a negative quantity.
type MovementLine struct {
	Location    string `json:"location"`
	SKU         string `json:"sku"`
	Quantity    int64  `json:"quantity"`
	IfVersion   *int64 `json:"if_version,omitempty"`
	AsOfVersion *int64 `json:"as_of_version,omitempty"` // count only
	UnitCost    *Money `json:"unit_cost,omitempty"`
}

// Movement is what a MovementRequest did.
type Movement struct {
	ID          string      `json:"id"`
	Kind        string      `json:"kind"`
	Region      string      `json:"region"`
	RecordedAt  time.Time   `json:"recorded_at"`
	EffectiveAt time.Time   `json:"effective_at"`
	Lines       []MovedLine `json:"lines"`
}

// MovedLine is a line's change and the level after it.
type MovedLine struct {
	Location string           `json:"location"`
	SKU      string           `json:"sku"`
	Deltas   map[string]int64 `json:"deltas"`
	Level    Level            `json:"level"`
}

// Move posts a movement under key.
func (c *Client) Move(ctx context.Context, key string, m MovementRequest) (Movement, Call, error) {
	var out Movement
	call, err := c.do(ctx, request{method: http.MethodPost, path: "/v1/movements", key: key, body: m}, &out)
	return out, call, err
}
