package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// shape says which members an object has and of which type, "member:type member:type": text, int,
// float, time, bool, list, object; a type may end in "?" where null will do.
func (a answer) shape(t *testing.T, want string, path ...any) {
	t.Helper()
	v, _ := a.at(path...)
	object, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%s: no object at %v: %s", a.request, path, a.raw)
	}
	var names []string
	for _, member := range strings.Fields(want) {
		name, kind, _ := strings.Cut(member, ":")
		names = append(names, name)
		kind, nullable := strings.CutSuffix(kind, "?")
		if v, there := object[name]; !there || !isOf(kind, v) && (v != nil || !nullable) {
			t.Errorf("%s: %v.%s is no %s: %v", a.request, path, name, kind, v)
		}
	}
	slices.Sort(names)
	if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, names) {
		t.Errorf("%s: %v has %v, want %v", a.request, path, got, names)
	}
}

func isOf(kind string, v any) bool {
	switch v := v.(type) {
	case string:
		at, err := time.Parse(time.RFC3339, v)
		return kind == "text" || kind == "time" && err == nil && at.Location() == time.UTC && strings.HasSuffix(v, "Z")
	case json.Number:
		_, err := v.Int64()
		return kind == "float" || kind == "int" && err == nil
	case bool:
		return kind == "bool"
	case []any:
		return kind == "list"
	case map[string]any:
		return kind == "object"
	}
	return false
}

const (
	balancesShape = "on_hand:int held:int allocated:int quarantined:int incoming:int shortfall:int"
	levelShape    = "location:text sku:text region:text available:int version:int updated_at:time? " + balancesShape
	stampShape    = " version:int created_at:time updated_at:time"
	lineShape     = "line:int sku:text location:text quantity:int fulfilled:int released:int"
)

// HEAD is GET without the body, whatever the answer is.
func TestHead(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 7)
		for _, path := range []string{"/v1/products/" + s.sku, s.path(), "/v1/stock?sku=" + s.sku, "/v1/products/nothing-of-that-name", "/v1/movements", "/v1/stock?nope=1"} {
			want, err := p.client.Get(p.url + path)
			if err != nil {
				t.Fatal(err)
			}
			_ = want.Body.Close()
			got, err := p.client.Head(p.url + path)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(got.Body)
			_ = got.Body.Close()
			if err != nil || len(raw) > 0 || got.StatusCode != want.StatusCode || got.ContentLength != want.ContentLength {
				t.Errorf("%s: %d with %d bytes, %v; GET answers %d with %d", path, got.StatusCode, got.ContentLength, err, want.StatusCode, want.ContentLength)
			}
			for _, header := range []string{"Content-Type", "ETag", "Allow", "Stockyard-Region"} {
				if got.Header.Get(header) != want.Header.Get(header) {
					t.Errorf("%s: %s is %q, of GET %q", path, header, got.Header.Get(header), want.Header.Get(header))
				}
			}
		}
	})
}

