// Package regions is the typed reader of topology.yaml: which regions Stockyard runs in, and
// which of them is home to a country or a point on the map.
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
	Latitude  float64  `yaml:"latitude"`
	Longitude float64  `yaml:"longitude"`
	Countries []string `yaml:"countries"` // ISO 3166-1 alpha-2, upper case
}

// Topology says which regions exist. Regions keep the order of the file.
type Topology struct {
	Primary string   `yaml:"primary"`
	Survive string   `yaml:"survive"`
	Regions []Region `yaml:"regions"`
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
// move rows to the wrong continent.
func Parse(raw []byte) (*Topology, error) {
	var t Topology
	if err := yaml.UnmarshalWithOptions(raw, &t, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	return &t, nil
}

// A region's name becomes part of every id made there, and the value of an enum in the database.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

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
	if t.Survive != "zone" && t.Survive != "region" {
		errs = append(errs, fmt.Errorf("survive %q: want zone or region", t.Survive))
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
