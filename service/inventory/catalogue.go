package inventory

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Stamp is what every catalogue entry carries. Version is its ETag.
type Stamp struct {
	Version    int64      `json:"version"`
	ArchivedAt *time.Time `json:"archived_at,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// Product is what is stocked.
type Product struct {
	SKU         string `json:"sku"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Unit        string `json:"unit,omitempty"`
	Barcode     string `json:"barcode,omitempty"`
	Category    string `json:"category,omitempty"`
	UnitCost    *Money `json:"unit_cost,omitempty"`
	// Attributes are the caller's own; values are any JSON.
	Attributes map[string]any `json:"attributes,omitempty"`
	Stamp
}

// Check names every invalid field.
func (p *Product) Check() []FieldError {
	var w wrongs
	w.add("sku", CheckSKU(p.SKU))
	w.name("name", p.Name)
	w.add("description", CheckText(p.Description, 4000))
	w.add("unit", CheckText(p.Unit, 32))
	w.add("barcode", CheckText(p.Barcode, 64))
	w.add("category", CheckText(p.Category, 255))
	w.list = append(w.list, p.UnitCost.Check("unit_cost")...)
	if len(p.Attributes) > 100 {
		w.add("attributes", "has more than 100 entries")
	}
	for k, v := range p.Attributes {
		w.name("attributes", k)
		w.add("attributes."+k, checkJSON(v, maxNesting))
	}
	return w.list
}

// maxNesting bounds how deep an attribute may go: attributes are merged, stored and searched level
// by level.
const maxNesting = 62

// checkJSON looks for what no database stores in a JSON value: odd text, numbers that JSON doesn't
// have, depth without end.
func checkJSON(v any, levels int) string {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "must be a finite number"
		}
	case string:
		return CheckText(v, 4000)
	case []any:
		if levels == 0 {
			return fmt.Sprintf("is nested deeper than %d levels", maxNesting)
		}
		for _, item := range v {
			if wrong := checkJSON(item, levels-1); wrong != "" {
				return wrong
			}
		}
	case map[string]any:
		if levels == 0 {
			return fmt.Sprintf("is nested deeper than %d levels", maxNesting)
		}
		for key, item := range v {
			if wrong := cmp.Or(CheckText(key, 255), checkJSON(item, levels-1)); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

// Location is a place that has stock.
type Location struct {
	Name      string   `json:"location"`
	Title     string   `json:"name"`
	Region    string   `json:"region"`
	Kind      string   `json:"kind"`
	Country   string   `json:"country"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
	Priority  int64    `json:"priority"` // lower is asked first when sourcing
	Stamp
}

// CheckCountry says what is wrong with an ISO 3166-1 alpha-2 code, "" if nothing.
func CheckCountry(code string) string {
	if !country.MatchString(code) {
		return `must be two capital letters of ISO 3166-1, such as "GB"`
	}
	return ""
}

// Check names every invalid field. Whether the region exists is for the caller to see.
func (l *Location) Check() []FieldError {
	var w wrongs
	w.add("location", CheckIdentifier(l.Name))
	w.name("name", l.Title)
	if l.Region == "" {
		w.add("region", "is required")
	}
	w.list = append(w.list, oneOf("kind", l.Kind, "warehouse", "store", "third_party", "virtual")...)
	w.add("country", CheckCountry(l.Country))
	if (l.Latitude == nil) != (l.Longitude == nil) {
		w.add("latitude", "and longitude are given together or not at all")
	}
	w.degrees("latitude", l.Latitude, 90)
	w.degrees("longitude", l.Longitude, 180)
	if l.Priority < 0 || l.Priority > math.MaxInt32 {
		w.add("priority", "must be from 0 to 2147483647")
	}
	return w.list
}

// Channel is a way to sell.
type Channel struct {
	Name  string `json:"channel"`
	Title string `json:"name"`
	Kind  string `json:"kind"`
	// Locations are those the channel may promise from; none means all.
	Locations []string `json:"locations,omitempty"`
	// SafetyStock is kept back at each stock level from reservations of this channel.
	SafetyStock int64 `json:"safety_stock"`
	Stamp
}

// Check names every invalid field.
func (c *Channel) Check() []FieldError {
	var w wrongs
	w.add("channel", CheckIdentifier(c.Name))
	w.name("name", c.Title)
	w.list = append(w.list, oneOf("kind", c.Kind, "pos", "web", "marketplace", "wholesale")...)
	if len(c.Locations) > 1000 {
		w.add("locations", "names more than 1000")
	}
	for i, l := range c.Locations {
		w.add("locations["+strconv.Itoa(i)+"]", CheckIdentifier(l))
	}
	if c.SafetyStock < 0 {
		w.add("safety_stock", "must be at least 0")
	}
	return w.list
}

type wrongs struct{ list []FieldError }

func (w *wrongs) add(field, message string) {
	if message != "" {
		w.list = append(w.list, FieldError{field, message})
	}
}

func (w *wrongs) name(field, value string) {
	if value == "" {
		w.add(field, "is required")
		return
	}
	w.add(field, CheckText(value, 255))
}

func (w *wrongs) degrees(field string, v *float64, most float64) {
	if v != nil && !(math.Abs(*v) <= most) {
		w.add(field, "must be degrees, at most "+strconv.FormatFloat(most, 'f', -1, 64)+" from zero")
	}
}
