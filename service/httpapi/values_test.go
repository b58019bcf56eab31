package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// source makes values that schemas allow, and values beside those. What it makes follows from its
// seed, and from what the server answered so far.
type source struct {
	*rand.Rand
	known map[string][]string // texts that answers had, by the name of their field
	rich  float64             // how likely what is optional is there
}

func newSource(seed uint64) *source {
	return &source{Rand: rand.New(rand.NewPCG(seed, 1)), known: map[string][]string{}}
}

func (s *source) chance(p float64) bool { return s.Float64() < p }

func pick[T any](s *source, all ...T) T { return all[s.IntN(len(all))] }

// valid makes a value that a schema allows. name is its field's, by which texts that mean something
// to the server are found.
func (s *source) valid(schema node, name string) any {
	schema = schema.followed()
	for _, of := range []string{"anyOf", "oneOf"} {
		if all := schema.list(of); len(all) > 0 {
			return s.valid(node(pick(s, all...).(map[string]any)), name)
		}
	}
	if values := schema.list("enum"); len(values) > 0 {
		return pick(s, values...)
	}
	switch kind := pick(s, schema.types()...); kind {
	case "object":
		return s.object(schema)
	case "array":
		items := make([]any, schema.number("minItems", 0)+s.IntN(3))
		for i := range items {
			items[i] = s.valid(schema.at("items"), strings.TrimSuffix(name, "s"))
		}
		return items[:min(len(items), schema.number("maxItems", math.MaxInt32))]
	case "string":
		return s.text(schema, name)
	case "integer":
		return s.whole(schema)
	case "number":
		least, most := float64(schema.number("minimum", -1000)), float64(schema.number("maximum", 1000))
		return pick(s, least, most, least+s.Float64()*(most-least))
	case "boolean":
		return s.chance(0.5)
	case "null":
		return nil
	default:
		return pick[any](s, "é\n☃", 1.5, true, nil, []any{1, "x", map[string]any{}}, map[string]any{"a": []any{nil}})
	}
}

func (s *source) object(schema node) any {
	o := map[string]any{}
	properties := schema.at("properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(schema.list("required"), any(name)) || s.chance(s.rich) {
			o[name] = s.valid(properties.at(name), name)
		}
	}
	if more, is := schema["additionalProperties"].(map[string]any); is {
		for range s.IntN(3) {
			o[pick(s, "colour", "size", "é ☃", "a.b", `"`)] = s.valid(node(more), "")
		}
	}
	return o
}

func (s *source) text(schema node, name string) string {
	if known := s.known[name]; len(known) > 0 && s.chance(0.7) {
		return known[s.IntN(len(known))]
	}
	pattern, examples := schema.text("pattern"), schema.list("examples")
	switch {
	case schema.text("format") == "date-time":
		return pick(s, "2026-01-05T17:40:00Z", "1900-01-01T00:00:00Z", "2025-12-31T23:59:59.999999999+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00",
			time.Now().UTC().Format(time.RFC3339Nano))
	case len(examples) > 0 && s.chance(0.5):
		return fmt.Sprint(examples[0])
	case pattern != "":
		made := rapid.StringMatching(printable.Replace(pattern)).Example(int(s.Uint32()))
		return string([]rune(made)[:min(len([]rune(made)), schema.number("maxLength", 200))])
	}
	least, most := schema.number("minLength", 0), schema.number("maxLength", 200)
	length := pick(s, least, least+1, least+s.IntN(20), most)
	letters := []rune(`aZ09 _-%'"\/é茶☃😀عة` + "\n\t")
	text := make([]rune, min(length, most))
	for i := range text {
		text[i] = pick(s, letters...)
	}
	return string(text)
}

// printable narrows patterns down to what anybody would print.
var printable = strings.NewReplacer(`.*`, `[ -~é茶😀]{0,20}`, `\S`, `[!-~é茶😀]`)

func (s *source) whole(schema node) any {
	least, most := schema.bound("minimum", math.MinInt64), schema.bound("maximum", math.MaxInt64)
	if s.chance(0.2) {
		return pick(s, least, most, max(least, 0))
	}
	return min(max(least, 1+int64(s.IntN(5))), most)
}

