package regions_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stockyard/regions"
)

func topologyOf(primary string, goal regions.Goal, names ...string) *regions.Topology {
	t := &regions.Topology{Primary: primary, Survive: goal, Tables: regions.Tables{ByRow: []string{"stock"}, Global: []string{"products"}}}
	for _, name := range names {
		t.Regions = append(t.Regions, regions.Region{Name: name})
	}
	return t
}

// told is a step in a few words.
func told(s regions.Step) string {
	switch s.Kind {
	case regions.AddRegion:
		return "add " + s.Region
	case regions.SetPrimary:
		return "primary " + s.Region
	case regions.SetGoal:
		return "survive " + string(s.Goal)
	case regions.SetLocality:
		return s.Table + " " + string(s.Locality)
	default:
		return "drop " + s.Region
	}
}

func tellAll(steps []regions.Step) string {
	all := make([]string, len(steps))
	for i, s := range steps {
		all[i] = told(s)
	}
	return strings.Join(all, "; ")
}

func TestWhatADatabaseTakes(t *testing.T) {
	settled := map[string]regions.Locality{"stock": regions.ByRow, "products": regions.Global, "other": regions.Elsewhere}
	abc := []string{"a", "b", "c"}
	for name, c := range map[string]struct {
		have regions.State
		want *regions.Topology
		plan string
	}{
		"an empty database": {
			regions.State{Partitionable: true, Cluster: abc},
			topologyOf("b", "region", abc...), "primary b; add a; add c; survive region",
		},
		"tables that have just been made": {
			regions.State{Partitionable: true, Primary: "b", Survive: "zone", Regions: abc, Cluster: abc, Tables: map[string]regions.Locality{"stock": regions.Elsewhere, "products": regions.Elsewhere}},
			topologyOf("b", "zone", abc...), "products global; stock by row",
		},
		"nothing to do": {
			regions.State{Partitionable: true, Primary: "b", Survive: "zone", Regions: abc, Cluster: abc, Tables: settled},
			topologyOf("b", "zone", abc...), "",
		},
		"one more region": {
			regions.State{Partitionable: true, Primary: "a", Survive: "zone", Regions: []string{"a", "b"}, Cluster: abc, Tables: settled},
			topologyOf("a", "zone", abc...), "add c",
		},
		"another primary region": {
			regions.State{Partitionable: true, Primary: "a", Survive: "zone", Regions: []string{"a"}, Cluster: abc, Tables: settled},
			topologyOf("c", "zone", "a", "c"), "add c; primary c",
		},
		"one region less, and another goal": {
			regions.State{Partitionable: true, Primary: "a", Survive: "region", Regions: abc, Cluster: abc, Tables: settled},
			topologyOf("b", "zone", "b", "c"), "primary b; survive zone; drop a",
		},
		"a region whose nodes are down stays": {
			regions.State{Partitionable: true, Primary: "a", Survive: "zone", Regions: abc, Cluster: []string{"a"}, Tables: settled},
			topologyOf("a", "zone", abc...), "",
		},
		"PostgreSQL": {regions.State{}, topologyOf("a", "zone", "a"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			plan := regions.Decide(c.have, c.want, false)
			if len(plan.Refusals) > 0 || tellAll(plan.Steps) != c.plan {
				t.Errorf("want %q, got %q, %v", c.plan, tellAll(plan.Steps), plan.Refusals)
			}
		})
	}
}

