package regions_test

import (
	"slices"
	"strings"
	"testing"

	"stockyard/regions"
)

func TestDefaultTopology(t *testing.T) {
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	if got := topology.ForCountry("FR"); got != "europe-west1" {
		t.Errorf("France is served by %s", got)
	}
	if got := topology.ForCountry("NO"); got != "europe-west1" {
		t.Errorf("Norway (a YAML boolean when unquoted) is served by %s", got)
	}
	if got := topology.ForCountry("XX"); got != topology.Primary {
		t.Errorf("a country nobody serves goes to %s, not to the primary region", got)
	}
}

func TestBadTopologiesAreRefusedByName(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"no such primary": {"primary: a\nsurvive: zone\nregions: [{name: b}]", `primary "a"`},
		"twice":           {"primary: b\nsurvive: zone\nregions: [{name: b}, {name: b}]", "twice"},
		"bad name":        {"primary: b\nsurvive: zone\nregions: [{name: b}, {name: B_}]", `"B_"`},
		"unknown field":   {"primary: b\nsurvive: zone\nregions: [{name: b, latitud: 3}]", "latitud"},
		"shared country":  {"primary: b\nsurvive: zone\nregions: [{name: b, countries: [GB]}, {name: c, countries: [GB]}]", "GB"},
		"goal":            {"primary: b\nsurvive: everything\nregions: [{name: b}]", "everything"},
		"too few":         {"primary: b\nsurvive: region\nregions: [{name: b}, {name: c}]", "3 regions"},
		"placed twice":    {"primary: b\nsurvive: zone\nregions: [{name: b}]\ntables: {by_row: [x], global: [x]}", "table x"},
		"bad table":       {"primary: b\nsurvive: zone\nregions: [{name: b}]\ntables: {by_row: ['x\"']}", `"x\""`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := regions.Parse([]byte(c.yaml))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("want an error naming %s, got %v", c.want, err)
			}
		})
	}
}

func TestTablesThatAFileLeavesOutAreKept(t *testing.T) {
	topology, err := regions.Parse([]byte("primary: b\nsurvive: zone\nregions: [{name: b}]\ntables: {by_row: [locations]}"))
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(topology.Tables.Global, "locations") || !slices.Contains(topology.Tables.Global, "products") || !slices.Contains(topology.Tables.ByRow, "stock_levels") {
		t.Errorf("got %+v", topology.Tables)
	}
}
