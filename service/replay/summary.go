package replay

import (
	"math"
	"time"
)

// Summary is what a replay came to. Nothing of the file is missing in it: what has no effect and
// what was refused is counted like all the rest.
type Summary struct {
	File            string          `json:"file"`
	OpeningPercent  int             `json:"opening_percent"`
	Rows            int             `json:"rows"`
	RowsWindows1252 int             `json:"rows_windows_1252"` // rows that were no UTF-8 and read as this
	Products        int             `json:"products"`
	SilentTargets   []string        `json:"silent_targets,omitempty"` // their region's commands went elsewhere
	Regions         []RegionSummary `json:"regions"`
	Catalogue       RegionSummary   `json:"catalogue"` // products and locations, which are in every region
	Total           RegionSummary   `json:"total"`
	Proof           *Proof          `json:"proof"` // null where the run did not come that far
}

// RegionSummary is one region's part, or the sum of all.
type RegionSummary struct {
	Region   string `json:"region,omitempty"`
	Location string `json:"location,omitempty"`
	Rows     int    `json:"rows"`
	ZeroRows int    `json:"zero_rows"` // rows of quantity 0, which have no effect
	Counts
	Duration          Duration `json:"duration"`
	CommandsPerSecond float64  `json:"commands_per_second"`
}

// Duration is written as Go writes it, to the millisecond.
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).Round(time.Millisecond).String() }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (r *run) summary(sales *Sales, took time.Duration) *Summary {
	s := &Summary{
		File: r.options.FileName, OpeningPercent: r.options.OpeningPercent,
		Rows: len(sales.Rows), RowsWindows1252: sales.Recoded, Products: len(r.plan.Products),
		SilentTargets: r.routes.Silent,
		Catalogue:     r.catalogue.summary(),
	}
	s.Total.add(s.Catalogue)
	for w := range r.plan.Queues {
		q := &r.plan.Queues[w]
		part := r.tallies[w].summary()
		part.Region, part.Location, part.Rows, part.ZeroRows = q.Region, q.Location, q.Rows, q.ZeroRows
		s.Regions = append(s.Regions, part)
		s.Total.add(part)
	}
	s.Total.setDuration(took)
	return s
}

func (t *tally) summary() RegionSummary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := RegionSummary{Counts: t.counts}
	s.setDuration(t.finished.Sub(t.begun))
	return s
}

// setDuration sets the rate, too. The parts run side by side: their durations don't add up.
func (s *RegionSummary) setDuration(d time.Duration) {
	s.Duration = Duration(d)
	if d > 0 {
		s.CommandsPerSecond = math.Round(10*float64(s.Commands)/d.Seconds()) / 10
	}
}

func (s *RegionSummary) add(part RegionSummary) {
	s.Rows += part.Rows
	s.ZeroRows += part.ZeroRows
	s.Invoices += part.Invoices
	s.Commands += part.Commands
	s.RefusedReservations += part.RefusedReservations
	s.RefusedWriteOffs += part.RefusedWriteOffs
	s.Retries += part.Retries
	s.Replays += part.Replays
}
