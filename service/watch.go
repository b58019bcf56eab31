package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// maxWatched bounds each list of names that a watcher may select by.
const maxWatched = 500

// WatchQuery selects events and alerts of the change feed; an empty list selects all.
type WatchQuery struct {
	Regions, Locations, SKUs []string
	// Kinds are those of events and of alerts.
	Kinds []string
}

// Watched is what a caller asked to see of the change feed and may see. The zero one is nothing.
type Watched struct {
	WatchQuery
	scope auth.Scope
}

// Everything is what workers of Stockyard's own watch.
func Everything() Watched { return Watched{scope: auth.Scope{All: true}} }

// EventsOf is what workers of Stockyard's own watch that care for a region's events.
func EventsOf(region string) Watched {
	w := Everything()
	w.Regions = []string{region}
	for _, kind := range inventory.EventKinds() {
		w.Kinds = append(w.Kinds, string(kind))
	}
	return w
}

// Watch checks what a caller asks to see of the change feed. What isn't covered by the caller's
// grants is left out, unless it is asked for by name.
// Errors: *inventory.Refusal (Invalid, NotFound), *auth.Denied, ErrUnavailable.
func (s *Service) Watch(ctx context.Context, caller Caller, q WatchQuery) (Watched, error) {
	if err := s.may(caller, auth.Watch); err != nil {
		return Watched{}, err
	}
	if err := q.check(); err != nil {
		return Watched{}, err
	}
	for _, region := range q.Regions {
		if !s.options.Topology.Has(region) {
			return Watched{}, missing("region", region)
		}
	}
	for _, location := range q.Locations {
		key, err := s.knownLevel(ctx, location, "")
		if err == nil {
			err = s.mayAt(caller, auth.Watch, placeOf(key))
		}
		if err != nil {
			return Watched{}, err
		}
	}
	scope := caller.Principal.Scope(auth.Watch)
	if len(q.Locations) == 0 && len(scope.Locations) == 0 {
		for _, region := range q.Regions {
			if at := (auth.Place{Region: region}); !scope.Covers(at) {
				return Watched{}, s.deny(caller, auth.Watch, &at)
			}
		}
	}
	return Watched{q, scope}, nil
}

func (q WatchQuery) check() error {
	var c checker
	for name, values := range map[string][]string{"region": q.Regions, "location": q.Locations, "sku": q.SKUs, "kind": q.Kinds} {
		if len(values) > maxWatched {
			c.limit(name, fmt.Sprintf("is there %d times; at most %d are allowed", len(values), maxWatched))
		}
	}
	for _, region := range q.Regions {
		c.add("region", inventory.CheckIdentifier(region))
	}
	for _, location := range q.Locations {
		c.add("location", inventory.CheckIdentifier(location))
	}
	for _, sku := range q.SKUs {
		c.add("sku", inventory.CheckSKU(sku))
	}
	known := WatchKinds()
	for _, kind := range q.Kinds {
		if !slices.Contains(known, kind) {
			c.add("kind", "must be one of "+strings.Join(known, ", "))
			break
		}
	}
	return c.err()
}

// WatchKinds lists what kinds of entries the change feed has.
func WatchKinds() (kinds []string) {
	for _, kind := range inventory.EventKinds() {
		kinds = append(kinds, string(kind))
	}
	for _, kind := range inventory.AlertKinds() {
		kinds = append(kinds, string(kind))
	}
	return kinds
}

// SeesEvent says whether an event is among what is watched.
func (w *Watched) SeesEvent(e *inventory.Event) bool {
	return selects(w.Kinds, string(e.Kind)) && selects(w.SKUs, e.Key.SKU) && selects(w.Locations, e.Key.Location) &&
		selects(w.Regions, e.Key.Region) && w.scope.Covers(placeOf(e.Key))
}

// SeesAlert says whether an alert is among what is watched. One that speaks of no single location
// is for those who may see everything.
func (w *Watched) SeesAlert(a *inventory.Alert) bool {
	covered := w.scope.All
	if a.Location != "" {
		covered = w.scope.Covers(auth.Place{Region: a.ID.Region, Location: a.Location})
	}
	return covered && selects(w.Kinds, string(a.Kind)) && selects(w.SKUs, a.SKU) && selects(w.Locations, a.Location) &&
		selects(w.Regions, a.ID.Region)
}

func selects(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name)
}

// AlertAnswer is an alert as clients see it.
type AlertAnswer struct {
	ID        inventory.ID        `json:"id"`
	Kind      inventory.AlertKind `json:"kind"`
	Region    string              `json:"region"`
	SKU       string              `json:"sku,omitempty"`
	Location  string              `json:"location,omitempty"`
	Channel   string              `json:"channel,omitempty"`
	Rule      string              `json:"rule,omitempty"`
	Version   int64               `json:"version,omitzero"`
	Available *int64              `json:"available,omitempty"`
	Threshold *int64              `json:"threshold,omitempty"`
	Detail    string              `json:"detail,omitempty"`
	RaisedAt  time.Time           `json:"raised_at"`
}

// DescribeAlert is an alert as clients see it.
func DescribeAlert(a *inventory.Alert) AlertAnswer {
	answer := AlertAnswer{
		ID: a.ID, Kind: a.Kind, Region: a.ID.Region, SKU: a.SKU, Location: a.Location, Channel: a.Channel,
		Rule: a.Rule, Version: a.Version, Threshold: a.Threshold, Detail: a.Detail, RaisedAt: a.RaisedAt,
	}
	if a.Kind != inventory.AlertDrift {
		answer.Available = &a.Available
	}
	return answer
}
