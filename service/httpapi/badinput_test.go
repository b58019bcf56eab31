package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// bad is a request that must be refused and leave no trace.
type bad struct {
	about        string
	method, path string
	body         string
	headers      []string
	status       int
	kind         string
	fields       []string
	says         string // part of its detail
}

func invalid(about, method, path, body string, fields ...string) bad {
	return bad{about: about, method: method, path: path, body: body, status: 400, kind: "invalid-request", fields: fields}
}

// refuses sends bad requests and sees to it that none of them changed anything: after each on
// PostgreSQL, after all on CockroachDB, which takes long to look.
func (p *pod) refuses(t *testing.T, cases []bad) {
	t.Helper()
	trace := p.watch(t)
	before := trace()
	unchanged := func(t *testing.T, request string) {
		t.Helper()
		if after := trace(); after != before {
			t.Errorf("%s left a trace: %s, before %s", request, after, before)
			before = after
		}
	}
	for _, c := range cases {
		t.Run(c.about, func(t *testing.T) {
			a := p.do(t, c.method, c.path, c.body, c.headers...).problem(t, c.status, c.kind, c.fields...)
			if !strings.Contains(a.text(t, "detail"), c.says) {
				t.Errorf("%s: the detail doesn't speak of %s: %s", a.request, c.says, a.raw)
			}
			if !p.IsCockroach() {
				unchanged(t, a.request)
			}
		})
	}
	unchanged(t, "one of them")
}

// Making a database takes CockroachDB seconds: what must be alone on one comes after each other.
func TestWhatLeavesNoTrace(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		for _, c := range []struct {
			about string
			test  func(*testing.T, *pod)
		}{
			{"bodies that are not JSON objects", bodiesThatAreNotJSONObjects},
			{"fields that are wrong", fieldsThatAreWrong},
			{"names that are wrong", namesThatAreWrong},
			{"what there is not", whatThereIsNot},
			{"parameters that are wrong", parametersThatAreWrong},
			{"transfers that are wrong", transfersThatAreWrong},
			{"limits", limits},
			{"deadlines", deadlines},
			{"dry runs", dryRuns},
		} {
			t.Run(c.about, func(t *testing.T) { c.test(t, p) })
		}
	})
}

