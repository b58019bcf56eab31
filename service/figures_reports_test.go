package service_test

import (
	"bytes"
	"cmp"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stockyard/service/inventory"
	"stockyard/service/report"
	"stockyard/service/store/storetest"
)

// expected are the rows that each report must give of a company, worked out here from its facts, and
// what the report is asked.
var expected = map[string]struct {
	params map[string]string
	rows   func(c *company, asOf time.Time) [][]string
}{
	"stock_on_hand":          {nil, (*company).stockOnHand},
	"stock_at":               {map[string]string{"at": "noon of the third day"}, (*company).stockAt},
	"availability":           {map[string]string{"below": "9"}, (*company).availability},
	"sales_by_day":           {nil, (*company).salesByDay},
	"sales_by_sku":           {map[string]string{"region": "of London"}, (*company).salesBySKU},
	"sales_by_channel":       {nil, (*company).salesByChannel},
	"sales_by_region":        {nil, (*company).salesByRegion},
	"turnover":               {map[string]string{"from": "first day", "to": "yesterday"}, (*company).turnover},
	"ageing":                 {nil, (*company).ageing},
	"abc":                    {map[string]string{"a": "70", "b": "90"}, (*company).abc},
	"adjustments":            {nil, (*company).adjustments},
	"reservations_expiring":  {nil, (*company).reservationsExpiring},
	"reservation_conversion": {nil, (*company).reservationConversion},
	"transfer_times":         {nil, (*company).transferTimes},
	"dead_stock":             {map[string]string{"days": "18"}, (*company).deadStock},
	"shortfalls":             {nil, (*company).shortfalls},
	"contended_skus":         {nil, (*company).contendedSKUs},
}

// asked puts a company's own days and places in for words.
func (c *company) asked(params map[string]string) map[string]string {
	asked := map[string]string{"limit": "100000"}
	for name, value := range params {
		switch value {
		case "first day":
			value = days(c.firstDay())
		case "yesterday":
			value = days(c.today.AddDate(0, 0, -1))
		case "noon of the third day":
			value = stamp(c.noon())
		case "of London":
			value = c.key(lon, "").Region
		}
		asked[name] = value
	}
	return asked
}

func (c *company) firstDay() time.Time { return c.today.AddDate(0, 0, -21) }
func (c *company) noon() time.Time     { return c.firstDay().AddDate(0, 0, 2).Add(12 * time.Hour) }

// Every report gives the figures that come out by hand from the same sales; one without an
// expectation fails.
func TestReportsGiveTheFiguresOfRealSales(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		c := newCompany(t, db)
		c.booksAgree(t)
		reports, err := c.pods[0].Reports(tester)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reports {
			want, there := expected[r.Name]
			if !there {
				t.Errorf("nobody says what %s should give", r.Name)
				continue
			}
			got := c.report(t, r.Name, c.asked(want.params))
			rows := want.rows(c, got.AsOf)
			if len(rows) == 0 {
				t.Errorf("%s: nothing is expected, so that nothing is tested", r.Name)
			}
			sameRows(t, r.Name, got, rows)
			draw(t, got)
		}
		c.Verify(t)
	})
}

// draw writes the charts of up to two dozen rows to the directory CHARTS, for people to look at.
func draw(t *testing.T, got report.Result) {
	t.Helper()
	dir := os.Getenv("CHARTS")
	if dir == "" {
		return
	}
	if got.Report.Chart.Kind == "bars" {
		got.Rows = got.Rows[:min(len(got.Rows), 24)]
	}
	var svg bytes.Buffer
	if err := got.Write(&svg, "svg"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, got.Report.Name+".svg"), svg.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sameRows compares what a report gave with what it should have, text by text.
func sameRows(t *testing.T, name string, got report.Result, want [][]string) {
	t.Helper()
	if len(got.Rows) != len(want) {
		t.Errorf("%s: %d rows, want %d", name, len(got.Rows), len(want))
	}
	wrong := 0
	for i := range min(len(got.Rows), len(want)) {
		cells := make([]string, len(got.Rows[i]))
		for j, v := range got.Rows[i] {
			cells[j] = v.Text
		}
		if !slices.Equal(cells, want[i]) {
			if wrong++; wrong <= 3 {
				t.Errorf("%s, row %d:\n got %s\nwant %s", name, i, strings.Join(cells, " | "), strings.Join(want[i], " | "))
			}
		}
	}
}

// group adds up figures of facts by a key.
func group[K comparable](facts []fact, key func(fact) (K, bool), add func(*figures, fact)) map[K]figures {
	groups := map[K]figures{}
	for _, f := range facts {
		if k, wanted := key(f); wanted {
			g := groups[k]
			add(&g, f)
			groups[k] = g
		}
	}
	return groups
}

// figures of some facts.
type figures struct {
	inventory.Balances
	sold, returned, events, found, lost int64
	last, lastCame, lastSold            time.Time
	reservations                        map[string]bool
}

func sums(g *figures, f fact) {
	g.OnHand, g.Allocated, g.Quarantined = g.OnHand+f.OnHand, g.Allocated+f.Allocated, g.Quarantined+f.Quarantined
	g.Incoming, g.Shortfall = g.Incoming+f.Incoming, g.Shortfall+f.Shortfall
	g.sold, g.returned, g.events = g.sold+f.sold, g.returned+f.returned, g.events+1
	later := func(at *time.Time, is bool) {
		if is && f.at.After(*at) {
			*at = f.at
		}
	}
	later(&g.last, true)
	later(&g.lastCame, f.OnHand > 0)
	later(&g.lastSold, f.sold > 0)
	if f.reservation != "" {
		if g.reservations == nil {
			g.reservations = map[string]bool{}
		}
		g.reservations[f.reservation] = true
	}
}

// byPlace orders levels by region, location and SKU.
func byPlace(a, b inventory.LevelKey) int {
	return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Location, b.Location), cmp.Compare(a.SKU, b.SKU))
}

