package service

import (
	"context"
	"slices"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Drift is what a verification by the worker found.
type Drift struct {
	// Violations are all that there are; Raised, how many of them got an alert, having had none before.
	Violations, Raised int
}

// driftPage is how many alerts are raised in one transaction, and about how many by one verification:
// where everything is wrong, saying so a hundred times will do.
const driftPage = 100

// RaiseDrift verifies the books and raises an alert for each violation that has had none, some hundred
// at most each time. Errors: ErrFenced, ErrOverloaded where a verification runs already, ErrUnavailable.
func (s *Service) RaiseDrift(ctx context.Context, lease store.Lease) (d Drift, err error) {
	v, err := s.verify(ctx)
	if err != nil {
		return d, err
	}
	locations, err := s.places.locations(ctx)
	if err != nil {
		return d, err
	}
	var alerts []inventory.Alert
	for _, check := range v.Checks {
		for _, violation := range check.Violations {
			location, sku := check.Level(violation)
			region := s.options.Topology.Primary
			if l, known := locations[location]; known {
				region = l.Region
			}
			alert := inventory.DriftAlert(region, check.Name, violation.Key, violation.Detail)
			alert.Location, alert.SKU, alert.RaisedAt = location, sku, v.AsOf
			alerts = append(alerts, alert)
		}
	}
	d.Violations = len(alerts)
	for page := range slices.Chunk(distinct(alerts), driftPage) {
		var raised Raised
		err := s.underLease(ctx, lease, func(_ context.Context, tx *store.Tx) error {
			raised = tx.QueueAlerts(page)
			return nil
		})
		if err != nil {
			return d, err
		}
		if d.Raised += raised[inventory.AlertDrift]; d.Raised >= driftPage {
			break
		}
	}
	return d, nil
}
