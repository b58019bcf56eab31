package inventory

import (
	"cmp"
	"math"
	"slices"
)

// Strategy names a way to choose locations for lines that leave it open.
type Strategy string

// Site is a location that stock may be sourced from.
type Site struct {
	Location string
	Region   string
	Priority int     // lower goes first
	Distance float64 // kilometres to the destination; 0 where there is none
}

// Order is what a strategy sees: what is wanted, and what each site could give.
type Order struct {
	Wants map[string]int64 // SKU -> units
	Sites []Site
	Free  func(Site, string) int64
}

// ranking puts an order's sites in the sequence in which they are asked.
type ranking struct {
	name Strategy
	rank func(Order) []Site
}

// strategies is the list of ways to source: one file and one line each. The first is the default.
var strategies = []ranking{
	{"priority", rankByPriority},
	{"nearest", rankByDistance},
	{"fewest_splits", rankForFewestSplits},
}

// Strategies lists the names, the default first.
func Strategies() []Strategy {
	names := make([]Strategy, len(strategies))
	for i, s := range strategies {
		names[i] = s.name
	}
	return names
}

// Placement is a part of a line at a level. Line is the line's place in the command, from 0.
type Placement struct {
	Line     int
	Level    LevelKey
	Quantity int64
}

// Want is a line to be sourced. Line is its place in the command, from 0.
type Want struct {
	Line     int
	SKU      string
	Quantity int64
}

// Source chooses locations for the wants: along the strategy's ranking, a line goes whole to the
// first site that has all of it, and is split in the order of the ranking only if no site has.
// Nothing is ever promised where it is not. With partial, lines that can't be had in full get what
// there is. free says what a site could give of a SKU.
func Source(by Strategy, wants []Want, sites []Site, free func(Site, string) int64, partial bool) ([]Placement, []Shortage) {
	left := map[LevelKey]int64{}
	order := Order{Wants: map[string]int64{}, Sites: sites}
	for _, w := range wants {
		order.Wants[w.SKU] += min(w.Quantity, math.MaxInt64-order.Wants[w.SKU])
		for _, s := range sites {
			left[s.key(w.SKU)] = max(free(s, w.SKU), 0)
		}
	}
	order.Free = func(s Site, sku string) int64 { return left[s.key(sku)] }
	ranked := rankedBy(by)(order)

	var placements []Placement
	var shortages []Shortage
	for _, w := range wants {
		parts, missing := fill(w, ranked, left)
		if missing > 0 {
			shortages = append(shortages, Shortage{Line: w.Line + 1, SKU: w.SKU, Requested: w.Quantity, Available: w.Quantity - missing})
			if !partial {
				continue
			}
		}
		for _, p := range parts {
			left[p.Level] -= p.Quantity
		}
		placements = append(placements, parts...)
	}
	return placements, shortages
}

func rankedBy(name Strategy) func(Order) []Site {
	for _, s := range strategies {
		if s.name == name {
			return s.rank
		}
	}
	return strategies[0].rank
}

func (s Site) key(sku string) LevelKey {
	return LevelKey{Region: s.Region, SKU: sku, Location: s.Location}
}

func fill(w Want, ranked []Site, left map[LevelKey]int64) (parts []Placement, missing int64) {
	for _, s := range ranked {
		if left[s.key(w.SKU)] >= w.Quantity {
			return []Placement{{Line: w.Line, Level: s.key(w.SKU), Quantity: w.Quantity}}, 0
		}
	}
	missing = w.Quantity
	for _, s := range ranked {
		if give := min(left[s.key(w.SKU)], missing); give > 0 {
			parts = append(parts, Placement{Line: w.Line, Level: s.key(w.SKU), Quantity: give})
			missing -= give
		}
	}
	return parts, missing
}

// source places the lines that leave the location open. Where the free stock it sees is too
// little, lapsed holds of the SKU are expired at every site before it gives up.
func (c *Reserve) source(d *Draft, taken map[LevelKey]int64, by ID) ([]Placement, []Shortage, error) {
	var wants []Want
	for i, l := range c.Lines {
		if l.Level == nil {
			wants = append(wants, Want{Line: i, SKU: l.SKU, Quantity: l.Quantity})
		}
	}
	if len(wants) == 0 {
		return nil, nil, nil
	}
	if err := c.checkSKUs(d, wants); err != nil {
		return nil, nil, err
	}
	placements, shortages, err := c.sourceFrom(d, wants, taken, by, false)
	if err != nil || len(shortages) == 0 {
		return placements, shortages, err
	}
	return c.sourceFrom(d, wants, taken, by, true)
}

func (c *Reserve) sourceFrom(d *Draft, wants []Want, taken map[LevelKey]int64, by ID, expire bool) ([]Placement, []Shortage, error) {
	var failed error
	free := func(s Site, sku string) int64 {
		key := s.key(sku)
		if _, changed := d.levels[key]; !changed {
			if row, found := d.state.levels[key]; !found || row.Closed {
				return 0
			}
		}
		var want int64
		if expire {
			want = 1<<63 - 1
		}
		level, err := d.available(key, want, by)
		if err != nil {
			failed = err
		}
		return max(level.Available(), 0) - c.KeepBack - taken[key]
	}
	placements, shortages := Source(c.Strategy, wants, c.Sites, free, c.Policy == Partial)
	return placements, shortages, failed
}

// checkSKUs refuses SKUs that don't exist: those with a stock level do, whichever command of the
// batch it was read for.
func (c *Reserve) checkSKUs(d *Draft, wants []Want) error {
	stocked := map[string]bool{}
	for _, key := range c.Consider {
		if _, found := d.state.levels[key]; found {
			stocked[key.SKU] = true
		}
	}
	var open []string
	for _, w := range wants {
		if !stocked[w.SKU] {
			open = append(open, w.SKU)
		}
	}
	for _, sku := range d.state.Unstocked(open) {
		if err := d.checkCatalogue("product", sku); err != nil {
			return err
		}
	}
	return nil
}

func orderPlacements(p []Placement) []Placement {
	slices.SortStableFunc(p, func(a, b Placement) int { return cmp.Compare(a.Line, b.Line) })
	return p
}

func orderShortages(s []Shortage) []Shortage {
	slices.SortStableFunc(s, func(a, b Shortage) int { return cmp.Compare(a.Line, b.Line) })
	return s
}