// rounded is a fraction with so many digits; null where there is none.
func rounded(num, denom int64, digits int) string {
	if denom == 0 {
		return ""
	}
	return big.NewRat(num, denom).FloatString(digits)
}

func (c *company) stockOnHand(time.Time) (rows [][]string) {
	for _, k := range slices.SortedFunc(maps.Keys(c.stock), byPlace) {
		s := c.stock[k]
		rows = append(rows, []string{k.Region, k.Location, k.SKU, n(s.OnHand), n(s.Held), n(s.Allocated), n(s.Quarantined), n(s.Shortfall), n(c.free(k))})
	}
	return rows
}

func (c *company) stockAt(time.Time) (rows [][]string) {
	levels := group(c.facts, func(f fact) (inventory.LevelKey, bool) { return f.key, !f.at.After(c.noon()) }, sums)
	for _, k := range slices.SortedFunc(maps.Keys(levels), byPlace) {
		l := levels[k]
		rows = append(rows, []string{k.Region, k.Location, k.SKU, n(l.OnHand), n(l.Allocated), n(l.Quarantined), n(l.Incoming), n(l.Shortfall), stamp(l.last)})
	}
	return rows
}

func (c *company) availability(time.Time) (rows [][]string) {
	type scarce struct {
		available, onHand, locations, out, incoming, shortfall int64
	}
	skus := map[string]scarce{}
	for sku := range c.names {
		skus[sku] = scarce{}
	}
	for k, l := range c.stock {
		s := skus[k.SKU]
		s.available, s.onHand, s.incoming, s.shortfall = s.available+c.free(k), s.onHand+l.OnHand, s.incoming+l.Incoming, s.shortfall+l.Shortfall
		if s.locations++; c.free(k) <= 0 {
			s.out++
		}
		skus[k.SKU] = s
	}
	maps.DeleteFunc(skus, func(_ string, s scarce) bool { return s.available >= 9 })
	order := slices.SortedFunc(maps.Keys(skus), func(a, b string) int {
		return cmp.Or(cmp.Compare(skus[a].available, skus[b].available), cmp.Compare(a, b))
	})
	for _, sku := range order {
		s := skus[sku]
		rows = append(rows, []string{sku, c.names[sku], n(s.available), n(s.onHand), n(s.locations), n(s.out), n(s.incoming), n(s.shortfall)})
	}
	return rows
}

func isSale(f fact) bool { return f.sold > 0 || f.returned > 0 }

func (c *company) salesByDay(time.Time) (rows [][]string) {
	byDay := group(c.facts, func(f fact) (string, bool) { return days(f.at), isSale(f) }, sums)
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		d := byDay[day]
		rows = append(rows, []string{day, n(d.sold), n(d.returned), n(d.sold - d.returned)})
	}
	return rows
}

// bestsellers are keys by units sold, the most first, and the sum.
func bestsellers[K comparable](groups map[K]figures, then func(a, b K) int) (order []K, total int64) {
	for _, g := range groups {
		total += g.sold
	}
	return slices.SortedFunc(maps.Keys(groups), func(a, b K) int { return cmp.Or(cmp.Compare(groups[b].sold, groups[a].sold), then(a, b)) }), total
}