func TestCatalogueAnswers(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		sku, location, channel := name("sku"), name("loc"), name("chan")
		full := `{"name": "Tea", "description": "Green\nleaf", "unit": "box", "barcode": "5012345678900", "category": "` + sku + `",
			"unit_cost": {"amount": "12.50", "currency": "GBP"}, "attributes": {"organic": true, "weight": 1.5, "tags": ["a", null], "deep": {"é": "ü"}, "ean": 9007199254740992, "nest": ` + strings.Repeat("[", 62) + `"[{\\\"[{"` + strings.Repeat("]", 62) + `}}`
		const productShape = "sku:text name:text description:text unit:text barcode:text category:text unit_cost:object attributes:object" + stampShape
		a := p.put(t, "/v1/products/"+sku, full).is(t, 201)
		a.shape(t, productShape)
		read := p.get(t, "/v1/products/"+sku).is(t, 200)
		read.shape(t, productShape)
		if read.raw != a.raw || a.header.Get("ETag") != `"1"` || read.header.Get("ETag") != `"1"` {
			t.Errorf("put %s and got %s, ETags %v %v", a.raw, read.raw, a.header["Etag"], read.header["Etag"])
		}
		if got := read.compact(t, "attributes"); got != `{"deep":{"é":"ü"},"ean":9007199254740992,"nest":`+strings.Repeat("[", 62)+`"[{\\\"[{"`+strings.Repeat("]", 62)+`,"organic":true,"tags":["a",null],"weight":1.5}` {
			t.Errorf("attributes are %s", got)
		}
		if got := read.compact(t, "unit_cost"); got != `{"amount":"12.50","currency":"GBP"}` {
			t.Errorf("unit cost is %s", got)
		}
		p.put(t, "/v1/products/"+sku, `{"name": "Tea"}`).is(t, 200).shape(t, "sku:text name:text"+stampShape)
		p.get(t, "/v1/products?query="+sku).is(t, 200).shape(t, "items:list next_page_token:text")

		const locationShape = "location:text name:text region:text kind:text country:text priority:int"
		place := fmt.Sprintf(`{"name": "London", "region": %q, "kind": "third_party", "country": "GB", "latitude": 51.5, "longitude": -0.1, "priority": 3}`, europe)
		a = p.put(t, "/v1/locations/"+location, place).is(t, 201)
		a.shape(t, locationShape+" latitude:float longitude:float"+stampShape)
		read = p.get(t, "/v1/locations/"+location).is(t, 200)
		if read.raw != a.raw || read.header.Get("ETag") != `"1"` || a.text(t, "region") != europe {
			t.Errorf("put %s and got %s", a.raw, read.raw)
		}
		p.put(t, "/v1/locations/"+location, fmt.Sprintf(`{"name": "London", "region": %q, "kind": "virtual", "country": "GB"}`, europe)).is(t, 200).shape(t, locationShape+stampShape)

		const channelShape = "channel:text name:text kind:text safety_stock:int"
		a = p.put(t, "/v1/channels/"+channel, fmt.Sprintf(`{"name": "Shop", "kind": "marketplace", "locations": [%q], "safety_stock": 9223372036854775807}`, location)).is(t, 201)
		a.shape(t, channelShape+" locations:list"+stampShape)
		read = p.get(t, "/v1/channels/"+channel).is(t, 200)
		if read.raw != a.raw || read.header.Get("ETag") != `"1"` || a.int(t, "safety_stock") != 1<<63-1 {
			t.Errorf("put %s and got %s", a.raw, read.raw)
		}
		p.put(t, "/v1/channels/"+channel, `{"name": "Shop", "kind": "pos"}`).is(t, 200).shape(t, channelShape+stampShape)

		a = p.get(t, "/v1/regions").is(t, 200)
		a.shape(t, "regions:list answered_by:text")
		a.shape(t, "name:text primary:bool latitude:float longitude:float countries:list", "regions", 0)
		if len(a.list(t, "regions")) != 3 || a.text(t, "answered_by") != america || a.header.Get("Stockyard-Region") != america {
			t.Errorf("regions are %s", a.raw)
		}
		for _, path := range []string{"/v1/products/" + sku, "/v1/locations/" + location, "/v1/channels/" + channel} {
			if a := p.do(t, "DELETE", path, "").is(t, 204); a.raw != "" {
				t.Errorf("%s: body %q", a.request, a.raw)
			}
			p.get(t, path).problem(t, 404, "not-found")
		}
	})
}

