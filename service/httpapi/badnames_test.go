package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

func missing(about, method, path, body string) bad {
	return bad{about: about, method: method, path: path, body: body, status: 404, kind: "not-found"}
}

// badSKUs are SKUs as a JSON string and as a path has them.
var badSKUs = map[string]struct{ json, path string }{
	"leading space": {" a", "%20a"}, "trailing space": {"a ", "a%20"}, "space": {" ", "%20"},
	"NUL": {`a\u0000b`, "a%00b"}, "newline": {`a\nb`, "a%0Ab"}, "tab": {`\t`, "%09"}, "DEL": {`a\u007f`, "a%7F"}, "C1 control": {`\u0085`, "%C2%85"},
	"line separator": {`a\u2028b`, "a%E2%80%A8b"}, "no-break space": {`a\u00a0b`, "a%C2%A0b"}, "bidi override": {`a\u202eb`, "a%E2%80%AEb"},
	"65 letters": {strings.Repeat("s", 65), strings.Repeat("s", 65)}, "65 wide characters": {strings.Repeat("茶", 65), strings.Repeat("%E8%8C%B6", 65)},
}

// badUTF8 is what only a path can say; the second one is matched as it was escaped.
var badUTF8 = []string{"a%FFb", "a%FF%2Fb", "%C3%28", "%ED%A0%80"}

func namesThatAreWrong(t *testing.T, p *pod) {
	s := p.shelf(t, 10)
	var cases []bad
	for about, sku := range badSKUs {
		of := shelf{s.location, sku.json}
		line := fmt.Sprintf(`{"location": %q, "sku": "%s", "quantity": 1}`, s.location, sku.json)
		cases = append(cases,
			invalid("move: "+about, "POST", "/v1/movements", `{"kind": "receive", "lines": [`+line+`]}`, "lines[0].sku"),
			invalid("reserve: "+about, "POST", "/v1/reservations", `{"lines": [`+line+`]}`, "lines[0].sku"),
			invalid("availability: "+about, "GET", "/v1/availability?sku="+sku.path, "", "sku"),
			invalid("levels: "+about, "GET", "/v1/stock?sku="+sku.path, "", "sku"))
		cases = append(cases, badPaths(about, of.location, sku.path)...)
	}
	for _, sku := range badUTF8 {
		cases = append(cases, badPaths("UTF-8 "+sku, s.location, sku)...)
		cases = append(cases,
			invalid("availability: UTF-8 "+sku, "GET", "/v1/availability?sku="+sku, "", "sku"),
			invalid("location: UTF-8 "+sku, "GET", "/v1/locations/"+sku, "", "location"),
			invalid("product query: UTF-8 "+sku, "GET", "/v1/products?query="+sku, "", "query"),
			invalid("reservation: UTF-8 "+sku, "GET", "/v1/reservations/"+sku, "", "id"),
			invalid("confirm: UTF-8 "+sku, "POST", "/v1/reservations/"+sku+"/confirm", "", "id"),
			missing("route: UTF-8 "+sku, "GET", "/v1/"+sku, ""))
	}
	for _, location := range []string{"a%20b", "a%2Fb", "%C3%A9", "a%00", "a:b", strings.Repeat("l", 65), "a%0A"} {
		cases = append(cases,
			invalid("location "+location, "PUT", "/v1/locations/"+location, `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB"}`, "location"),
			invalid("stock at "+location, "GET", "/v1/stock/"+location+"/"+s.sku, "", "location"),
			invalid("stock list at "+location, "GET", "/v1/stock?location="+location, "", "location"),
			invalid("channel "+location, "PUT", "/v1/channels/"+location, `{"name": "x", "kind": "web"}`, "channel"))
	}
	p.refuses(t, append(cases, badTexts(s)...))
}

func badPaths(about, location, sku string) []bad {
	return []bad{
		invalid("put product: "+about, "PUT", "/v1/products/"+sku, `{"name": "x"}`, "sku"),
		invalid("get product: "+about, "GET", "/v1/products/"+sku, "", "sku"),
		invalid("patch product: "+about, "PATCH", "/v1/products/"+sku, `{"name": "x"}`, "sku"),
		invalid("archive product: "+about, "DELETE", "/v1/products/"+sku, "", "sku"),
		invalid("level: "+about, "GET", "/v1/stock/"+location+"/"+sku, "", "sku"),
		invalid("events: "+about, "GET", "/v1/stock/"+location+"/"+sku+"/events", "", "sku"),
	}
}