// What no door should take for JSON, whatever it asks for.
var notJSON = map[string]string{
	"empty": "", "blank": " \n", "null": "null", "array": "[]", "string": `"x"`, "number": "1", "true": "true",
	"cut off": `{"name": "x", "kind": "receive", "lines": [`, "cut off after a wrong type": `{"kind": 5, "name": 5, "lines": [`,
	"words": "name=x&kind=receive", "doubled": `{"name": "x", "name": "y"}`, "doubled deep inside": `{"attributes": {"a": {"b": 1, "b": 2}}, "lines": [{"sku": "a", "sku": "b"}]}`,
	"trailing": `{"name": "x"} {"name": "y"}`, "trailing garbage after a wrong type": `{"name": 5} garbage`, "comma": `{"name": "x",}`, "single quotes": `{'name': 'x'}`,
	"bad UTF-8": "{\"name\": \"\xff\"}", "lone surrogate": `{"name": "\ud800"}`, "BOM": "\ufeff{}", "deep": strings.Repeat("[", 100_000),
	"deep attributes": `{"name": "x", "attributes": {"a": ` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`,
}

func bodiesThatAreNotJSONObjects(t *testing.T, p *pod) {
	s := p.shelf(t, 10)
	p.put(t, "/v1/channels/web", `{"name": "Web", "kind": "web"}`).is(t, 201)
	r := p.reserve(t, s, 1)
	var cases []bad
	for _, door := range []struct{ method, path string }{
		{"PUT", "/v1/products/" + s.sku},
		{"PATCH", "/v1/products/" + s.sku},
		{"PUT", "/v1/locations/" + s.location},
		{"PATCH", "/v1/locations/" + s.location},
		{"PUT", "/v1/channels/web"},
		{"PATCH", "/v1/channels/web"},
		{"POST", "/v1/movements"},
		{"POST", "/v1/movements/batch"},
		{"POST", "/v1/reservations"},
		{"POST", "/v1/reservations/batch"},
		{"POST", r + "/confirm"},
		{"POST", r + "/extend"},
		{"POST", r + "/release"},
		{"POST", r + "/fulfil"},
	} {
		for about, body := range notJSON {
			if strings.TrimSpace(body) == "" && (strings.HasSuffix(door.path, "/confirm") || strings.HasSuffix(door.path, "/release") || strings.HasSuffix(door.path, "/fulfil")) {
				continue // these may go without a body
			}
			c := invalid(door.method+" "+strings.TrimPrefix(door.path, r)+": "+about, door.method, door.path, body, "body")
			if !json.Valid([]byte(body)) {
				c.says = "JSON"
			}
			cases = append(cases, c)
		}
	}
	p.refuses(t, cases)
}

func fieldsThatAreWrong(t *testing.T, p *pod) {
	s := p.shelf(t, 10)
	r := p.reserve(t, s, 1)
	one := s.line(1)
	cases := []bad{
		invalid("unknown fields, all at once", "POST", "/v1/movements", `{"kind": "receive", "lines": [`+s.line(1, `, "qty": 2, "colour": "red"`)+`, `+s.line(1, `, "unit_cost": {"amount": "1", "currency": "GBP", "tax": 2}`)+`], "shipment": 5}`,
			"lines[0].colour", "lines[0].qty", "lines[1].unit_cost.tax", "shipment"),
		invalid("wrong types, all at once", "POST", "/v1/movements", `{"kind": 5, "lines": [{"location": true, "sku": 7, "quantity": "5"}, 3, {"quantity": [1], "unit_cost": "12.50"}], "effective_at": "today", "allow_shortfall": "yes", "reason": {}}`,
			"kind", "lines[0].location", "lines[0].sku", "lines[0].quantity", "lines[1]", "lines[2].quantity", "lines[2].unit_cost", "effective_at", "allow_shortfall", "reason"),
		invalid("wrong types and unknown fields of a reservation", "POST", "/v1/reservations", `{"lines": {"sku": "a"}, "destination": {"latitude": "51", "planet": "earth"}, "expires_in": 900, "channel": [], "x": null}`,
			"lines", "destination.latitude", "destination.planet", "expires_in", "channel", "x"),
		invalid("wrong types within a batch", "POST", "/v1/movements/batch", `{"movements": [{"kind": "receive", "lines": [`+one+`]}, {"kind": "receive", "lines": [`+s.line(`"5"`)+`]}], "on_error": 1}`,
			"movements[1].lines[0].quantity", "on_error"),
		invalid("what is missing, all at once", "POST", "/v1/movements", `{"lines": [{}]}`, "kind", "lines[0].location", "lines[0].sku", "lines[0].quantity"),
		invalid("lines of null", "POST", "/v1/movements", `{"kind": "receive", "lines": [null]}`, "lines[0].location", "lines[0].sku", "lines[0].quantity"),
		invalid("no lines", "POST", "/v1/movements", `{"kind": "receive", "lines": []}`, "lines"),
		invalid("no lines to reserve", "POST", "/v1/reservations", `{}`, "lines"),
		invalid("no movements", "POST", "/v1/movements/batch", `{"movements": []}`, "movements"),
		invalid("no reservations", "POST", "/v1/reservations/batch", `{"on_error": "abort"}`, "reservations"),
		invalid("how to go on", "POST", "/v1/movements/batch", `{"movements": [`+s.movement("receive", 1)+`], "on_error": "stop"}`, "on_error"),
		invalid("kind", "POST", "/v1/movements", s.movement("teleport", 1), "kind"),
		invalid("kind in capitals", "POST", "/v1/movements", s.movement("Receive", 1), "kind"),
		invalid("a kind that is not asked for by name", "POST", "/v1/movements", s.movement("fulfil", 1), "kind"),
		invalid("adjust without reason", "POST", "/v1/movements", s.movement("adjust", 1), "reason"),
		invalid("to of a sale", "POST", "/v1/movements", movement("sell", "", s.line(1, `, "to": "quarantined"`)), "lines[0].to"),
		invalid("to nowhere", "POST", "/v1/movements", movement("return", "", s.line(1, `, "to": "bin"`)), "lines[0].to"),
		invalid("from nowhere", "POST", "/v1/movements", movement("scrap", "", s.line(1, `, "from": "held"`)), "lines[0].from"),
		invalid("shortfall of a receipt", "POST", "/v1/movements", movement("receive", "", s.line(1, `, "allow_shortfall": true`)), "lines[0].allow_shortfall"),
		invalid("watermark of a receipt", "POST", "/v1/movements", movement("receive", "", s.line(1, `, "as_of_version": 1`)), "lines[0].as_of_version"),
		invalid("negative watermark", "POST", "/v1/movements", movement("count", "", s.line(1, `, "as_of_version": -1`)), "lines[0].as_of_version"),
		invalid("options for all lines, named once", "POST", "/v1/movements", movement("receive", `, "to": "bin", "from": "held", "as_of_version": -1, "allow_shortfall": true`, s.line(1), s.line(2)),
			"to", "to", "from", "from", "as_of_version", "as_of_version", "allow_shortfall"),
		invalid("an option for all lines beside one of a line", "POST", "/v1/movements", movement("count", `, "as_of_version": -1`, s.line(1, `, "to": "quarantined"`)), "as_of_version", "lines[0].to"),
		invalid("2^53+1 of the caller's own", "PUT", "/v1/products/"+s.sku, `{"name": "x", "attributes": {"ean": 9007199254740993}}`, "attributes"),
		invalid("-2^53-1 of the caller's own", "PATCH", "/v1/products/"+s.sku, `{"attributes": {"deep": [-9007199254740993]}}`, "attributes"),
		invalid("negative if_version", "POST", "/v1/movements", movement("sell", "", s.line(1, `, "if_version": -1`)), "lines[0].if_version"),
		invalid("a level counted twice", "POST", "/v1/movements", movement("count", "", s.line(1), s.line(2)), "lines[1].sku"),
		invalid("money", "POST", "/v1/movements", movement("receive", "", s.line(1, `, "unit_cost": {"amount": "1,50", "currency": "pounds"}`)), "lines[0].unit_cost.amount", "lines[0].unit_cost.currency"),
		invalid("money as a number", "POST", "/v1/movements", movement("receive", "", s.line(1, `, "unit_cost": {"amount": 1.5, "currency": "GBP"}`)), "lines[0].unit_cost.amount"),
		invalid("selection of nothing", "POST", r+"/release", `{"lines": []}`, "lines"),
		invalid("selections", "POST", r+"/release", `{"lines": [{}, {"line": -1}, {"line": 1, "quantity": 0}, {"line": 1, "location": "a b"}]}`, "lines[0].line", "lines[1].line", "lines[2].quantity", "lines[3].location"),
		invalid("fields of another step", "POST", r+"/confirm", `{"lines": [{"line": 1}], "expires_in": "5m"}`, "lines", "expires_in"),
		invalid("extend by nothing", "POST", r+"/extend", `{}`, "expires_in"),
		invalid("policy and strategy", "POST", "/v1/reservations", s.reservation(1, `, "policy": "some", "strategy": "cheapest"`), "policy", "strategy"),
		invalid("nearest to what?", "POST", "/v1/reservations", s.reservation(1, `, "strategy": "nearest"`), "destination"),
		invalid("two destinations", "POST", "/v1/reservations", s.reservation(1, `, "destination": {"country": "GB", "region": "us-east1"}`), "destination"),
		invalid("no destination", "POST", "/v1/reservations", s.reservation(1, `, "destination": {}`), "destination"),
		invalid("destinations off the map", "POST", "/v1/reservations", s.reservation(1, `, "destination": {"latitude": 91, "longitude": -181}`), "destination.latitude", "destination.longitude"),
		invalid("half a point", "POST", "/v1/reservations", s.reservation(1, `, "destination": {"latitude": 1}`), "destination.latitude"),
		invalid("country", "POST", "/v1/reservations", s.reservation(1, `, "destination": {"country": "gb"}`), "destination.country"),
		invalid("region", "POST", "/v1/reservations", s.reservation(1, `, "destination": {"region": "moon"}`), "destination.region"),
		invalid("if_version of a sourced line", "POST", "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1, "if_version": 1}]}`, s.sku), "lines[0].if_version"),
	}
	p.refuses(t, append(append(append(cases, badQuantities(s)...), badTimes(s, r)...), badCatalogue(s)...))
}

