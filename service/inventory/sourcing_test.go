package inventory_test

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// sourcing is a drawn order, small enough to try everything.
type sourcing struct {
	by      inventory.Strategy
	wants   []inventory.Want
	sites   []inventory.Site
	stock   map[inventory.LevelKey]int64
	partial bool
}

func drawSourcing(t *rapid.T, by inventory.Strategy) sourcing {
	s := sourcing{by: by, partial: rapid.Bool().Draw(t, "partial"), stock: map[inventory.LevelKey]int64{}}
	skus := []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "skus")]
	for i := range rapid.IntRange(0, 6).Draw(t, "sites") {
		site := inventory.Site{
			Location: string(rune('p' + i)), Region: rapid.SampledFrom([]string{"eu", "us"}).Draw(t, "region"),
			Priority: rapid.IntRange(0, 2).Draw(t, "priority"), Distance: float64(rapid.IntRange(0, 2).Draw(t, "distance")),
		}
		s.sites = append(s.sites, site)
		for _, sku := range skus {
			s.stock[at(site, sku)] = rapid.Int64Range(-1, 6).Draw(t, "stock")
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
		s.wants = append(s.wants, inventory.Want{Line: i * 2, SKU: rapid.SampledFrom(skus).Draw(t, "sku"), Quantity: rapid.Int64Range(1, 9).Draw(t, "quantity")})
	}
	return s
}

func (s sourcing) free(site inventory.Site, sku string) int64 { return s.stock[at(site, sku)] }

// ranked are the sites in the order in which they are asked. The one for fewest splits depends on
// the whole order; what can be said of it is that sites it doesn't use are not asked.
func (s sourcing) ranked(used map[string]bool) []inventory.Site {
	sites := slices.Clone(s.sites)
	if s.by == "fewest_splits" {
		return slices.DeleteFunc(sites, func(site inventory.Site) bool { return !used[site.Location] })
	}
	slices.SortFunc(sites, func(a, b inventory.Site) int {
		byRank := cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Location, b.Location))
		if s.by == "nearest" {
			return cmp.Or(cmp.Compare(a.Distance, b.Distance), byRank)
		}
		return byRank
	})
	return sites
}

// fewest is the smallest number of sites that have all of the order together, by trying all sets;
// 0 where not even all of them do.
func (s sourcing) fewest() int {
	wants, best := map[string]int64{}, 0
	for _, w := range s.wants {
		wants[w.SKU] += w.Quantity
	}
	for set := range 1 << len(s.sites) {
		enough := true
		for sku, want := range wants {
			for i, site := range s.sites {
				if set>>i&1 == 1 {
					want -= max(s.free(site, sku), 0)
				}
			}
			enough = enough && want <= 0
		}
		if size := bits.OnesCount(uint(set)); enough && (best == 0 || size < best) {
			best = size
		}
	}
	return best
}

func TestSourcingPromisesNothingWhereItIsNotAndSplitsNoMoreThanItMust(t *testing.T) {
	for _, by := range inventory.Strategies() {
		t.Run(string(by), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkSourcing(t, drawSourcing(t, by)) })
		})
	}
}

func checkSourcing(t *rapid.T, s sourcing) {
	placements, shortages := inventory.Source(s.by, s.wants, s.sites, s.free, s.partial)
	used, parts := map[string]bool{}, map[int][]inventory.Placement{}
	for _, p := range placements {
		used[p.Level.Location] = true
		parts[p.Line] = append(parts[p.Line], p)
	}
	short := map[int]inventory.Shortage{}
	for _, m := range shortages {
		short[m.Line-1] = m
	}
	if fewest := s.fewest(); (fewest > 0) != (len(shortages) == 0) {
		t.Fatalf("%d sites would do, yet short are %+v", fewest, shortages)
	} else if s.by == "fewest_splits" && fewest > 0 && len(used) > fewest {
		t.Fatalf("uses %d sites, %d would do: %+v", len(used), fewest, placements)
	}
	left, ranked := s.stock, s.ranked(used)
	for _, w := range s.wants {
		checkLine(t, s, w, parts[w.Line], short[w.Line], ranked, left)
	}
}

