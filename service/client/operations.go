package client

import (
	"context"
	"net/http"
	"time"
)

// Regions is the topology as one pod sees it.
type Regions struct {
	Regions    []Region `json:"regions"`
	AnsweredBy string   `json:"answered_by"`
}

// Region is one region of the topology.
type Region struct {
	Name    string `json:"name"`
	Primary bool   `json:"primary"`
}

// Regions reads the topology and which region answered.
func (c *Client) Regions(ctx context.Context) (Regions, Call, error) {
	var out Regions
	call, err := c.do(ctx, request{method: http.MethodGet, path: "/v1/regions"}, &out)
	return out, call, err
}

// Verification is the server's check of its own invariants at one snapshot.
type Verification struct {
	Clean  bool      `json:"clean"`
	AsOf   time.Time `json:"as_of"`
	Checks []Check   `json:"checks"`
}

// Check is one invariant: how many keys were looked at and which of them break it.
type Check struct {
	Name       string      `json:"name"`
	Checked    int64       `json:"checked"`
	Violations []Violation `json:"violations"`
}

// Violation names a key that breaks an invariant, and how.
type Violation struct {
	Key    string `json:"key"`
	Detail string `json:"detail"`
}

// verifyTimeout is long because the check reads the whole ledger.
const verifyTimeout = 30 * time.Minute

// Verify has the server check its invariants. Violations are no error of the call.
func (c *Client) Verify(ctx context.Context) (Verification, Call, error) {
	var out Verification
	call, err := c.do(ctx, request{method: http.MethodGet, path: "/v1/verify", timeout: verifyTimeout}, &out)
	return out, call, err
}
