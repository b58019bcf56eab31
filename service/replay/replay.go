// Package replay puts a shop's sales history through a running Stockyard and proves the result.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"stockyard/service/client"
)

// Options of a replay.
type Options struct {
	File     io.Reader // CSV in the Online Retail format
	FileName string    // what faults of the file are reported under
	Targets  []string  // base URLs of pods, of as many regions as there are
	// OpeningPercent is the opening stock in percent of what is sold, 0 to 1000. At 100 and more
	// nothing is refused.
	OpeningPercent int
	Workers        int // invoices at a time in each region; 0 is 16
	// Progress is where progress is shown, as a bar if it is a terminal; nil for nowhere.
	Progress io.Writer
	Client   client.Options
}

const (
	defaultWorkers    = 16
	maxOpeningPercent = 1000
)

// ErrProof is wrapped by Run's error when the sales were put through but the books do not say so.
var ErrProof = errors.New("the proof failed")

// ErrOtherOpening is wrapped by Run's error when the database holds a replay with another opening
// stock: two of them in one database would prove nothing.
var ErrOtherOpening = errors.New("this database already holds a replay of these sales with another opening stock, or one of other sales; use a fresh one")

// Run replays a file and proves the result. The summary is there, as far as things went, also with
// an error, once the file was found good; a *FileError says that it was not and nothing was sent.
// After ctx is cancelled, running the same file again goes on where it stopped.
func Run(ctx context.Context, o Options) (*Summary, error) {
	if o.OpeningPercent < 0 || o.OpeningPercent > maxOpeningPercent {
		return nil, fmt.Errorf("opening percent %d: want 0 to %d", o.OpeningPercent, maxOpeningPercent)
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	api, err := client.New(o.Targets, o.Client)
	if err != nil {
		return nil, err
	}
	sales, err := Parse(o.File, o.FileName)
	if err != nil {
		return nil, err
	}
	plan, err := NewPlan(sales, o.OpeningPercent)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.FileName, err)
	}
	r := newRun(o, api, plan)
	begun := time.Now()
	err = r.everything(ctx)
	summary := r.summary(sales, time.Since(begun))
	if err == nil {
		summary.Proof, err = r.prove(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return summary, fmt.Errorf("interrupted; run it again to go on: %w", ctx.Err())
	case err != nil:
		return summary, err
	case !summary.Proof.Holds():
		return summary, fmt.Errorf("%w: %s", ErrProof, summary.Proof)
	}
	return summary, nil
}

// run is one replay under way.
type run struct {
	options   Options
	api       *client.Client
	routes    routes
	plan      *Plan
	progress  progress
	catalogue *tally
	tallies   [len(Warehouses)]*tally
}

func newRun(o Options, api *client.Client, plan *Plan) *run {
	r := &run{options: o, api: api, plan: plan, catalogue: newTally()}
	steps := len(Warehouses) + len(plan.Products)
	for w := range plan.Queues {
		r.tallies[w] = newTally()
		steps += len(plan.Queues[w].Opening) + len(plan.Queues[w].Invoices)
	}
	r.progress = newProgress(o.Progress, steps)
	return r
}

// everything sends all commands of the plan.
func (r *run) everything(ctx context.Context) error {
	defer r.progress.end()
	var err error
	if r.routes, err = findRoutes(ctx, r.api); err != nil {
		return err
	}
	if err := r.fillCatalogue(ctx); err != nil {
		return err
	}
	if err := r.openStock(ctx); err != nil {
		return err
	}
	return r.playInvoices(ctx)
}