func TestWhatADatabaseIsRefused(t *testing.T) {
	rows := []regions.Rows{{"c", "stock", "region", 17}, {"c", "events", "region", 4}, {"c", "seals", "region", 0}}
	for name, c := range map[string]struct {
		have          regions.State
		unpartitioned bool
		says          []string
	}{
		"rows live there":                {regions.State{Partitionable: true, Primary: "a", Survive: "zone", Regions: []string{"a", "c"}, Cluster: []string{"a", "c"}, Rows: rows}, false, []string{"region c", "17 in stock", "4 in events"}},
		"rows live there, unpartitioned": {regions.State{Partitionable: true, StandIn: true, Regions: []string{"a", "c"}, Rows: rows}, true, []string{"17 in stock"}},
		"rows live there, PostgreSQL":    {regions.State{StandIn: true, Regions: []string{"a", "c"}, Rows: rows}, false, []string{"17 in stock"}},
		"no node":                        {regions.State{Partitionable: true, Cluster: []string{"b"}}, false, []string{"region a", "--locality=region=a", "are in b", "--unpartitioned"}},
		"nodes that don't say":           {regions.State{Partitionable: true}, false, []string{"are in no region"}},
		"made without":                   {regions.State{Partitionable: true, StandIn: true, Regions: []string{"a"}, Cluster: []string{"a"}}, false, []string{"without regions", "--unpartitioned"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := regions.Decide(c.have, topologyOf("a", "zone", "a"), c.unpartitioned)
			if len(plan.Refusals) != 1 || len(plan.Steps) != 0 {
				t.Fatalf("want one refusal and no step, got %v and %q", plan.Refusals, tellAll(plan.Steps))
			}
			for _, part := range c.says {
				if text := plan.Refusals[0].String(); !strings.Contains(text, part) {
					t.Errorf("%q is missing in: %s", part, text)
				}
			}
			if text := plan.Refusals[0].String(); strings.Contains(text, "seals") {
				t.Errorf("a table without rows is named: %s", text)
			}
		})
	}
}

// do is what CockroachDB does and refuses to do.
func do(db *regions.State, s regions.Step) error {
	switch s.Kind {
	case regions.AddRegion:
		if db.Primary == "" || slices.Contains(db.Regions, s.Region) || !slices.Contains(db.Cluster, s.Region) {
			return fmt.Errorf("%s: no primary region, there already, or no node", told(s))
		}
		db.Regions = append(db.Regions, s.Region)
	case regions.SetPrimary:
		if db.Primary == "" {
			if !slices.Contains(db.Cluster, s.Region) {
				return fmt.Errorf("%s: no node", told(s))
			}
			db.Regions, db.Survive = []string{s.Region}, regions.SurviveZone
			for table := range db.Tables {
				db.Tables[table] = regions.Elsewhere
			}
		}
		if !slices.Contains(db.Regions, s.Region) {
			return fmt.Errorf("%s: not a region of the database", told(s))
		}
		db.Primary = s.Region
	case regions.SetGoal:
		if s.Goal == regions.SurviveRegion && len(db.Regions) < 3 {
			return fmt.Errorf("%s: only %d regions", told(s), len(db.Regions))
		}
		db.Survive = s.Goal
	case regions.SetLocality:
		if _, exists := db.Tables[s.Table]; !exists || db.Primary == "" {
			return fmt.Errorf("%s: no such table or no regions", told(s))
		}
		db.Tables[s.Table] = s.Locality
	case regions.DropRegion:
		if s.Region == db.Primary || db.Survive == regions.SurviveRegion && len(db.Regions) <= 3 {
			return fmt.Errorf("%s: primary, or too few are left", told(s))
		}
		db.Regions = slices.DeleteFunc(slices.Clone(db.Regions), func(r string) bool { return r == s.Region })
	}
	return nil
}