func badQuantities(s shelf) (cases []bad) {
	for _, q := range []string{"1.5", "1e3", "1.0", "-0.5", `"5"`, `""`, "true", "[1]", "{}", "9223372036854775808", "-9223372036854775809", "1e400", "123456789012345678901234567890"} {
		cases = append(cases, invalid("receive "+q, "POST", "/v1/movements", s.movement("receive", q), "lines[0].quantity"),
			invalid("reserve "+q, "POST", "/v1/reservations", s.reservation(q), "lines[0].quantity"))
	}
	for _, kind := range []string{"receive", "sell", "return", "quarantine", "restore", "scrap"} {
		for _, q := range []string{"0", "-1", "-9223372036854775808", "null"} {
			cases = append(cases, invalid(kind+" "+q, "POST", "/v1/movements", s.movement(kind, q), "lines[0].quantity"))
		}
	}
	for _, q := range []string{"0", "-1", "-9223372036854775808", "null"} {
		cases = append(cases, invalid("reserve "+q, "POST", "/v1/reservations", s.reservation(q), "lines[0].quantity"))
	}
	return append(cases,
		invalid("adjust by 0", "POST", "/v1/movements", s.movement("adjust", 0, `, "reason": "x"`), "lines[0].quantity"),
		invalid("adjust by the least", "POST", "/v1/movements", s.movement("adjust", "-9223372036854775808", `, "reason": "x"`), "lines[0].quantity"),
		invalid("count below zero", "POST", "/v1/movements", s.movement("count", -1), "lines[0].quantity"),
		invalid("two lines that sum up beyond int64", "POST", "/v1/reservations",
			fmt.Sprintf(`{"lines": [{"sku": %[1]q, "quantity": 9223372036854775807}, {"sku": %[1]q, "quantity": 9223372036854775807}]}`, s.sku), "lines[1].quantity"),
	)
}

