package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// results is all that was measured, as bench.json has it.
type results struct {
	Machine   machine   `json:"machine"`
	Options   options   `json:"options"`
	Databases []*result `json:"databases"`
}

// result is of one database.
type result struct {
	Database string   `json:"database"`
	Kind     string   `json:"kind"`
	Cells    []*cell  `json:"closed_loops"`
	Open     []*cell  `json:"open_loops_at_half_peak"`
	Sizes    []*sized `json:"sizes,omitempty"`
	Verified bool     `json:"verified"` // `stockyard verify` was clean afterwards
}

// cell is a way at a number of clients, once a round.
type cell struct {
	Way     string   `json:"way"`
	Pattern string   `json:"pattern"`
	Clients int      `json:"clients,omitempty"`
	Rate    float64  `json:"rate_per_second,omitempty"`
	Rounds  []sample `json:"rounds"`
	Median  sample   `json:"median"`
	plain   bool
}

// sized is Stockyard over REST with a database of some size, and one SQL statement beside it.
type sized struct {
	Levels      int64    `json:"levels"`
	Events      int64    `json:"events"`
	Rounds      []sample `json:"rounds"`
	Median      sample   `json:"median"`
	Plain       []sample `json:"plain_rounds,omitempty"` // empty without pgbench
	PlainMedian sample   `json:"plain_median,omitzero"`
}

func (r *result) add(w way, pattern string, clients int, s sample) {
	c := r.find(w.name, pattern, clients)
	if c == nil {
		c = &cell{Way: w.name, Pattern: pattern, Clients: clients, plain: w.plain}
		r.Cells = append(r.Cells, c)
	}
	c.add(s)
}

func (r *result) addOpen(w way, rate float64, s sample) {
	for _, c := range r.Open {
		if c.Way == w.name {
			c.add(s)
			return
		}
	}
	c := &cell{Way: w.name, Pattern: "uniform", Rate: rate}
	c.add(s)
	r.Open = append(r.Open, c)
}

func (c *cell) add(s sample) {
	c.Rounds = append(c.Rounds, s)
	c.Median = median(c.Rounds)
}

// find gives a cell, nil where there is none.
func (r *result) find(way, pattern string, clients int) *cell {
	for _, c := range r.Cells {
		if c.Way == way && c.Pattern == pattern && c.Clients == clients {
			return c
		}
	}
	return nil
}

// best gives the plain way with the highest throughput, nil where none was measured.
func (r *result) best(pattern string, clients int) (best *cell) {
	for _, c := range r.Cells {
		if c.plain && c.Pattern == pattern && c.Clients == clients && (best == nil || c.Median.PerSecond > best.Median.PerSecond) {
			best = c
		}
	}
	return best
}

// peak is the most that a way did, whatever the number of clients; 0 where it wasn't measured.
func (r *result) peak(way, pattern string) (peak float64) {
	for _, c := range r.Cells {
		if c.Way == way && c.Pattern == pattern {
			peak = max(peak, c.Median.PerSecond)
		}
	}
	return peak
}

// median of each figure by itself, of the rounds that have it: a round in which nothing ended has no
// latencies. Failures are added up: none may hide.
func median(rounds []sample) sample {
	of := func(figure func(sample) float64) float64 {
		var all []float64
		for _, s := range rounds {
			if f := figure(s); !math.IsNaN(f) {
				all = append(all, f)
			}
		}
		slices.Sort(all)
		switch n := len(all); {
		case n == 0:
			return 0
		case n%2 == 0:
			return (all[n/2-1] + all[n/2]) / 2
		default:
			return all[n/2]
		}
	}
	m := sample{
		PerSecond: of(func(s sample) float64 { return s.PerSecond }),
		P50:       of(func(s sample) float64 { return orNaN(s.P50) }),
		P99:       of(func(s sample) float64 { return orNaN(s.P99) }),
		Micros:    of(func(s sample) float64 { return orNaN(s.Micros) }),
	}
	for i, figure := range m.Cost.figures() {
		*figure = of(func(s sample) float64 { return *s.Cost.figures()[i] })
	}
	for _, s := range rounds {
		m.Failed += s.Failed
	}
	return m
}

func orNaN(f float64) float64 {
	if f == 0 {
		return math.NaN()
	}
	return f
}

// write puts the table to standard output, and everything into the directory.
func (r *results) write(dir string) error {
	text := r.table()
	if _, err := os.Stdout.WriteString(text); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.txt"), []byte(text), 0o600); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.json"), append(raw, '\n'), 0o600); err != nil {
		return err
	}
	for _, d := range r.Databases {
		if err := os.WriteFile(filepath.Join(dir, d.Kind+".svg"), []byte(chart(d)), 0o600); err != nil {
			return err
		}
	}
	say("bench.txt, bench.json and a chart of each database are in %s", dir)
	return nil
}
