// Package load puts a load on running pods as their callers would, measures what they feel, and
// proves from the books before and after that nothing was oversold or lost.
package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"stockyard/service/client"
)

// ErrBooks is wrapped where the service's books are not what its answers imply.
var ErrBooks = errors.New("the books are not what the answers imply")

// Run prepares what the plan needs, runs it and proves the books. When the context ends during the
// load, the load ends early and is reported and proven like any other. The report is of use with
// ErrBooks, too.
func Run(ctx context.Context, p Plan) (Report, error) {
	if err := p.Check(); err != nil {
		return Report{}, err
	}
	r := &run{plan: p, tag: newTag()}
	r.scenario, _ = findScenario(p.Scenario)
	var err error
	if r.api, err = client.New(p.Targets, client.Options{Token: p.Token, TLS: p.TLS, MaxElapsed: p.GiveUpAfter}); err != nil {
		return Report{}, fmt.Errorf("--target: %w", err)
	}
	if r.doors, err = openDoors(&r.plan); err != nil {
		return Report{}, err
	}
	defer r.doors.close()
	if err := r.prepare(ctx); err != nil {
		return Report{}, fmt.Errorf("preparing: %w", err)
	}
	r.drive(ctx)
	report := r.report()
	if err := r.prove(context.WithoutCancel(ctx), &report); err != nil {
		return report, err
	}
	if report.Total.OK+report.Total.Refused == 0 {
		return report, fmt.Errorf("no operation was answered: %s", report.firstFailure())
	}
	return report, nil
}

// run is one run of a plan.
type run struct {
	plan     Plan
	scenario scenario
	api      *client.Client // for what is before and after the load
	doors    doors
	tag      string // makes this run's keys its own
	stage    stage
	books    *books // nil: nobody will compare them

	meter    *meter
	begun    time.Time // of what is measured
	ended    time.Time
	cost     cost
	early    bool // the context ended before the plan did
	unsent   atomic.Int64
	attempts atomic.Int64
	failures failures
}

func (r *run) say(format string, args ...any) {
	if r.plan.Progress != nil {
		fmt.Fprintf(r.plan.Progress, format+"\n", args...)
	}
}