func badTimes(s shelf, reservation string) (cases []bad) {
	for _, at := range []string{
		`"today"`, `"2026-11-27"`, `"2026-11-27 08:00:00Z"`, `"2026-13-01T00:00:00Z"`, `"2026-11-27T25:00:00Z"`, "1764230400", `""`,
		`"9999-12-31T23:59:59Z"`, `"9999-12-31T23:59:59-23:59"`, `"1899-12-31T23:59:59Z"`, `"0000-01-01T00:00:00Z"`, `"0000-01-01T00:00:00+23:59"`,
	} {
		cases = append(cases, invalid("effective at "+at, "POST", "/v1/movements", s.movement("receive", 1, `, "effective_at": `+at), "effective_at"))
	}
	for _, d := range []string{`"0s"`, `"999ms"`, `"721h"`, `"-1s"`, `"abc"`, `"15"`, `"30d"`, `"9999999h"`, `"99999999999999999999h"`, "60", `" 1s"`} {
		cases = append(cases, invalid("reserve for "+d, "POST", "/v1/reservations", s.reservation(1, `, "expires_in": `+d), "expires_in"),
			invalid("extend by "+d, "POST", reservation+"/extend", `{"expires_in": `+d+`}`, "expires_in"))
	}
	return append(cases, invalid("extend by nothing at all", "POST", reservation+"/extend", `{"expires_in": ""}`, "expires_in"))
}

