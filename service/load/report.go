package load

import (
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what a load came to. Durations are in the unit that their names end in.
type Report struct {
	Scenario  string    `json:"scenario"`
	Door      string    `json:"door"` // rest or grpc
	Loop      string    `json:"loop"` // closed or open
	Targets   []string  `json:"targets"`
	Clients   int       `json:"clients"`
	Rate      float64   `json:"rate_per_second"` // open loop: starts meant
	Levels    int       `json:"levels"`          // stock levels to choose from
	StartedAt time.Time `json:"started_at"`      // of what is measured
	Seconds   float64   `json:"duration_s"`      // measured, without the warm-up
	Early     bool      `json:"ended_early"`

	Total      Tally   `json:"total"`
	Operations []Tally `json:"operations"` // those that were run

	// Unsent are starts of an open loop that no client was free for until a second after the end.
	Unsent int64 `json:"unsent"`
	// Late is how long after its moment the generator had a start ready: its own part of the
	// latencies of an open loop.
	Late      *Latency  `json:"generator_late,omitempty"`
	Generator Generator `json:"generator"`
	Failures  []Failure `json:"failures"`
	Proof     Proof     `json:"proof"`
}

// Tally is of the operations of one kind that were begun while measured.
type Tally struct {
	Operation string  `json:"operation"`
	PerSecond float64 `json:"per_second"` // done while measured; refused and failed ones don't count
	OK        int64   `json:"ok"`
	Refused   int64   `json:"refused"` // for want of stock, or because of a state
	Failed    int64   `json:"failed"`  // given up, or an answer that repeating can't change
	Retries   int64   `json:"retries"` // further attempts under the same key
	Latency   Latency `json:"latency"` // of those answered, ok or refused, with their retries
}

// Latency is a distribution in milliseconds.
type Latency struct {
	Mean float64 `json:"mean_ms"`
	P50  float64 `json:"p50_ms"`
	P90  float64 `json:"p90_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p99_9_ms"`
	Max  float64 `json:"max_ms"`
}

// Generator is what the load cost its own process, warm-up included.
type Generator struct {
	CPU              float64 `json:"cpu_s"`
	MicrosPerRequest float64 `json:"cpu_us_per_request"` // attempts included
	Cores            int     `json:"cores"`
	Share            float64 `json:"share_of_cores"` // 0 to 1
	Bottleneck       bool    `json:"bottleneck"`     // more than half of the cores
}

func (r *run) report() Report {
	each, all := r.meter.sum()
	report := Report{
		Scenario: r.scenario.name, Door: "rest", Loop: "closed", Targets: r.plan.Targets, Clients: r.plan.Clients, Rate: r.plan.Rate,
		Levels: r.stage.levels(), StartedAt: r.begun.UTC(), Seconds: max(r.ended.Sub(r.begun).Seconds(), 0), Early: r.early,
		Total: r.tally("total", &all), Operations: []Tally{}, Unsent: r.unsent.Load(), Failures: r.failures.list(),
	}
	if len(r.plan.GRPC) > 0 {
		report.Door, report.Targets = "grpc", r.plan.GRPC
	}
	if r.plan.Rate > 0 {
		report.Loop = "open"
		late := latency(r.meter.lateness)
		report.Late = &late
	}
	for k := range each {
		if each[k].begun() > 0 {
			report.Operations = append(report.Operations, r.tally(kind(k).String(), &each[k]))
		}
	}
	share := r.cost.share()
	report.Generator = Generator{CPU: r.cost.cpu.Seconds(), Cores: runtime.GOMAXPROCS(0), Share: share, Bottleneck: share > bottleneck}
	if n := r.attempts.Load(); n > 0 {
		report.Generator.MicrosPerRequest = float64(r.cost.cpu.Microseconds()) / float64(n)
	}
	return report
}

// bottleneck is the share of the cores from which on the generator is more likely measured than
// the service.
const bottleneck = 0.5

func (r *run) tally(name string, t *tally) Tally {
	out := Tally{Operation: name, OK: t.ok, Refused: t.refused, Failed: t.failed, Retries: t.retries, Latency: latency(t.took)}
	if seconds := r.ended.Sub(r.begun).Seconds(); seconds > 0 {
		out.PerSecond = float64(t.inTime) / seconds
	}
	return out
}

func latency(h *hdrhistogram.Histogram) Latency {
	ms := func(micros int64) float64 { return float64(micros) / 1000 }
	at := h.ValueAtPercentiles([]float64{50, 90, 99, 99.9})
	return Latency{Mean: h.Mean() / 1000, P50: ms(at[50]), P90: ms(at[90]), P99: ms(at[99]), P999: ms(at[99.9]), Max: ms(h.Max())}
}

func (r *Report) firstFailure() string {
	if len(r.Failures) == 0 {
		return "none was sent"
	}
	return r.Failures[0].Message
}
