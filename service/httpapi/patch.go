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
	var patch any
	if err := json.Unmarshal(raw, &patch); err != nil {
		return nil, badField("body", "is not valid JSON")
	}
	if _, object := patch.(map[string]any); !object {
		return nil, badField("body", "must be a JSON object")
	}
	return func(entry Entry) (Entry, error) {
		before, err := json.Marshal(bodyOf(entry))
		if err != nil {
			return entry, err
		}
		var target any
		if err := json.Unmarshal(before, &target); err != nil {
			return entry, err
		}
		merged, err := json.Marshal(merge(target, patch), json.Deterministic(true))
		if err != nil {
			return entry, err
		}
		body, err := decodeRaw[Body](jsontext.Value(merged))
		if err != nil {
			return entry, err
		}
		return apply(entry, body), nil
	}, nil
}

// merge is the algorithm of RFC 7396, section 2.
func merge(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out, ok := target.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(out, name)
		} else {
			out[name] = merge(out[name], value)
		}
	}
	return out
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
