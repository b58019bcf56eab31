package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The picture, in pixels.
const (
	chartWidth, chartHeight = 960.0, 540.0
	plotLeft, plotRight     = 90.0, 936.0
	plotTop, plotBottom     = 106.0, 424.0
	mostBars, mostLabels    = 60, 24
	labelChars              = 16
)

// Colours that people who don't see all colours can tell apart (Okabe and Ito).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"}

// printable takes what XML, terminals and readers can't do with out of a text.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(strings.Map(printable, text))) // a Builder takes all
	return b.String()
}

// drawing is a chart while it is drawn.
type drawing struct {
	w      *bufio.Writer
	chart  Chart
	labels []string
	series [][]float64 // NaN for null
	axis   axis
	left   int // rows that had no room
}

// svg draws the report's chart. Of bars, the first that there is room for.
func (f *Result) svg(w *bufio.Writer) {
	d := &drawing{w: w, chart: f.chart()}
	rows := f.Rows
	if d.chart.Kind == "bars" && len(rows) > mostBars {
		rows, d.left = rows[:mostBars], len(rows)-mostBars
	}
	label := f.Report.column(d.chart.Label)
	for _, row := range rows {
		text := ""
		if label >= 0 {
			text = cell(row[label], f.Report.Columns[label])
		}
		d.labels = append(d.labels, text)
	}
	units := map[string]bool{}
	for _, name := range d.chart.Values {
		i := f.Report.column(name)
		values := make([]float64, len(rows))
		for j, row := range rows {
			values[j] = row[i].float()
		}
		d.series = append(d.series, values)
		units[f.Report.Columns[i].Unit] = true
	}
	d.axis = axisOf(d.series)
	unit := ""
	for u := range units {
		if len(units) == 1 {
			unit = u
		}
	}
	d.frame(f, unit)
	d.grid()
	switch {
	case len(rows) == 0:
		d.text((plotLeft+plotRight)/2, (plotTop+plotBottom)/2, "middle", 18, "There is nothing to show.")
	case d.chart.Kind == "bars":
		d.bars()
	default:
		d.lines()
	}
	d.names()
	d.f("</svg>\n")
}

// chart is the report's, or bars of its first number by its first column.
func (f *Result) chart() Chart {
	if f.Report.Chart != nil {
		return *f.Report.Chart
	}
	c := Chart{Kind: "bars", Label: f.Report.Columns[0].Name}
	for _, column := range f.Report.Columns {
		if column.IsNumber() {
			c.Values = []string{column.Name}
			break
		}
	}
	return c
}

func (v Value) float() float64 {
	n, err := strconv.ParseFloat(v.Text, 64)
	if !v.Valid || err != nil {
		return math.NaN()
	}
	return n
}

func (d *drawing) f(format string, args ...any) { _, _ = fmt.Fprintf(d.w, format, args...) }

// text writes a text; ours or escaped.
func (d *drawing) text(x, y float64, anchor string, size int, text string) {
	d.f(`<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d">%s</text>`+"\n", x, y, anchor, size, escaped(text))
}