func TestStockAnswers(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		a := p.get(t, s.path()).is(t, 200)
		a.shape(t, levelShape)
		if got := p.balances(t, s); got != "on_hand 0 held 0 allocated 0 quarantined 0 shortfall 0 available 0" || a.int(t, "version") != 0 || a.header.Get("ETag") != "" {
			t.Errorf("a level that never had an event: %s, %s", a.raw, a.header.Get("ETag"))
		}
		p.get(t, s.path()+"/events").is(t, 200).shape(t, "items:list next_page_token:text")

		channel := name("chan")
		p.put(t, "/v1/channels/"+channel, `{"name": "x", "kind": "web"}`).is(t, 201)
		a = p.post(t, "/v1/movements", movement("receive", `, "reason": "r", "reference": "po-1", "channel": "`+channel+`", "effective_at": "2020-02-29T23:59:59.123456789+02:00"`,
			s.line(7, `, "unit_cost": {"amount": "0.000001", "currency": "EUR"}`))).is(t, 201)
		a.shape(t, "id:text kind:text region:text reason:text reference:text channel:text recorded_at:time effective_at:time lines:list")
		a.shape(t, "location:text sku:text deltas:object level:object", "lines", 0)
		a.shape(t, balancesShape, "lines", 0, "deltas")
		a.shape(t, levelShape, "lines", 0, "level")
		if a.text(t, "effective_at") != "2020-02-29T21:59:59.123456Z" || a.text(t, "region") != america || !strings.HasPrefix(a.text(t, "id"), america+".") {
			t.Errorf("movement is %s", a.raw)
		}
		p.post(t, "/v1/movements", s.movement("receive", 3)).is(t, 201).shape(t, "id:text kind:text region:text recorded_at:time effective_at:time lines:list")

		level := p.get(t, s.path()).is(t, 200)
		if level.header.Get("ETag") != `"2"` || level.int(t, "available") != 10 || level.text(t, "region") != america {
			t.Errorf("level is %s, %s", level.raw, level.header.Get("ETag"))
		}
		r := p.post(t, "/v1/reservations", s.reservation(4, `, "order_reference": "o-1", "channel": "`+channel+`"`)).is(t, 201)
		const reservationShape = "id:text region:text status:text order_reference:text channel:text lines:list shortages:list" + stampShape
		r.shape(t, reservationShape+" expires_at:time")
		r.shape(t, lineShape, "lines", 0)
		path := "/v1/reservations/" + r.text(t, "id")
		read := p.get(t, path).is(t, 200)
		if read.raw != r.raw || read.header.Get("ETag") != `"1"` || r.header.Get("ETag") != `"1"` {
			t.Errorf("reserved %s and got %s", r.raw, read.raw)
		}
		a = p.post(t, path+"/confirm", "").is(t, 200)
		a.shape(t, reservationShape+" expires_at:time?")
		if a.header.Get("ETag") != `"2"` || a.text(t, "status") != "allocated" {
			t.Errorf("confirmed: %s", a.raw)
		}
		p.eventsAreAsTheContractSays(t, s, a.text(t, "id"), channel)

		a = p.get(t, "/v1/availability?sku="+s.sku+"&region="+america).is(t, 200)
		a.shape(t, "items:list")
		a.shape(t, "sku:text available:int sellable:int by_region:object by_location:list", "items", 0)
		a.shape(t, america+":int", "items", 0, "by_region")
		a.shape(t, "location:text available:int", "items", 0, "by_location", 0)
		p.get(t, "/v1/stock?sku="+s.sku).is(t, 200).shape(t, levelShape, "items", 0)

		for _, of := range []string{s.path(), "/v1/availability?sku=" + s.sku, "/v1/stock?sku=" + s.sku, path} {
			at, err := time.Parse(time.RFC3339, p.get(t, of).header.Get("Stock-As-Of"))
			if err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("%s is as of %v: %v", of, at, err)
			}
		}
	})
}