// types are a schema's types; none means any.
func (n node) types() []string {
	switch t := n["type"].(type) {
	case string:
		return []string{t}
	case []any:
		// null is rare: it is the same as leaving the field out
		return []string{t[0].(string), t[0].(string), t[0].(string), t[len(t)-1].(string)}
	}
	return []string{""}
}

func (n node) number(name string, otherwise int) int {
	if v, is := n[name].(float64); is {
		return int(v)
	}
	return otherwise
}

func (n node) bound(name string, otherwise int64) int64 {
	if v, is := n[name].(float64); is {
		return int64(v)
	}
	return otherwise
}

// broken makes a value beside those that a schema allows, mostly: somewhere within it, something is
// of another type, out of bounds, missing or too much.
func (s *source) broken(schema node, name string) any {
	schema = schema.followed()
	if all := schema.list("anyOf"); len(all) > 0 {
		schema = node(all[0].(map[string]any)).followed()
	}
	switch v := s.valid(schema, name).(type) {
	case map[string]any:
		return s.brokenObject(schema, v)
	case []any:
		return s.brokenArray(schema, name, v)
	case string:
		return s.brokenText(schema, v)
	default:
		return s.brokenNumber(schema)
	}
}

func (s *source) another() any {
	return pick[any](s, nil, true, "", "1", "x", 0, -1, 1.5, []any{}, map[string]any{}, []any{map[string]any{}}, map[string]any{"a": 1},
		json.RawMessage("1e400"), json.RawMessage("123456789012345678901234567890"), json.RawMessage(`"\ud800"`), json.RawMessage("-0"), json.RawMessage("1.0"))
}

func (s *source) brokenObject(schema node, o map[string]any) any {
	names := slices.Sorted(maps.Keys(o))
	switch properties := schema.at("properties"); {
	case s.chance(0.1):
		return s.another()
	case s.chance(0.15):
		o[pick(s, "quantity_", "Name", "", "é", "__proto__", "a\x00b")] = s.another()
	case len(names) > 0 && s.chance(0.2):
		delete(o, pick(s, names...))
	case len(properties) > 0:
		name := pick(s, slices.Sorted(maps.Keys(properties))...)
		o[name] = s.broken(properties.at(name), name)
	default:
		o["x"] = pick[any](s, "\x00", "\u009f", strings.Repeat("x", 5000), json.RawMessage(strings.Repeat("[", 200)+strings.Repeat("]", 200)), json.RawMessage("9007199254740993"))
	}
	return o
}

func (s *source) brokenArray(schema node, name string, items []any) any {
	most := schema.number("maxItems", 0)
	switch {
	case s.chance(0.1):
		return s.another()
	case s.chance(0.1):
		return []any{}
	case most > 0 && most <= 1000 && s.chance(0.05):
		return slices.Repeat([]any{s.valid(schema.at("items"), strings.TrimSuffix(name, "s"))}, most+1)
	}
	return append(items, s.broken(schema.at("items"), strings.TrimSuffix(name, "s")))
}

func (s *source) brokenText(schema node, text string) any {
	if s.chance(0.2) {
		return s.another()
	}
	most := schema.number("maxLength", 64)
	return pick(s, "", " ", text+" ", " "+text, text+"\n", text+"\x00", "\u202e"+text, text+"\u009f", "%00", "../"+text, "'; DROP TABLE stock_levels; --",
		strings.ToUpper(text)+"x", strings.Repeat("茶", most+1), strings.Repeat("x", 70_000), "-1s", "+0", "1h-1m", "99999999999h", "24:00", "2026-02-30T00:00:00Z", "2026-01-01")
}

func (s *source) brokenNumber(schema node) any {
	least, most := schema.bound("minimum", math.MinInt64), schema.bound("maximum", math.MaxInt64)
	return pick(s, s.another(), any(json.RawMessage("9223372036854775808")), any(json.RawMessage("-9223372036854775809")), any(json.Number(fmt.Sprint(least-1))), any(json.Number(fmt.Sprint(most+1))), any("5"), any(2.5))
}