// badTexts have characters that no database stores, or that forge lines of logs, in every free text.
func badTexts(s shelf) (cases []bad) {
	for _, c := range []string{`\u0000`, `\u0001`, `\u001b[2J`, `\r\n`, `\u007f`, `\u009f`} {
		text := `"x` + c + `y"`
		of := func(field string) string { return fmt.Sprintf(`, %q: %s`, field, text) }
		product, location := "/v1/products/"+s.sku, `, "region": "us-east1", "kind": "store", "country": "GB"}`
		cases = append(cases,
			invalid(c+" in movements", "POST", "/v1/movements", s.movement("receive", 1, of("reason"), of("reference"), of("channel")), "reason", "reference", "channel"),
			invalid(c+" in kinds", "POST", "/v1/movements", `{"kind": `+text+`, "lines": [`+s.line(1)+`]}`, "kind"),
			invalid(c+" in options", "POST", "/v1/movements", movement("return", "", s.line(1, of("to"))), "lines[0].to"),
			invalid(c+" in reservations", "POST", "/v1/reservations", s.reservation(1, of("order_reference"), of("channel"), of("policy"), of("strategy"), of("expires_in")),
				"order_reference", "channel", "policy", "strategy", "expires_in"),
			invalid(c+" in steps", "POST", "/v1/reservations/us-east1.x/fulfil", `{"reason": `+text+`, "reference": `+text+`, "lines": [{"sku": `+text+`}]}`, "reason", "reference", "lines[0].sku"),
			invalid(c+" in products", "PUT", product, `{"name": `+text+of("description")+of("unit")+of("barcode")+of("category")+`}`, "name", "description", "unit", "barcode", "category"),
			invalid(c+" in attributes", "PUT", product, `{"name": "x", "attributes": {"a": `+text+`, "b": [{"c": `+text+`}], "d": {`+text+`: 1}}}`, "attributes.a", "attributes.b", "attributes.d"),
			invalid(c+" in names of attributes", "PUT", product, `{"name": "x", "attributes": {`+text+`: 1}}`, "attributes"),
			invalid(c+" in patches", "PATCH", product, `{"description": `+text+`, "attributes": {"a": `+text+`}}`, "description", "attributes.a"),
			invalid(c+" in money", "PUT", product, `{"name": "x", "unit_cost": {"amount": `+text+`, "currency": `+text+`}}`, "unit_cost.amount", "unit_cost.currency"),
			invalid(c+" in locations", "PUT", "/v1/locations/"+s.location, `{"name": `+text+location, "name"),
			invalid(c+" in channels", "PUT", "/v1/channels/web", `{"name": `+text+`, "kind": `+text+`, "locations": [`+text+`]}`, "name", "kind", "locations[0]"),
			invalid(c+" in searches", "GET", "/v1/products?query="+escaped(c)+"&category="+escaped(c), "", "query", "category"),
			invalid(c+" in order references", "GET", "/v1/reservations?order_reference="+escaped(c)+"&location="+escaped(c), "", "order_reference", "location"),
		)
	}
	return cases
}

// escaped is a JSON escape as a URL has it.
func escaped(c string) string {
	return strings.NewReplacer(`\u0000`, "%00", `\u0001`, "%01", `\u001b[2J`, "%1B%5B2J", `\r\n`, "%0D%0A", `\u007f`, "%7F", `\u009f`, "%C2%9F").Replace(c)
}