func (p *pod) eventsAreAsTheContractSays(t *testing.T, s shelf, reservation, channel string) {
	t.Helper()
	const eventShape = "location:text sku:text region:text version:int kind:text deltas:object balances:object movement:text actor:text effective_at:time recorded_at:time"
	a := p.get(t, s.path()+"/events").is(t, 200)
	a.shape(t, eventShape+" reason:text reference:text channel:text unit_cost:object", "items", 0)
	a.shape(t, eventShape, "items", 1)
	a.shape(t, eventShape+" reservation:text reference:text channel:text", "items", 2)
	a.shape(t, eventShape+" reservation:text", "items", 3)
	for i, want := range []string{"receive", "receive", "reserve", "confirm"} {
		a.shape(t, balancesShape, "items", i, "deltas")
		a.shape(t, balancesShape, "items", i, "balances")
		if a.text(t, "items", i, "kind") != want || a.int(t, "items", i, "version") != int64(i+1) {
			t.Errorf("event %d is %s", i, a.compact(t, "items", i))
		}
	}
	if a.text(t, "items", 2, "reservation") != reservation || a.text(t, "items", 0, "channel") != channel || a.compact(t, "items", 0, "unit_cost") != `{"amount":"0.000001","currency":"EUR"}` {
		t.Errorf("events are %s", a.raw)
	}
	if d, b := a.compact(t, "items", 3, "deltas"), a.compact(t, "items", 3, "balances"); d != `{"allocated":4,"held":-4,"incoming":0,"on_hand":0,"quarantined":0,"shortfall":0}` ||
		b != `{"allocated":4,"held":0,"incoming":0,"on_hand":10,"quarantined":0,"shortfall":0}` {
		t.Errorf("confirm has deltas %s, balances %s", d, b)
	}
	if a := p.get(t, s.path()+"/events?after_version=3").is(t, 200); len(a.list(t, "items")) != 1 || a.int(t, "items", 0, "version") != 4 {
		t.Errorf("after version 3: %s", a.raw)
	}
}

func TestRequestIDs(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for given, taken := range map[string]bool{"": false, "r-1": true, strings.Repeat("x", 128): true, strings.Repeat("x", 129): false, "a b": false, "é": false} {
			a := p.get(t, "/v1/regions", "X-Request-Id", given).is(t, 200)
			if got := a.header.Get("X-Request-Id"); (got == given) != taken || len(got) == 0 {
				t.Errorf("X-Request-Id %q was answered with %q", given, got)
			}
		}
		if a := p.get(t, "/v1/nothing", "X-Request-Id", "r-2").problem(t, 404, "not-found"); a.text(t, "instance") != "r-2" {
			t.Errorf("instance: %s", a.raw)
		}
	})
}

func TestNamesThatOnlyLookWrong(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		location := p.location(t, america)
		prefix := name("n")
		for escaped, sku := range map[string]string{
			"a%20b": "a b", "a%2Fb": "a/b", "a+b": "a+b", "a%2Bb": "a+b", "a%252Fb": "a%2Fb", "100%25": "100%", "%E8%8C%B6": "茶", "%22q%22": `"q"`, "%5Cu0000": `\u0000`, "a%3Fb%23c": "a?b#c",
			"x%2Fevents": "x/events", "%F0%9F%8D%B5": "🍵", "%27%3B--": "';--", "%3Cb%3E": "<b>", "a:b@c;d,e=f&g": "a:b@c;d,e=f&g", "{sku}": "{sku}", "*": "*", "_%25": "_%",
		} {
			path, s := prefix+escaped, shelf{location, prefix + sku}
			if created := p.put(t, "/v1/products/"+path, `{"name": "x"}`); created.text(t, "sku") != s.sku {
				t.Fatalf("%s: %s", created.request, created.raw)
			}
			if got := p.get(t, "/v1/products/"+path).is(t, 200).text(t, "sku"); got != s.sku {
				t.Errorf("%s is %q", path, got)
			}
			p.receive(t, s, 1)
			if p.get(t, "/v1/stock/"+location+"/"+path).is(t, 200).text(t, "sku") != s.sku || p.get(t, "/v1/stock/"+location+"/"+path+"/events").is(t, 200).text(t, "items", 0, "sku") != s.sku {
				t.Errorf("%s was not found", path)
			}
			p.post(t, "/v1/reservations", s.reservation(1)).is(t, 201)
		}
		if n := len(p.get(t, "/v1/products?query="+prefix+"_%25").is(t, 200).list(t, "items")); n != 1 {
			t.Errorf("a search for _%% found %d", n)
		}
	})
}