// checkLine follows one line, in the order of the command.
func checkLine(t *rapid.T, s sourcing, w inventory.Want, parts []inventory.Placement, short inventory.Shortage, ranked []inventory.Site, left map[inventory.LevelKey]int64) {
	t.Helper()
	var got, had int64
	for _, site := range s.sites {
		had += max(left[at(site, w.SKU)], 0)
	}
	whole := slices.IndexFunc(ranked, func(site inventory.Site) bool { return left[at(site, w.SKU)] >= w.Quantity })
	if whole >= 0 && (len(parts) != 1 || s.by != "fewest_splits" && parts[0].Level != at(ranked[whole], w.SKU)) {
		t.Fatalf("%s has all of %+v, yet it is placed %+v", ranked[whole].Location, w, parts)
	}
	for i, p := range parts {
		if p.Level.SKU != w.SKU || p.Quantity < 1 || p.Quantity > left[p.Level] {
			t.Fatalf("%+v promised where there are %d", p, left[p.Level])
		}
		if i < len(parts)-1 && p.Quantity != left[p.Level] {
			t.Fatalf("%+v is split further than it must be: %+v", w, parts)
		}
		got += p.Quantity
		left[p.Level] -= p.Quantity
	}
	want := min(w.Quantity, had)
	if !s.partial && want < w.Quantity {
		want = 0
	}
	if got != want {
		t.Fatalf("%+v got %d of %d", w, got, had)
	}
	if had < w.Quantity && (short.SKU != w.SKU || short.Requested != w.Quantity || short.Available != had || short.Location != "") || had >= w.Quantity && short.Line != 0 {
		t.Fatalf("%+v of %d: the shortage is %+v", w, had, short)
	}
}

// placed sources units of one SKU from sites that each have so many.
func placed(by inventory.Strategy, quantity int64, sites []inventory.Site, has ...int64) []string {
	stock := map[string]int64{}
	for i, s := range sites {
		stock[s.Location] = has[i]
	}
	placements, _ := inventory.Source(by, []inventory.Want{{SKU: "tea", Quantity: quantity}}, sites,
		func(s inventory.Site, _ string) int64 { return stock[s.Location] }, false)
	var names []string
	for _, p := range placements {
		names = append(names, p.Level.Location+":"+strconv.FormatInt(p.Quantity, 10))
	}
	return names
}

func TestStrategies(t *testing.T) {
	twins := []inventory.Site{{Location: "z", Distance: 1}, {Location: "b", Priority: 1, Distance: 1}, {Location: "a", Priority: 1, Distance: 1}}
	for name, c := range map[string]struct {
		by       inventory.Strategy
		quantity int64
		sites    []inventory.Site
		has      []int64
		want     []string
	}{
		"lowest priority first":               {"priority", 5, sites, []int64{9, 9, 9}, []string{"paris:5"}},
		"the default is priority":             {"", 5, sites, []int64{9, 9, 9}, []string{"paris:5"}},
		"nearest first":                       {"nearest", 5, sites, []int64{9, 9, 9}, []string{"boston:5"}},
		"whole from the second, not in parts": {"nearest", 5, sites, []int64{5, 9, 4}, []string{"london:5"}},
		"in parts, nearest first":             {"nearest", 9, sites, []int64{4, 4, 4}, []string{"boston:4", "london:4", "paris:1"}},
		"in parts, by priority":               {"priority", 9, sites, []int64{4, 4, 4}, []string{"paris:4", "london:4", "boston:1"}},
		"ties by priority, then name":         {"nearest", 9, twins, []int64{1, 4, 4}, []string{"z:1", "a:4", "b:4"}},
		"two sites instead of three":          {"fewest_splits", 9, sites, []int64{4, 2, 8}, []string{"boston:8", "paris:1"}},
		"one site instead of two":             {"fewest_splits", 5, sites, []int64{3, 3, 5}, []string{"boston:5"}},
		"no site at all":                      {"nearest", 1, nil, nil, nil},
	} {
		if got := placed(c.by, c.quantity, c.sites, c.has...); !slices.Equal(got, c.want) {
			t.Errorf("%s: placed %v, want %v", name, got, c.want)
		}
	}
}

