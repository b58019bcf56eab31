package httpapi

import (
	"bytes"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// freeTexts are fields that may be empty. Others name something: one that is there and empty is a
// caller's variable that was never set, and must not mean "anywhere" or "any way".
var freeTexts = []string{"description", "unit", "barcode", "category", "reason", "reference", "order_reference"}

// refuseEmpty names the optional fields of a body that are there and empty. Bodies without an empty
// text pay nothing for it.
func refuseEmpty(raw jsontext.Value, t reflect.Type) error {
	if !bytes.Contains(raw, []byte(`""`)) {
		return nil
	}
	var d diagnosis
	d.empty("", raw, t)
	if len(d.wrong) == 0 {
		return nil
	}
	return badFields(d.wrong...)
}

func (d *diagnosis) empty(path string, raw jsontext.Value, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType || raw.Kind() == 'n':
	case t.Kind() == reflect.Struct:
		d.emptyFields(path, raw, t)
	case t.Kind() == reflect.Slice:
		var items []jsontext.Value
		_ = json.Unmarshal(raw, &items) // it was read already
		for i, item := range items {
			d.empty(index(path, i), item, t.Elem())
		}
	}
}

func (d *diagnosis) emptyFields(path string, raw jsontext.Value, t reflect.Type) {
	var members map[string]jsontext.Value
	_ = json.Unmarshal(raw, &members) // it was read already
	known := map[string]reflect.StructField{}
	fieldsOf(t, known)
	for name, member := range orderedMembers(members) {
		at, field := name, known[name]
		if path != "" {
			at = path + "." + name
		}
		optional := strings.Contains(field.Tag.Get("json"), ",omitempty")
		if optional && field.Type.Kind() == reflect.String && len(member) == len(`""`) && !slices.Contains(freeTexts, name) {
			d.add(at, "must not be empty; leave it out")
		}
		d.empty(at, member, field.Type)
	}
}