func badCatalogue(s shelf) (cases []bad) {
	product, location, channel := "/v1/products/"+s.sku, "/v1/locations/"+s.location, "/v1/channels/shop"
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf(`"a%d": 1`, i)
	}
	return []bad{
		invalid("product without name", "PUT", product, `{}`, "name"),
		invalid("product without name, unknown fields", "PUT", product, `{"name": "", "sku": "x", "version": 3}`, "sku", "version"),
		invalid("long texts", "PUT", product, fmt.Sprintf(`{"name": %q, "description": %q, "unit": %q, "barcode": %q, "category": %q}`,
			strings.Repeat("é", 256), strings.Repeat("d", 4001), strings.Repeat("u", 33), strings.Repeat("b", 65), strings.Repeat("c", 256)), "name", "description", "unit", "barcode", "category"),
		invalid("cost", "PUT", product, `{"name": "x", "unit_cost": {"amount": "-1", "currency": "GB"}}`, "unit_cost.amount", "unit_cost.currency"),
		invalid("cost of nothing", "PUT", product, `{"name": "x", "unit_cost": {}}`, "unit_cost.amount", "unit_cost.currency"),
		invalid("attributes", "PUT", product, `{"name": "x", "attributes": ["a"]}`, "attributes"),
		invalid("too many attributes", "PUT", product, `{"name": "x", "attributes": {`+strings.Join(many, ",")+`}}`, "attributes"),
		invalid("attributes that would be rounded", "PUT", product, `{"name": "x", "attributes": {"a": [{"b": 9007199254740994}]}}`, "attributes"),
		invalid("attributes that would be rounded, patched", "PATCH", product, `{"attributes": {"a": -12345678901234567890}}`, "attributes"),
		invalid("attributes too deep", "PUT", product, `{"name": "x", "attributes": {"a": `+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`}}`, "body"),
		invalid("attributes too deep, patched", "PATCH", product, `{"attributes": `+strings.Repeat(`{"[\"": `, 9000)+"1"+strings.Repeat("}", 9000)+`}`, "body"),
		invalid("attributes beyond a float", "PUT", product, `{"name": "x", "attributes": {"a": 1e400}}`, "attributes"),
		invalid("attributes beyond a float, patched", "PATCH", product, `{"attributes": {"a": 1e400}}`, "attributes"),
		invalid("location", "PUT", location, `{}`, "name", "region", "kind", "country"),
		invalid("location of wrong kinds", "PUT", location, `{"name": "x", "region": "moon", "kind": "cave", "country": "Britain", "latitude": 90.1, "longitude": 181, "priority": -1}`,
			"region", "kind", "country", "latitude", "longitude", "priority"),
		invalid("half a point", "PUT", location, `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB", "latitude": 1}`, "latitude"),
		invalid("priority beyond int32", "PUT", location, `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB", "priority": 2147483648}`, "priority"),
		invalid("channel", "PUT", channel, `{"safety_stock": -1, "locations": ["a b", ""]}`, "name", "kind", "safety_stock", "locations[0]", "locations[1]"),
		invalid("patch of a field there isn't", "PATCH", product, `{"colour": "red"}`, "colour"),
		invalid("removal of a field there isn't", "PATCH", product, `{"colour": null}`, "colour"),
		invalid("patch of types", "PATCH", product, `{"name": 5, "unit_cost": {"amount": 3}, "attributes": 7}`, "name", "unit_cost.amount", "attributes"),
		invalid("removal of what must be there", "PATCH", product, `{"name": null}`, "name"),
		invalid("patch of a location", "PATCH", location, `{"latitude": 5, "kind": null}`, "latitude", "kind"),
	}
}
