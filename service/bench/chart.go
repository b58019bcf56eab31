package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Sizes of the chart in pixels.
const (
	panelWidth, panelHeight            = 420, 260
	marginLeft, marginTop, marginRight = 70, 40, 30
	marginBottom, header, footer       = 50, 60, 30
)

// colours of the ways, told apart by people who see few colours too; lines differ as well.
var colours = map[string]struct{ line, dash string }{
	"rest":        {"#0072b2", ""},
	"grpc":        {"#009e73", ""},
	"statement":   {"#d55e00", "6 3"},
	"transaction": {"#cc79a7", "2 3"},
}

// chart draws, for each pattern, throughput and p99 against the number of clients: medians, with
// bars from the least to the most of the rounds. Both axes are logarithmic.
func chart(r *result) string {
	var patterns []string
	var clients []int
	for _, c := range r.Cells {
		patterns, clients = append(patterns, c.Pattern), append(clients, c.Clients)
	}
	slices.Sort(patterns)
	slices.Sort(clients)
	patterns, clients = slices.Compact(patterns), slices.Compact(clients)
	width := 2 * (marginLeft + panelWidth + marginRight)
	height := header + len(patterns)*(marginTop+panelHeight+marginBottom) + footer
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" role="img">`+"\n", width, height, width, height)
	title := html.EscapeString("Reservations on " + r.Database)
	fmt.Fprintf(&b, `<title>%s</title><rect width="100%%" height="100%%" fill="white"/>`+"\n", title)
	fmt.Fprintf(&b, `<text x="%d" y="24" font-size="16" font-weight="bold">%s</text>`+"\n", marginLeft, title)
	legend(&b, r)
	for row, pattern := range patterns {
		top := header + row*(marginTop+panelHeight+marginBottom) + marginTop
		for column, f := range []figure{
			{pattern + ": reservations a second", func(s sample) float64 { return s.PerSecond }},
			{pattern + ": p99, ms", func(s sample) float64 { return s.P99 }},
		} {
			p := panel{left: column*(marginLeft+panelWidth+marginRight) + marginLeft, top: top, clients: clients, figure: f}
			p.draw(&b, r, pattern)
		}
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#555">clients; medians, with bars from the least to the most of the rounds; logarithmic scales</text>`+"\n</svg>\n", marginLeft, height-12)
	return b.String()
}

func legend(b *strings.Builder, r *result) {
	x := marginLeft
	for _, w := range ways {
		if r.peak(w.name, "hot")+r.peak(w.name, "uniform") == 0 {
			continue
		}
		c := colours[w.name]
		fmt.Fprintf(b, `<line x1="%d" y1="46" x2="%d" y2="46" stroke="%s" stroke-width="2.5" stroke-dasharray="%s"/>`, x, x+24, c.line, c.dash)
		fmt.Fprintf(b, `<text x="%d" y="50">%s</text>`+"\n", x+30, html.EscapeString(w.about))
		x += 50 + 6*len(w.about)
	}
}

// figure is what a panel shows of a sample.
type figure struct {
	title string
	of    func(sample) float64
}

type panel struct {
	left, top   int
	clients     []int
	figure      figure
	least, most float64 // powers of ten
}

func (p *panel) draw(b *strings.Builder, r *result, pattern string) {
	p.scale(r, pattern)
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", p.left, p.top-10, html.EscapeString(p.figure.title))
	for power := p.least; power <= p.most; power++ {
		y := p.y(math.Pow(10, power))
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			p.left, y, p.left+panelWidth, y, p.left-8, y+4, fmt.Sprint(math.Pow(10, power)))
	}
	for _, n := range p.clients {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", p.x(n), p.top+panelHeight+18, n)
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#888"/>`+"\n", p.left, p.top, panelWidth, panelHeight)
	for _, w := range ways {
		p.line(b, r, w.name, pattern)
	}
}

// scale finds the powers of ten that all figures lie between.
func (p *panel) scale(r *result, pattern string) {
	p.least, p.most = math.Inf(1), math.Inf(-1)
	for _, c := range r.Cells {
		for _, s := range c.Rounds {
			if f := p.figure.of(s); c.Pattern == pattern && f > 0 {
				p.least, p.most = min(p.least, math.Floor(math.Log10(f))), max(p.most, math.Ceil(math.Log10(f)))
			}
		}
	}
	if p.least >= p.most { // also where there is nothing to show
		p.least = min(p.least, 0)
		p.most = p.least + 1
	}
}

func (p *panel) x(clients int) float64 {
	low, high := math.Log2(float64(p.clients[0])), math.Log2(float64(p.clients[len(p.clients)-1]))
	const inset = 20
	if low == high {
		return float64(p.left) + panelWidth/2
	}
	return float64(p.left) + inset + (panelWidth-2*inset)*(math.Log2(float64(clients))-low)/(high-low)
}

func (p *panel) y(f float64) float64 {
	return float64(p.top) + panelHeight*(1-(math.Log10(f)-p.least)/(p.most-p.least))
}

func (p *panel) line(b *strings.Builder, r *result, way, pattern string) {
	c := colours[way]
	var points []string
	for _, n := range p.clients {
		cell := r.find(way, pattern, n)
		if cell == nil || p.figure.of(cell.Median) <= 0 {
			continue
		}
		x, y := p.x(n), p.y(p.figure.of(cell.Median))
		points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
		low, high := y, y
		for _, s := range cell.Rounds {
			if f := p.figure.of(s); f > 0 {
				low, high = min(low, p.y(f)), max(high, p.y(f))
			}
		}
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-opacity="0.5"/>`, x, low, x, high, c.line)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s, %d clients: %s</title></circle>`+"\n", x, y, c.line, way, n, digits(p.figure.of(cell.Median)))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>`+"\n", strings.Join(points, " "), c.line, c.dash)
}
