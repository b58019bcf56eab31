package replay

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write prints the summary for people: a table of the regions, then the proof. For programs there
// is its JSON.
func (s *Summary) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rows, %d products, opening stock at %d percent\n\n", s.File, s.Rows, s.Products, s.OpeningPercent)
	if err := s.table(&b); err != nil {
		return err
	}
	b.WriteByte('\n')
	if s.RowsWindows1252 > 0 {
		fmt.Fprintf(&b, "%d rows were no UTF-8 and were read as Windows-1252\n", s.RowsWindows1252)
	}
	if len(s.SilentTargets) > 0 {
		fmt.Fprintf(&b, "did not say which region they are in: %s\n", strings.Join(s.SilentTargets, ", "))
	}
	if s.Proof == nil {
		b.WriteString("proof: none, the replay did not get to its end\n")
	} else {
		s.Proof.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Summary) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "region\twarehouse\trows\tof quantity 0\tinvoices\tcommands\trefused sales\trefused write-offs\tretries\treplays\tduration\tcommands/s\t")
	for _, part := range s.Regions {
		part.line(t, part.Region, part.Location)
	}
	s.Catalogue.line(t, "(catalogue)", "")
	s.Total.line(t, "total", "")
	return t.Flush()
}

func (s RegionSummary) line(w io.Writer, region, location string) {
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%.0f\t\n", region, location,
		s.Rows, s.ZeroRows, s.Invoices, s.Commands, s.RefusedReservations, s.RefusedWriteOffs,
		s.Retries, s.Replays, s.Duration, s.CommandsPerSecond)
}

// write lists everything that is not as it must be, however much that is.
func (p *Proof) write(w io.Writer) {
	fmt.Fprintf(w, "proof: %s\n", p)
	if p.Others > 0 {
		fmt.Fprintf(w, "  not compared: %d levels of SKUs that are not in the file\n", p.Others)
	}
	for _, d := range p.Differences {
		fmt.Fprintf(w, "  %s %q: %s is %d, must be %d\n", d.Location, d.SKU, d.Quantity, d.Got, d.Want)
	}
	for _, check := range p.Verification.Checks {
		fmt.Fprintf(w, "  verify %s: %d checked, %d violations\n", check.Name, check.Checked, len(check.Violations))
		for _, v := range check.Violations {
			fmt.Fprintf(w, "    %s: %s\n", v.Key, v.Detail)
		}
	}
}