func whatThereIsNot(t *testing.T, p *pod) {
	s := p.shelf(t, 10)
	r := p.reserve(t, s, 1)
	id := strings.TrimPrefix(r, "/v1/reservations/")
	nowhere, nothing := shelf{"nowhere", s.sku}, shelf{s.location, "nothing"}
	channel := name("chan")
	p.put(t, "/v1/channels/"+channel, `{"name": "x", "kind": "web"}`).is(t, 201)
	cases := []bad{
		missing("receive of an unknown SKU", "POST", "/v1/movements", movement("receive", "", s.line(1), nothing.line(1))),
		missing("receive at an unknown location", "POST", "/v1/movements", movement("receive", "", s.line(1), nowhere.line(1))),
		missing("sale through an unknown channel", "POST", "/v1/movements", s.movement("sell", 1, `, "channel": "none"`)),
		missing("reserve an unknown SKU", "POST", "/v1/reservations", nothing.reservation(1)),
		missing("reserve at an unknown location", "POST", "/v1/reservations", nowhere.reservation(1)),
		missing("source an unknown SKU", "POST", "/v1/reservations", `{"lines": [{"sku": "nothing", "quantity": 1}]}`),
		missing("reserve through an unknown channel", "POST", "/v1/reservations", s.reservation(1, `, "channel": "none"`)),
		missing("channel of an unknown location", "PUT", "/v1/channels/web", `{"name": "x", "kind": "web", "locations": ["nowhere"]}`),
		missing("channel patched to an unknown location", "PATCH", "/v1/channels/"+channel, `{"locations": ["nowhere"]}`),
		missing("level of an unknown SKU", "GET", nothing.path(), ""),
		missing("level at an unknown location", "GET", nowhere.path(), ""),
		missing("events of an unknown SKU", "GET", nothing.path()+"/events", ""),
		missing("events at an unknown location", "GET", nowhere.path()+"/events", ""),
		missing("levels at an unknown location", "GET", "/v1/stock?location=nowhere", ""),
		missing("levels of an unknown region", "GET", "/v1/stock?region=moon", ""),
		missing("locations of an unknown region", "GET", "/v1/locations?region=moon", ""),
		missing("reservations of an unknown region", "GET", "/v1/reservations?region=moon", ""),
		missing("reservations at an unknown location", "GET", "/v1/reservations?location=nowhere", ""),
		missing("availability of an unknown SKU", "GET", "/v1/availability?sku="+s.sku+"&sku=nothing", ""),
		missing("availability in an unknown region", "GET", "/v1/availability?region=moon&sku="+s.sku, ""),
		missing("availability through an unknown channel", "GET", "/v1/availability?channel=none&sku="+s.sku, ""),
		missing("product", "GET", "/v1/products/nothing", ""), missing("patch product", "PATCH", "/v1/products/nothing", `{"name": "x"}`), missing("archive product", "DELETE", "/v1/products/nothing", ""),
		missing("location", "GET", "/v1/locations/nowhere", ""), missing("patch location", "PATCH", "/v1/locations/nowhere", `{"name": "x"}`), missing("archive location", "DELETE", "/v1/locations/nowhere", ""),
		missing("channel", "GET", "/v1/channels/none", ""), missing("patch channel", "PATCH", "/v1/channels/none", `{"name": "x"}`), missing("archive channel", "DELETE", "/v1/channels/none", ""),
		missing("route", "GET", "/v2/products", ""), missing("root", "GET", "/", ""), missing("trailing slash", "GET", "/v1/products/", ""), missing("step", "POST", r+"/burn", "{}"),
	}
	flipped := map[byte]string{'0': "1"}[id[len(id)-3]]
	if flipped == "" {
		flipped = "0"
	}
	for _, wrong := range []string{
		"x", "us-east1", "us-east1.", ".x", id + "0", id[:len(id)-1], strings.ToUpper(id), id[:len(id)-3] + flipped + id[len(id)-2:],
		strings.Replace(id, "us-east1", "moon", 1), strings.Replace(id, "us-east1", "europe-west1", 1), "%00", id + "%00", "%20" + id, strings.Repeat("x", 2000), "us-east1.00000000000000000000000000", "%27;DROP%20TABLE%20x",
	} {
		about := wrong[:min(len(wrong), 60)]
		cases = append(cases, missing("reservation "+about, "GET", "/v1/reservations/"+wrong, ""))
		for step, body := range map[string]string{"confirm": "", "extend": `{"expires_in": "5m"}`, "release": "{}", "fulfil": `{"lines": [{"line": 1}]}`} {
			cases = append(cases, missing(step+" "+about, "POST", "/v1/reservations/"+wrong+"/"+step, body))
		}
	}
	p.refuses(t, cases)
	a := p.get(t, nowhere.path()).problem(t, 404, "not-found")
	if a.text(t, "resource") != "location" || a.text(t, "name") != "nowhere" {
		t.Errorf("%s", a.raw)
	}
	a = p.post(t, "/v1/movements", nothing.movement("receive", 1)).problem(t, 404, "not-found")
	if a.text(t, "resource") != "product" || a.text(t, "name") != "nothing" {
		t.Errorf("%s", a.raw)
	}
	for path, allow := range map[string]string{"/v1/movements": "POST", r: "GET", "/v1/products/x": "PUT", "/v1/regions": "GET"} {
		a := p.do(t, "OPTIONS", path, "").problem(t, 405, "method-not-allowed")
		if got := a.header.Get("Allow"); !strings.Contains(got, allow) || strings.Contains(got, "GET") != strings.Contains(got, "HEAD") {
			t.Errorf("%s: Allow is %q", path, got)
		}
	}
	for _, c := range []string{"GET /v1/movements", "DELETE " + r, "POST /v1/products/x", "PATCH /v1/stock", "PUT /v1/availability", "POST /v1/regions"} {
		method, path, _ := strings.Cut(c, " ")
		p.do(t, method, path, "{}").problem(t, 405, "method-not-allowed")
	}
}