// The site that has most of an order is not always one of the fewest.
func TestFewestSplitsLooksBeyondTheFullestSite(t *testing.T) {
	stock := map[inventory.LevelKey]int64{
		at(london, "tea"): 4, at(london, "pot"): 4, at(paris, "tea"): 5, at(paris, "pot"): 1, at(boston, "tea"): 1, at(boston, "pot"): 5,
	}
	wants := []inventory.Want{{Line: 0, SKU: "tea", Quantity: 6}, {Line: 1, SKU: "pot", Quantity: 6}}
	placements, _ := inventory.Source("fewest_splits", wants, sites, func(s inventory.Site, sku string) int64 { return stock[at(s, sku)] }, false)
	want := []inventory.Placement{
		{Line: 0, Level: at(paris, "tea"), Quantity: 5},
		{Line: 0, Level: at(boston, "tea"), Quantity: 1},
		{Line: 1, Level: at(paris, "pot"), Quantity: 1},
		{Line: 1, Level: at(boston, "pot"), Quantity: 5},
	}
	if !slices.Equal(placements, want) {
		t.Errorf("placed %+v, want two sites", placements)
	}
}

// Where there are too many sets of sites to try, the order is served all the same.
func TestFewestSplitsOfALargeOrder(t *testing.T) {
	var many []inventory.Site
	var wants []inventory.Want
	for i := range 60 {
		many = append(many, inventory.Site{Location: "l" + strconv.Itoa(i), Region: "eu"})
		wants = append(wants, inventory.Want{Line: i, SKU: "s" + strconv.Itoa(i), Quantity: 12})
	}
	placements, shortages := inventory.Source("fewest_splits", wants, many, func(s inventory.Site, sku string) int64 {
		return int64(len(s.Location)+len(sku)) - 3 // 1 to 3
	}, false)
	var sum int64
	for _, p := range placements {
		sum += p.Quantity
	}
	if len(shortages) > 0 || sum != 60*12 {
		t.Errorf("placed %d, short of %+v", sum, shortages)
	}
}

func TestWantsThatSumUpBeyondInt64(t *testing.T) {
	for _, by := range inventory.Strategies() {
		placements, shortages := inventory.Source(by, []inventory.Want{{0, "tea", most}, {1, "tea", most}}, sites,
			func(inventory.Site, string) int64 { return 4 }, true)
		if len(placements) != 3 || len(shortages) != 2 || shortages[0].Available != 12 || shortages[1].Available != 0 {
			t.Errorf("%s: placed %+v, short of %+v", by, placements, shortages)
		}
	}
}

func TestKilometres(t *testing.T) {
	for name, c := range map[string]struct{ lat1, lon1, lat2, lon2, want float64 }{
		"nowhere":              {51.5, -0.1, 51.5, -0.1, 0},
		"London to New York":   {51.5074, -0.1278, 40.7128, -74.0060, 5570},
		"over the date line":   {0, 179, 0, -179, 222.4},
		"half round the world": {0, 0, 0, 180, 20015},
		"pole to pole":         {90, 0, -90, 77, 20015},
		"antipodes off axis":   {35.3, 25.1, -35.3, -154.9, 20015},
	} {
		got := inventory.Kilometres(c.lat1, c.lon1, c.lat2, c.lon2)
		if math.IsNaN(got) || math.Abs(got-c.want) > 0.006*c.want {
			t.Errorf("%s: %f km, want %f", name, got, c.want)
		}
		if back := inventory.Kilometres(c.lat2, c.lon2, c.lat1, c.lon1); math.Abs(back-got) > 1e-6 {
			t.Errorf("%s: %f km there, %f back", name, got, back)
		}
	}
}