// Whatever a database has, the steps are ones that it takes, in that order; they end where the
// topology wants it; and one that stopped half-way goes on from there.
func TestStepsLeadToTheTopology(t *testing.T) {
	all := []string{"a", "b", "c", "d", "e"}
	some := rapid.Custom(func(t *rapid.T) []string {
		names := rapid.Permutation(all).Draw(t, "names")
		return names[:rapid.IntRange(1, len(names)).Draw(t, "n")]
	})
	goal := func(t *rapid.T, names []string) regions.Goal {
		if len(names) < 3 {
			return regions.SurviveZone
		}
		return rapid.SampledFrom([]regions.Goal{regions.SurviveZone, regions.SurviveRegion}).Draw(t, "goal")
	}
	rapid.Check(t, func(t *rapid.T) {
		names := some.Draw(t, "wanted")
		want := topologyOf(rapid.SampledFrom(names).Draw(t, "primary"), goal(t, names), names...)
		db := regions.State{Partitionable: true, Cluster: all, Tables: map[string]regions.Locality{}}
		for _, table := range []string{"stock", "products", "other"} {
			if rapid.Bool().Draw(t, table) {
				db.Tables[table] = rapid.SampledFrom([]regions.Locality{regions.ByRow, regions.Global, regions.Elsewhere}).Draw(t, "locality")
			}
		}
		if rapid.Bool().Draw(t, "has regions") {
			db.Regions = some.Draw(t, "there")
			db.Primary, db.Survive = rapid.SampledFrom(db.Regions).Draw(t, "old primary"), goal(t, db.Regions)
		}
		for range 10 {
			plan := regions.Decide(db, want, false)
			if len(plan.Refusals) > 0 {
				t.Fatalf("refused: %v", plan.Refusals)
			}
			for i, s := range plan.Steps {
				if i > 0 && rapid.IntRange(0, 5).Draw(t, "stop") == 0 {
					break
				}
				if err := do(&db, s); err != nil {
					t.Fatalf("step %d of %q: %v", i+1, tellAll(plan.Steps), err)
				}
			}
		}
		for _, s := range regions.Decide(db, want, false).Steps {
			if err := do(&db, s); err != nil {
				t.Fatal(err)
			}
		}
		if plan := regions.Decide(db, want, false); len(plan.Steps) != 0 {
			t.Fatalf("done, and there is still to do: %q", tellAll(plan.Steps))
		}
		slices.Sort(names)
		slices.Sort(db.Regions)
		if db.Primary != want.Primary || db.Survive != want.Survive || !slices.Equal(db.Regions, names) {
			t.Fatalf("ended at %+v, not at %+v", db, want)
		}
		for table, there := range map[string]regions.Locality{"stock": regions.ByRow, "products": regions.Global} {
			if is, exists := db.Tables[table]; exists && is != there {
				t.Fatalf("%s ended %s", table, is)
			}
		}
	})
}

// A region is dropped exactly where no row names it.
func TestNoRowLosesItsRegion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		there := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 4, rapid.ID[string]).Draw(t, "there")
		kept := rapid.SampledFrom(there).Draw(t, "kept")
		db := regions.State{Partitionable: true, Primary: kept, Survive: regions.SurviveZone, Regions: there, Cluster: there}
		inhabited := map[string]bool{}
		for _, r := range there {
			n := rapid.Int64Range(0, 2).Draw(t, "rows")
			db.Rows = append(db.Rows, regions.Rows{Region: r, Table: "stock", Column: "region", Count: n})
			inhabited[r] = n > 0
		}
		plan := regions.Decide(db, topologyOf(kept, regions.SurviveZone, kept), false)
		gone := map[string]bool{}
		for _, s := range plan.Steps {
			if s.Kind == regions.DropRegion {
				gone[s.Region] = true
			}
		}
		refused := map[string]bool{}
		for _, r := range plan.Refusals {
			refused[r.Region] = true
		}
		delete(inhabited, kept)
		maps.DeleteFunc(inhabited, func(_ string, rows bool) bool { return !rows })
		if !maps.Equal(refused, inhabited) {
			t.Fatalf("rows live in %v, refused are %v", inhabited, refused)
		}
		if want := len(there) - 1; len(refused) == 0 && len(gone) != want || len(refused) > 0 && len(plan.Steps) > 0 {
			t.Fatalf("%d regions are to go, dropped are %v, refused %v", want, gone, refused)
		}
	})
}
