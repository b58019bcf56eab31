// Package regions is the typed reader of topology.yaml: which regions Stockyard runs in, which of
// them is home to a country or a point on the map, and what it takes to bring a database there.
package regions

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
)

//go:embed topology.yaml
var embedded []byte

// Region is one region of the topology.
type Region struct {
	Name      string   `yaml:"name"`
	Zones     []string `yaml:"zones"` // where its nodes and pods are; may be empty
	Latitude  float64  `yaml:"latitude"`
	Longitude float64  `yaml:"longitude"`
	Countries []string `yaml:"countries"` // ISO 3166-1 alpha-2, upper case
}

// Topology says which regions exist. Regions keep the order of the file.
type Topology struct {
	Primary string   `yaml:"primary"`
	Survive Goal     `yaml:"survive"`
	Regions []Region `yaml:"regions"`
	Tables  Tables   `yaml:"tables"`
}

// Goal is what the database goes on writing after the loss of.
type Goal string

// The goals. SurviveRegion takes three regions.
const (
	SurviveZone   Goal = "zone"
	SurviveRegion Goal = "region"
)

// Tables says where each table's rows are.
type Tables struct {
	ByRow  []string `yaml:"by_row"`
	Global []string `yaml:"global"`
}

// Default is the topology embedded in the binary.
func Default() (*Topology, error) { return Parse(embedded) }

// Load reads a topology from a file, or the embedded one where path is empty.
func Load(path string) (*Topology, error) {
	if path == "" {
		return Default()
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	return Parse(raw)
}

// Parse reads and checks a topology. Unknown fields are errors: a misspelt one would silently
// move rows to the wrong continent. Tables that it doesn't name are where the embedded one has them.
func Parse(raw []byte) (*Topology, error) {
	var t, own Topology
	if err := yaml.UnmarshalWithOptions(raw, &t, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(embedded, &own, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	t.Tables.inherit(own.Tables)
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	return &t, nil
}

func (t *Tables) inherit(from Tables) {
	named := slices.Concat(t.ByRow, t.Global)
	unnamed := func(tables []string) []string {
		return slices.DeleteFunc(slices.Clone(tables), func(table string) bool { return slices.Contains(named, table) })
	}
	t.ByRow = append(t.ByRow, unnamed(from.ByRow)...)
	t.Global = append(t.Global, unnamed(from.Global)...)
}

// A region's name becomes part of every id made there, and the value of an enum in the database.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

var tablePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// quorum is how many regions it takes to survive the loss of one.
const quorum = 3

func (t *Topology) validate() error {
	var errs []error
	seen := map[string]bool{}
	owner := map[string]string{}
	for _, r := range t.Regions {
		if !namePattern.MatchString(r.Name) {
			errs = append(errs, fmt.Errorf("region name %q: want a lower-case letter, then up to 39 letters, digits or '-'", r.Name))
		}
		if seen[r.Name] {
			errs = append(errs, fmt.Errorf("region %q is there twice", r.Name))
		}
		seen[r.Name] = true
		if math.Abs(r.Latitude) > 90 || math.Abs(r.Longitude) > 180 {
			errs = append(errs, fmt.Errorf("region %q: latitude and longitude are degrees, within 90 and 180", r.Name))
		}
		for _, c := range r.Countries {
			if other, taken := owner[c]; taken {
				errs = append(errs, fmt.Errorf("country %s is served by %s and by %s", c, other, r.Name))
			}
			owner[c] = r.Name
		}
	}
	if !seen[t.Primary] {
		errs = append(errs, fmt.Errorf("primary %q is not among the regions", t.Primary))
	}
	switch {
	case t.Survive != SurviveZone && t.Survive != SurviveRegion:
		errs = append(errs, fmt.Errorf("survive %q: want zone or region", t.Survive))
	case t.Survive == SurviveRegion && len(t.Regions) < quorum:
		errs = append(errs, fmt.Errorf("survive region: that takes %d regions, and there are %d", quorum, len(t.Regions)))
	}
	placed := map[string]bool{}
	for _, table := range slices.Concat(t.Tables.ByRow, t.Tables.Global) {
		if !tablePattern.MatchString(table) {
			errs = append(errs, fmt.Errorf("table name %q: want a lower-case letter, then up to 62 letters, digits or '_'", table))
		}
		if placed[table] {
			errs = append(errs, fmt.Errorf("table %s is placed twice", table))
		}
		placed[table] = true
	}
	return errors.Join(errs...)
}

// Names lists the regions in the order of the file.
func (t *Topology) Names() []string {
	names := make([]string, len(t.Regions))
	for i, r := range t.Regions {
		names[i] = r.Name
	}
	return names
}

// Has says whether the region exists.
func (t *Topology) Has(name string) bool {
	return slices.ContainsFunc(t.Regions, func(r Region) bool { return r.Name == name })
}

// Get gives a region by name.
func (t *Topology) Get(name string) (Region, bool) {
	i := slices.IndexFunc(t.Regions, func(r Region) bool { return r.Name == name })
	if i < 0 {
		return Region{}, false
	}
	return t.Regions[i], true
}

// ForCountry gives the region that serves a country, the primary one where none is named for it.
func (t *Topology) ForCountry(country string) string {
	for _, r := range t.Regions {
		if slices.Contains(r.Countries, country) {
			return r.Name
		}
	}
	return t.Primary
}