func (c *company) salesBySKU(time.Time) (rows [][]string) {
	skus := group(c.facts, func(f fact) (string, bool) { return f.key.SKU, isSale(f) && f.key.Location == lon }, sums)
	order, total := bestsellers(skus, strings.Compare)
	for _, sku := range order {
		s := skus[sku]
		rows = append(rows, []string{sku, n(s.sold), n(s.returned), n(s.sold - s.returned), rounded(100*s.sold, total, 2)})
	}
	return rows
}

func (c *company) salesByChannel(time.Time) (rows [][]string) {
	channels := group(c.facts, func(f fact) (string, bool) { return f.channel, isSale(f) }, sums)
	order, total := bestsellers(channels, strings.Compare)
	for _, name := range order {
		s := channels[name]
		rows = append(rows, []string{name, n(s.sold), n(s.returned), n(s.sold - s.returned), n(int64(len(s.reservations))), rounded(100*s.sold, total, 2)})
	}
	return rows
}

func (c *company) salesByRegion(time.Time) (rows [][]string) {
	places := group(c.facts, func(f fact) (inventory.LevelKey, bool) {
		return inventory.LevelKey{Region: f.key.Region, Location: f.key.Location}, isSale(f)
	}, sums)
	order, total := bestsellers(places, byPlace)
	for _, k := range order {
		s := places[k]
		rows = append(rows, []string{k.Region, k.Location, n(s.sold), n(s.returned), n(s.sold - s.returned), rounded(100*s.sold, total, 2)})
	}
	return rows
}

func (c *company) turnover(time.Time) (rows [][]string) {
	begins, ends := c.firstDay(), c.today
	seconds := int64(ends.Sub(begins) / time.Second)
	skus, unitSeconds := map[string]figures{}, map[string]int64{}
	for _, f := range c.facts {
		if !f.at.Before(ends) {
			continue
		}
		g := skus[f.key.SKU]
		g.OnHand += f.OnHand
		since := begins
		if !f.at.Before(begins) {
			g.sold += f.sold
			since = f.at
		}
		unitSeconds[f.key.SKU] += f.OnHand * int64(ends.Sub(since)/time.Second)
		skus[f.key.SKU] = g
	}
	order, _ := bestsellers(skus, strings.Compare)
	for _, sku := range order {
		s := skus[sku]
		rows = append(rows, []string{
			sku, n(s.sold), rounded(unitSeconds[sku], seconds, 2), n(s.OnHand), rounded(s.sold*seconds, unitSeconds[sku], 2),
			rounded(s.sold, 21, 3), rounded(s.OnHand*21, s.sold, 1),
		})
	}
	return rows
}

func (c *company) ageing(asOf time.Time) (rows [][]string) {
	came := map[inventory.LevelKey][]fact{}
	for _, f := range c.facts {
		if f.OnHand > 0 {
			came[f.key] = append(came[f.key], f)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.stock), byPlace) {
		left := c.stock[k].OnHand
		if left == 0 {
			continue
		}
		slices.SortStableFunc(came[k], func(a, b fact) int { return b.at.Compare(a.at) })
		buckets, oldest := [5]int64{}, 0
		for _, f := range came[k] {
			units, age := min(left, f.OnHand), asOf.Sub(f.at)
			if units == 0 {
				break
			}
			place := 0
			for _, bound := range []int{30, 90, 180, 365} {
				if age > time.Duration(bound)*24*time.Hour {
					place++
				}
			}
			buckets[place] += units
			left, oldest = left-units, int(age/(24*time.Hour))
		}
		row := []string{k.Region, k.Location, k.SKU, n(c.stock[k].OnHand)}
		for _, units := range buckets {
			row = append(row, n(units))
		}
		rows = append(rows, append(row, n(int64(oldest))))
	}
	return rows
}

func (c *company) abc(time.Time) (rows [][]string) {
	skus := group(c.facts, func(f fact) (string, bool) { return f.key.SKU, f.sold > 0 }, sums)
	order, total := bestsellers(skus, strings.Compare)
	before := int64(0)
	for i, sku := range order {
		sold, class := skus[sku].sold, "C"
		switch {
		case before*100 < 70*total:
			class = "A"
		case before*100 < 90*total:
			class = "B"
		}
		before += sold
		rows = append(rows, []string{n(int64(i + 1)), sku, n(sold), rounded(100*sold, total, 2), rounded(100*before, total, 2), class})
	}
	return rows
}

