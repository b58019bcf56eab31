package trial

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"stockyard/service/soak/book"
	"stockyard/service/soak/linear"
)

// Report is what a trial found.
type Report struct {
	Database  string
	Seed      uint64
	Took      time.Duration
	Commands  book.Summary
	Settled   int // commands whose outcome was unknown, and known after they were repeated in peace
	Verified  int // times that verify ran
	Faults    map[string]int
	Histories []linear.Verdict
	Rolling   Rolling
	Lies      []string // evidence, one line each
}

func (r *Report) lie(format string, args ...any) {
	r.Lies = append(r.Lies, fmt.Sprintf(format, args...))
}

// Linear is what the checks of histories say together. Those that were not decided count as such and
// nowhere else.
type Linear struct {
	Operations, Unknown, Histories, Undecided int
	Took, Longest                             time.Duration
}

// Linear sums the histories up.
func (r *Report) Linear() (sum Linear) {
	for _, v := range r.Histories {
		sum.Took += v.Took
		sum.Longest = max(sum.Longest, v.Took)
		if v.Undecided {
			sum.Undecided++
			continue
		}
		sum.Histories++
		sum.Operations += v.Operations
		sum.Unknown += v.Unknown
	}
	return sum
}

// Print prints the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "\n%s\nseed %d, %s\n\n", r.Database, r.Seed, r.Took.Round(time.Second))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "command\taccepted\trefused\tunknown\trepeated calls\t")
	var sum book.Tally
	for _, k := range r.Commands.Kinds {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t\n", k.Kind, k.Accepted, k.Refused, k.Unknown, k.Repeated)
		sum.Accepted += k.Accepted
		sum.Refused += k.Refused
		sum.Unknown += k.Unknown
		sum.Repeated += k.Repeated
	}
	fmt.Fprintf(table, "all\t%d\t%d\t%d\t%d\t\n", sum.Accepted, sum.Refused, sum.Unknown, sum.Repeated)
	_ = table.Flush() // a terminal
	fmt.Fprintf(w, "\n%d answers were replayed; %d commands ended unknown and were settled in peace\n", r.Commands.Replayed, r.Settled)
	fmt.Fprintln(w, "\nfaults")
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(w, "%6d  %s\n", r.Faults[name], name)
	}
	checked := r.Linear()
	fmt.Fprintf(w, "\nlongest time without any answer: %s\n", r.Commands.Outage.Round(time.Millisecond))
	fmt.Fprintf(w, "linearizability: %d operations in %d histories, %d of them with an unknown outcome, checked in %s (longest %s); %d more histories undecided\n",
		checked.Operations, checked.Histories, checked.Unknown, checked.Took.Round(time.Millisecond), checked.Longest.Round(time.Millisecond), checked.Undecided)
	if o := r.Rolling; o.Restarts > 0 {
		fmt.Fprintf(w, "rolling restarts: %d, the longest stop %s; %d requests, %d lost, %d moved to another pod, the slowest %s\n",
			o.Restarts, o.Stop.Round(time.Millisecond), o.Requests, o.Errors, o.Moved, o.Slowest.Round(time.Millisecond))
	}
	fmt.Fprintf(w, "verify ran %d times\n", r.Verified)
	const most = 50
	for _, lie := range r.Lies[:min(len(r.Lies), most)] {
		fmt.Fprintln(w, "LIE:", lie)
	}
	if more := len(r.Lies) - most; more > 0 {
		fmt.Fprintf(w, "... and %d more\n", more)
	}
	switch {
	case len(r.Lies) > 0:
	case r.Verified == 0:
		fmt.Fprintln(w, "ended before anything was judged")
	default:
		fmt.Fprintln(w, "no lies found")
	}
}
