package httpapi

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"stockyard/service/inventory"
)

// mergePatch reads a JSON merge patch (RFC 7396) and gives what applies it to an entry: the entry
// becomes its writable form, the patch is merged into that, and the result is read as strictly as a
// PUT's body, so that a field that doesn't exist or can't change is named.
func mergePatch[Entry, Body any](r *request, bodyOf func(Entry) Body, apply func(Entry, Body) Entry) (func(Entry) (Entry, error), error) {
	raw, err := r.read()
	if err != nil {
		return nil, err
	}
	// By itself the patch is read as strictly as a PUT's body too: it may leave fields out or null,
	// but not name others.
	if _, err := decodeRaw[Body](raw); err != nil {
		return nil, err
	}
	return func(entry Entry) (Entry, error) {
		before, err := json.Marshal(bodyOf(entry))
		if err != nil {
			return entry, err
		}
		merged, err := merge(before, raw)
		if err != nil {
			return entry, err
		}
		body, err := decodeRaw[Body](merged)
		if err != nil {
			return entry, err
		}
		return apply(entry, body), nil
	}, nil
}

// merge is the algorithm of RFC 7396, section 2. Values stay as they are written: read as floats,
// large numbers would change.
func merge(target, patch jsontext.Value) (jsontext.Value, error) {
	if patch.Kind() != '{' {
		return patch, nil
	}
	var out, changes map[string]jsontext.Value
	if target.Kind() == '{' {
		if err := json.Unmarshal(target, &out); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, err
	}
	if out == nil {
		out = map[string]jsontext.Value{}
	}
	for name, value := range changes {
		if value.Kind() == 'n' {
			delete(out, name)
			continue
		}
		merged, err := merge(out[name], value)
		if err != nil {
			return nil, err
		}
		out[name] = merged
	}
	return json.Marshal(out, json.Deterministic(true))
}

// Writable forms of catalogue entries: what PUT takes.
type productBody struct {
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Unit        string           `json:"unit,omitempty"`
	Barcode     string           `json:"barcode,omitempty"`
	Category    string           `json:"category,omitempty"`
	UnitCost    *inventory.Money `json:"unit_cost,omitempty"`
	Attributes  map[string]any   `json:"attributes,omitempty"`
}

type locationBody struct {
	Name      string   `json:"name"`
	Region    string   `json:"region"`
	Kind      string   `json:"kind"`
	Country   string   `json:"country"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
	Priority  int64    `json:"priority,omitzero"`
}

type channelBody struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Locations   []string `json:"locations,omitempty"`
	SafetyStock int64    `json:"safety_stock,omitzero"`
}