func (c *company) adjustments(time.Time) (rows [][]string) {
	type why struct{ kind, reason string }
	groups := group(c.facts, func(f fact) (why, bool) {
		return why{f.kind, f.reason}, slices.Contains([]string{"adjust", "count", "scrap", "transfer_lose"}, f.kind)
	}, func(g *figures, f fact) {
		units := f.OnHand - f.Shortfall
		if f.kind == "transfer_lose" {
			units = f.Incoming
		}
		g.events, g.found, g.lost = g.events+1, g.found+max(units, 0), g.lost+max(-units, 0)
	})
	net := func(w why) int64 { return groups[w].found - groups[w].lost }
	order := slices.SortedFunc(maps.Keys(groups), func(a, b why) int {
		return cmp.Or(cmp.Compare(net(a), net(b)), strings.Compare(a.kind, b.kind), strings.Compare(a.reason, b.reason))
	})
	for _, w := range order {
		g := groups[w]
		rows = append(rows, []string{w.kind, w.reason, n(g.events), n(g.found), n(g.lost), n(net(w))})
	}
	return rows
}

func (c *company) reservationsExpiring(time.Time) [][]string {
	r := c.expiring.Reservation
	return [][]string{{
		stamp(*r.ExpiresAt), r.Region, uuid.UUID(r.ID.UUID).String(), r.OrderReference, r.Channel, c.key(lon, "").Region, lon, "RES", n(r.Lines[0].Quantity),
	}}
}

func (c *company) reservationConversion(time.Time) [][]string {
	made := int64(0)
	for _, count := range c.made {
		made += count
	}
	return [][]string{{
		days(c.expiring.Reservation.CreatedAt), n(made), n(c.made["held"]), n(c.made["allocated"]), n(c.made["fulfilled"]), n(c.made["released"]), n(c.made["expired"]),
		rounded(100*c.made["fulfilled"], made-c.made["held"]-c.made["allocated"], 2),
	}}
}

func (c *company) transferTimes(time.Time) [][]string {
	var sum, longest time.Duration
	for _, d := range c.hours {
		sum, longest = sum+d, max(longest, d)
	}
	hours := func(d time.Duration, of int) string { return rounded(int64(d), int64(of)*int64(time.Hour), 2) }
	return [][]string{{lon, nyc, "4", "2", hours(sum, len(c.hours)), hours(longest, 1), "28", "17", "3", "4", "4", rounded(300, 28, 2)}}
}

func (c *company) deadStock(asOf time.Time) (rows [][]string) {
	levels := group(c.facts, func(f fact) (inventory.LevelKey, bool) { return f.key, true }, sums)
	long := asOf.AddDate(0, 0, -18)
	maps.DeleteFunc(levels, func(_ inventory.LevelKey, l figures) bool {
		return l.OnHand <= 0 || !l.lastCame.Before(long) || !l.lastSold.Before(long)
	})
	order := slices.SortedFunc(maps.Keys(levels), func(a, b inventory.LevelKey) int {
		return cmp.Or(cmp.Compare(levels[b].OnHand, levels[a].OnHand), byPlace(a, b))
	})
	for _, k := range order {
		l := levels[k]
		rows = append(rows, []string{k.Region, k.Location, k.SKU, n(l.OnHand), stamp(l.lastCame), stamp(l.lastSold)})
	}
	return rows
}

func (c *company) shortfalls(time.Time) (rows [][]string) {
	var short []fact
	for _, f := range slices.Backward(c.facts) {
		if f.Shortfall > 0 {
			short = append(short, f)
		}
	}
	slices.SortStableFunc(short, func(a, b fact) int { return cmp.Or(b.at.Compare(a.at), byPlace(a.key, b.key)) })
	for _, f := range short {
		rows = append(rows, []string{
			stamp(f.at), f.key.Region, f.key.Location, f.key.SKU, f.kind, n(f.Shortfall), n(c.stock[f.key].Shortfall), f.channel, f.reference, tester.Principal.Actor(),
		})
	}
	return rows
}

func (c *company) contendedSKUs(time.Time) (rows [][]string) {
	type minute struct {
		key inventory.LevelKey
		at  time.Time
	}
	type busiest struct {
		events, most int64
		at           time.Time
	}
	levels := map[inventory.LevelKey]busiest{}
	for m, count := range group(c.facts, func(f fact) (minute, bool) { return minute{f.key, f.recorded.UTC().Truncate(time.Minute)}, true }, sums) {
		l := levels[m.key]
		if l.events += count.events; count.events > l.most || count.events == l.most && m.at.Before(l.at) {
			l.most, l.at = count.events, m.at
		}
		levels[m.key] = l
	}
	order := slices.SortedFunc(maps.Keys(levels), func(a, b inventory.LevelKey) int {
		return cmp.Or(cmp.Compare(levels[b].most, levels[a].most), cmp.Compare(levels[b].events, levels[a].events), byPlace(a, b))
	})
	for _, k := range order {
		l := levels[k]
		rows = append(rows, []string{k.Region, k.Location, k.SKU, n(l.events), stamp(l.at), n(l.most)})
	}
	return rows
}