func (d *drawing) frame(f *Result, unit string) {
	d.f(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-labelledby="title description" font-family="system-ui, sans-serif" fill="#222">`+"\n", chartWidth, chartHeight, chartWidth, chartHeight)
	d.f("<title id=\"title\">%s</title>\n<desc id=\"description\">%s As of %s.</desc>\n", escaped(f.Report.Title), escaped(f.Report.Question), f.AsOf.Format(time.RFC3339))
	d.f(`<rect width="%g" height="%g" fill="#fff"/>`+"\n", chartWidth, chartHeight)
	d.f(`<text x="24" y="36" font-size="22" font-weight="600">%s</text>`+"\n", escaped(short(f.Report.Title, 70)))
	note := "as of " + f.AsOf.Format("2006-01-02 15:04 UTC")
	switch {
	case f.More:
		note += "; more rows are not shown"
	case d.left > 0:
		note += fmt.Sprintf("; %d more rows are not shown", d.left)
	}
	d.text(plotRight, 36, "end", 13, note)
	x := 24.0
	for i, name := range d.chart.Values {
		name = short(strings.ReplaceAll(name, "_", " "), 30)
		d.f(`<rect x="%.1f" y="56" width="14" height="14" rx="2" fill="%s"/>`, x, colours[i%len(colours)])
		d.text(x+20, 68, "start", 14, name)
		x += 20 + 8.5*float64(len(name)) + 24
	}
	if unit != "" {
		d.text(plotLeft-10, plotTop-16, "end", 13, unit)
	}
	d.text((plotLeft+plotRight)/2, chartHeight-12, "middle", 13, strings.ReplaceAll(d.chart.Label, "_", " "))
}

// axis is the range of values, at round numbers, with zero in it.
type axis struct{ least, most, step float64 }

func axisOf(series [][]float64) axis {
	a := axis{}
	for _, values := range series {
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				a.least, a.most = min(a.least, v), max(a.most, v)
			}
		}
	}
	if a.least == a.most {
		a.most = 1
	}
	const ticks = 5
	rough := a.most/ticks - a.least/ticks // the difference itself may overflow
	magnitude := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5, 10} {
		if a.step = m * magnitude; a.step >= rough {
			break
		}
	}
	a.least, a.most = math.Floor(a.least/a.step)*a.step, math.Ceil(a.most/a.step)*a.step
	return a
}

func (a axis) y(v float64) float64 {
	v = min(max(v, a.least), a.most)
	return plotBottom - (v/a.step-a.least/a.step)/(a.most/a.step-a.least/a.step)*(plotBottom-plotTop)
}

func (d *drawing) grid() {
	steps := int(math.Round(d.axis.most/d.axis.step - d.axis.least/d.axis.step))
	for i := range steps + 1 {
		v := d.axis.least + float64(i)*d.axis.step
		if math.Abs(v) < d.axis.step/1e6 {
			v = 0
		}
		stroke := "#ddd"
		if v == 0 {
			stroke = "#666"
		}
		d.f(`<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="%s"/>`, plotLeft, plotRight, d.axis.y(v), d.axis.y(v), stroke)
		d.text(plotLeft-10, d.axis.y(v)+4, "end", 13, tick(v))
	}
}

// tick writes a number of the axis, shortly.
func tick(v float64) string {
	for _, unit := range []struct {
		from, size float64
		sign       string
	}{{1e15, 1, ""}, {1e12, 1e12, "T"}, {1e9, 1e9, "G"}, {1e6, 1e6, "M"}, {1e4, 1e3, "k"}} {
		if math.Abs(v) >= unit.from {
			return strconv.FormatFloat(v/unit.size, 'g', 4, 64) + unit.sign
		}
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// slot is the room of a row.
func (d *drawing) slot() float64 { return (plotRight - plotLeft) / float64(max(len(d.labels), 1)) }

func (d *drawing) x(i int) float64 { return plotLeft + (float64(i)+0.5)*d.slot() }

func (d *drawing) bars() {
	width := min(d.slot()*0.8/float64(max(len(d.series), 1)), 60)
	for s, values := range d.series {
		for i, v := range values {
			if math.IsNaN(v) {
				continue
			}
			x := d.x(i) + (float64(s)-float64(len(d.series))/2)*width
			top, bottom := min(d.axis.y(v), d.axis.y(0)), max(d.axis.y(v), d.axis.y(0))
			d.f(`<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"><title>%s, %s: %s</title></rect>`+"\n", x, top, width, bottom-top,
				colours[s%len(colours)], escaped(d.labels[i]), escaped(d.chart.Values[s]), strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
}

// lines breaks a line where there is no value, and marks values where they are few.
func (d *drawing) lines() {
	for s, values := range d.series {
		colour, path, gap := colours[s%len(colours)], "", true
		for i, v := range values {
			if math.IsNaN(v) {
				gap = true
				continue
			}
			path += fmt.Sprintf("%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[gap], d.x(i), d.axis.y(v))
			gap = false
			if len(values) <= 60 {
				d.f(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s, %s: %s</title></circle>`+"\n", d.x(i), d.axis.y(v), colour,
					escaped(d.labels[i]), escaped(d.chart.Values[s]), strconv.FormatFloat(v, 'f', -1, 64))
			}
		}
		d.f(`<path d="%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"/>`+"\n", path, colour)
	}
}

// names writes as many labels below the axis as there is room for, all aslant where one is long.
func (d *drawing) names() {
	every := max((len(d.labels)+mostLabels-1)/mostLabels, 1)
	longest := 0
	for i := 0; i < len(d.labels); i += every {
		longest = max(longest, utf8.RuneCountInString(ends(d.labels[i], labelChars)))
	}
	level := float64(longest)*7.5 < d.slot()*float64(every)
	for i := 0; i < len(d.labels); i += every {
		label := ends(d.labels[i], labelChars)
		if level {
			d.text(d.x(i), plotBottom+20, "middle", 12, label)
			continue
		}
		d.f(`<text transform="translate(%.1f %.1f) rotate(-40)" text-anchor="end" font-size="12">%s</text>`+"\n", d.x(i)+4, plotBottom+16, escaped(label))
	}
}
