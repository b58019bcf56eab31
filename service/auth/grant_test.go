package auth_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/auth"
)

func TestGrantsAreRead(t *testing.T) {
	for text, want := range map[string]auth.Grant{
		"admin":                                {Role: auth.Admin},
		"warehouse@region:europe-west1":        {Role: auth.Warehouse, Regions: []string{"europe-west1"}},
		"pos@location:new-york":                {Role: auth.POS, Locations: []string{"new-york"}},
		"viewer@region:a,location:b,region:c":  {Role: auth.Viewer, Regions: []string{"a", "c"}, Locations: []string{"b"}},
		"planner@location:A.b_c-9,location:a1": {Role: auth.Planner, Locations: []string{"A.b_c-9", "a1"}},
	} {
		if got, err := auth.ParseGrant(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestWhatIsNoGrantIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   `"" is no role`,
		"cook":                               `"cook" is no role; the roles are viewer, pos, warehouse, planner, integrator, admin`,
		"Admin":                              `"Admin" is no role`,
		"admin ":                             `is no role`,
		"admin@":                             "lacks a place",
		"pos@location:a,":                    "lacks a place",
		"pos@new-york":                       `"new-york" is no place; want region:NAME or location:NAME`,
		"pos@shop:a":                         `"shop:a" is no place`,
		"pos@region:":                        `"" is no name of a region`,
		"pos@location:a b":                   `"a b" is no name of a location`,
		"pos@location:a@b":                   "is no name of a location",
		"pos@location:a,region:b,region:b":   "names region:b twice",
		"pos@location:" + long("a", 65):      "is no name of a location",
		long("x", 100_000):                   "is no role",
		"pos@" + long("location:a,", 11*300): "names more than 100 places",
	} {
		g, err := auth.ParseGrant(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q gives %v, %v; want an error with %q", text, g, err, want)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%.60q gives an error of %d characters", text, len(err.Error()))
		}
	}
}

func long(s string, n int) string { return strings.Repeat(s, n/len(s)) }

func anyGrant() *rapid.Generator[auth.Grant] {
	return rapid.Custom(func(t *rapid.T) auth.Grant {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`), 0, 5, rapid.ID[string])
		g := auth.Grant{Role: rapid.SampledFrom(auth.Roles()).Draw(t, "role")}
		if regions := names.Draw(t, "regions"); len(regions) > 0 {
			g.Regions = regions
		}
		if locations := names.Draw(t, "locations"); len(locations) > 0 {
			g.Locations = locations
		}
		return g
	})
}

func TestGrantsComeBackFromTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := anyGrant().Draw(t, "grant")
		if again, err := auth.ParseGrant(g.String()); err != nil || !reflect.DeepEqual(again, g) {
			t.Fatalf("%+v is written %s and read %+v, %v", g, g, again, err)
		}
		raw, err := json.Marshal([]auth.Grant{g})
		if err != nil || string(raw) != `["`+g.String()+`"]` {
			t.Fatalf("%s is %s in JSON, %v", g, raw, err)
		}
		var back []auth.Grant
		if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back[0], g) {
			t.Fatalf("%s is read as %+v, %v", raw, back, err)
		}
	})
}

// What is read is written so that it is read the same again, and never holds more than one reads.
func FuzzParseGrant(f *testing.F) {
	for _, seed := range []string{"admin", "warehouse@region:europe-west1", "pos@region:a,location:b", "viewer@", "x@y:z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := auth.ParseGrant(text)
		if err != nil {
			return
		}
		if g.Bound() != strings.Contains(text, "@") {
			t.Fatalf("%q is read as %+v", text, g)
		}
		if again, err := auth.ParseGrant(g.String()); err != nil || !reflect.DeepEqual(again, g) {
			t.Fatalf("%q is read as %+v, and that as %+v, %v", text, g, again, err)
		}
	})
}
