package load

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	loop := fmt.Sprintf("%d clients", r.Clients)
	if r.Rate > 0 {
		loop = fmt.Sprintf("%g starts/s by at most %d clients, latencies from the moment meant", r.Rate, r.Clients)
	}
	fmt.Fprintf(w, "%s over %s: %s, %.1f s, stock levels to choose from: %d\n\n", r.Scenario, r.Door, loop, r.Seconds, r.Levels)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tok/s\tok\trefused\tfailed\tretries\tmean ms\tp50\tp90\tp99\tp99.9\tmax\t")
	rows := r.Operations
	if len(rows) != 1 {
		rows = append(rows[:len(rows):len(rows)], r.Total)
	}
	for _, o := range rows {
		l := o.Latency
		fmt.Fprintf(t, "%s\t%.0f\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t\n", o.Operation, o.PerSecond, o.OK, o.Refused, o.Failed, o.Retries,
			short(l.Mean), short(l.P50), short(l.P90), short(l.P99), short(l.P999), short(l.Max))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	r.writeGenerator(w)
	for i, f := range r.Failures {
		if i == 10 {
			fmt.Fprintf(w, "  and %d other kinds of failure\n", len(r.Failures)-i)
			break
		}
		fmt.Fprintf(w, "attempts that failed: %d x %s: %s\n", f.Attempts, f.Operation, f.Message)
	}
	r.Proof.write(w)
	return nil
}

// short prints milliseconds with three digits that count.
func short(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

func (r *Report) writeGenerator(w io.Writer) {
	g := r.Generator
	fmt.Fprintf(w, "generator: %.1f s of CPU, %.1f us a request, %.0f %% of %d cores\n", g.CPU, g.MicrosPerRequest, 100*g.Share, g.Cores)
	if g.Bottleneck {
		fmt.Fprintln(w, "WARNING: the generator took more than half of the cores: these figures are about it as much as about the service. Run it elsewhere, or from several machines.")
	}
	if r.Late != nil {
		fmt.Fprintf(w, "generator: starts were ready %s ms late in the mean, p99 %s, max %s\n", short(r.Late.Mean), short(r.Late.P99), short(r.Late.Max))
	}
	if r.Unsent > 0 {
		fmt.Fprintf(w, "WARNING: %d starts were not sent, for no client was free: the service doesn't keep up, or --clients is too low. Their waiting is not in the latencies.\n", r.Unsent)
	}
	if r.Early {
		fmt.Fprintln(w, "the load was ended early")
	}
}

func (p *Proof) write(w io.Writer) {
	switch {
	case p.Skipped:
		fmt.Fprintln(w, "proof: none was asked for")
		return
	case p.Wrong == 0:
		fmt.Fprintf(w, "proof: %d stock levels are what the answers imply, %d of them within the span of unanswered operations; nothing is oversold\n", p.Levels, p.Unknown)
		return
	}
	fmt.Fprintf(w, "PROOF FAILED: %d of %d stock levels are not what the answers imply\n", p.Wrong, p.Levels)
	for _, d := range p.Differences {
		fmt.Fprintln(w, "  "+d)
	}
}
