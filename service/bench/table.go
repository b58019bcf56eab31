package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// table is what people read.
func (r *results) table() string {
	var b strings.Builder
	b.WriteString("\n" + r.Machine.String())
	fmt.Fprintf(&b, "medians of %d rounds of %s each after %s of warm-up; %d stock levels in uniform; all on this machine, the generators of the load too\n",
		r.Options.Rounds, r.Options.Duration, r.Options.Warmup, r.Options.SKUs)
	for _, name := range r.Options.Way {
		w, _ := findWay(name)
		fmt.Fprintf(&b, "  %-12s %s\n", w.name, w.about)
	}
	for _, d := range r.Databases {
		fmt.Fprintf(&b, "\n== %s ==\n", d.Database)
		for _, pattern := range r.Options.Pattern {
			d.writePattern(&b, pattern, r.Options.Clients)
		}
		d.writeRatios(&b, &r.Options)
		d.writeCosts(&b)
		d.writeSizes(&b)
		if d.Verified {
			b.WriteString("stockyard verify: clean\n")
		}
	}
	return b.String()
}

func (r *result) writePattern(b *strings.Builder, pattern string, clients []int) {
	for _, figure := range []struct {
		name string
		of   func(sample) string
	}{
		{"reservations a second", func(s sample) string { return fmt.Sprintf("%.0f", s.PerSecond) }},
		{"p50, ms", func(s sample) string { return digits(s.P50) }},
		{"p99, ms", func(s sample) string { return digits(s.P99) }},
	} {
		fmt.Fprintf(b, "\n%s: %s by number of clients\n", pattern, figure.name)
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, n := range clients {
			fmt.Fprintf(t, "\t%d", n)
		}
		fmt.Fprintln(t, "\t")
		for _, w := range ways {
			line, measured := "", false
			for _, n := range clients {
				cellText := "-"
				if c := r.find(w.name, pattern, n); c != nil {
					cellText, measured = figure.of(c.Median), true
					if c.Median.Failed > 0 {
						cellText += "*"
					}
				}
				line += "\t" + cellText
			}
			if measured {
				fmt.Fprintln(t, w.name+line+"\t")
			}
		}
		_ = t.Flush() // a builder takes everything
	}
	for _, c := range r.Cells {
		if c.Pattern == pattern && c.Median.Failed > 0 {
			fmt.Fprintf(b, "* %s, %d clients: %d failed\n", c.Way, c.Clients, c.Median.Failed)
		}
	}
}

// writeRatios compares at 128 clients, or at the most there are.
func (r *result) writeRatios(b *strings.Builder, o *options) {
	clients := o.Clients[len(o.Clients)-1]
	for _, n := range o.Clients {
		if n == 128 {
			clients = n
		}
	}
	fmt.Fprintf(b, "\nratios at %d clients\n", clients)
	for _, pattern := range o.Pattern {
		rest, grpc, plain := r.find("rest", pattern, clients), r.find("grpc", pattern, clients), r.best(pattern, clients)
		if rest != nil && plain != nil {
			fmt.Fprintf(b, "  %-8s REST / best plain way (%s): %.2f\n", pattern, plain.Way, rest.Median.PerSecond/plain.Median.PerSecond)
		}
		if rest != nil && grpc != nil {
			fmt.Fprintf(b, "  %-8s gRPC / REST: %.2f\n", pattern, grpc.Median.PerSecond/rest.Median.PerSecond)
		}
	}
	for _, c := range r.Open {
		if alone := r.find(c.Way, "uniform", 1); alone != nil {
			fmt.Fprintf(b, "  uniform  %s: p99 at half of its peak (%.0f starts/s, open loop) %s ms / median of a single client %s ms: %.1f\n",
				c.Way, c.Rate, digits(c.Median.P99), digits(alone.Median.P50), c.Median.P99/alone.Median.P50)
		} else {
			fmt.Fprintf(b, "  uniform  %s: p99 at half of its peak (%.0f starts/s, open loop) %s ms\n", c.Way, c.Rate, digits(c.Median.P99))
		}
	}
	for _, way := range []string{"rest", "grpc"} {
		if c := r.find(way, "uniform", clients); c != nil {
			fmt.Fprintf(b, "  the generator took %.0f us of CPU a request over %s\n", c.Median.Micros, way)
		}
	}
}

// writeCosts tells what a reservation took of pod and database.
func (r *result) writeCosts(b *strings.Builder) {
	b.WriteString("\ncost of a reservation: processor time, bytes that the database wrote, round trips between pod and database\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tclients\tpod, us\tdatabase, us\tgenerator, us\ton disk, B\tWAL, B\tin a batch\tround trips\tretries\t")
	for _, c := range r.Cells {
		if k := c.Median.Cost; !c.plain && k != (cost{}) {
			fmt.Fprintf(t, "%s %s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%.3f\t%.3f\t\n",
				c.Pattern, c.Way, c.Clients, k.PodMicros, k.DatabaseMicros, c.Median.Micros, k.DiskBytes, k.WALBytes, k.Batch, k.RoundTrips, k.Retries)
		}
	}
	_ = t.Flush() // a builder takes everything
}

func (r *result) writeSizes(b *strings.Builder) {
	var first *sized
	for _, s := range r.Sizes {
		if first == nil || (s.Events == s.Levels) != (first.Events == first.Levels) {
			first = s
			fmt.Fprintf(b, "\nsize of the database: uniform, over REST, and by one SQL statement a reservation\n")
		}
		fmt.Fprintf(b, "  %11d levels, %11d events: %7.0f/s  p99 %s ms  ratio %.2f",
			s.Levels, s.Events, s.Median.PerSecond, digits(s.Median.P99), s.Median.PerSecond/first.Median.PerSecond)
		if len(s.Plain) > 0 {
			fmt.Fprintf(b, "; statement %7.0f/s  p99 %s ms  ratio %.2f",
				s.PlainMedian.PerSecond, digits(s.PlainMedian.P99), s.PlainMedian.PerSecond/first.PlainMedian.PerSecond)
		}
		b.WriteString("\n")
	}
}

// digits prints milliseconds with three digits that count.
func digits(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
