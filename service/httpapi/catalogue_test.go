package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestMergePatch(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		path := "/v1/products/" + name("sku")
		p.put(t, path, `{"name": "Tea", "unit": "box", "unit_cost": {"amount": "1.50", "currency": "GBP"}, "attributes": {"a": {"b": 1, "c": [1, {"d": null}]}, "e": "f"}}`).is(t, 201)
		for i, c := range []struct{ patch, field, want string }{
			{`{}`, "name", `"Tea"`},
			{`{"name": "Green tea"}`, "unit", `"box"`},
			{`{"unit_cost": {"amount": "2.00"}}`, "unit_cost", `{"amount":"2.00","currency":"GBP"}`},
			{`{"attributes": {"a": {"b": null, "x": {"y": null, "z": 2}}, "g": null}}`, "attributes", `{"a":{"c":[1,{"d":null}],"x":{"z":2}},"e":"f"}`},
			{`{"attributes": {"a": [null]}}`, "attributes", `{"a":[null],"e":"f"}`},
			{`{"attributes": {"a": {"n": null}}}`, "attributes", `{"a":{},"e":"f"}`},
			{`{"attributes": {"e": null}}`, "attributes", `{"a":{}}`},
			{`{"unit": null, "unit_cost": null, "attributes": null}`, "name", `"Green tea"`},
		} {
			a := p.do(t, "PATCH", path, c.patch).is(t, 200)
			if got := a.compact(t, c.field); got != c.want {
				t.Errorf("%s: %s is %s, want %s", c.patch, c.field, got, c.want)
			}
			if read := p.get(t, path).is(t, 200); read.raw != a.raw || a.int(t, "version") != int64(i+2) {
				t.Errorf("%s gave %s, reading gives %s", c.patch, a.raw, read.raw)
			}
		}
		if a := p.get(t, path); a.has("unit") || a.has("unit_cost") || a.has("attributes") {
			t.Errorf("what was removed is there: %s", a.raw)
		}
		p.do(t, "PATCH", path, `{"sku": "other"}`).problem(t, 400, "invalid-request", "sku")

		channel := "/v1/channels/" + name("chan")
		p.put(t, channel, `{"name": "x", "kind": "web", "safety_stock": 9223372036854775807}`).is(t, 201)
		if a := p.do(t, "PATCH", channel, `{"name": "y"}`).is(t, 200); a.int(t, "safety_stock") != 1<<63-1 {
			t.Errorf("a patch of the name changed the safety stock: %s", a.raw)
		}
		if a := p.do(t, "PATCH", channel, `{"safety_stock": 9007199254740993}`).is(t, 200); a.int(t, "safety_stock") != 9007199254740993 {
			t.Errorf("the safety stock was rounded: %s", a.raw)
		}
	})
}

func TestALocationStaysInItsRegion(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		path := "/v1/locations/" + p.location(t, america, `, "latitude": 1, "longitude": 2, "priority": 5`)
		p.put(t, path, `{"name": "Site", "region": "asia-southeast1", "kind": "warehouse", "country": "GB"}`).problem(t, 409, "conflict", "region")
		p.do(t, "PATCH", path, `{"region": "asia-southeast1"}`).problem(t, 409, "conflict", "region")
		a := p.do(t, "PATCH", path, `{"region": "us-east1", "kind": "store", "latitude": null, "longitude": null}`).is(t, 200)
		if a.text(t, "region") != america || a.text(t, "kind") != "store" || a.has("latitude") || a.int(t, "priority") != 5 || a.int(t, "version") != 2 {
			t.Errorf("patched to %s", a.raw)
		}
		p.do(t, "DELETE", path, "").is(t, 204)
		p.put(t, path, `{"name": "Site", "region": "asia-southeast1", "kind": "warehouse", "country": "GB"}`).problem(t, 409, "conflict", "region")
		p.get(t, path).problem(t, 404, "not-found")
	})
}

func TestIfMatch(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for path, body := range map[string]string{
			"/v1/products/" + name("sku"):  `{"name": "x"}`,
			"/v1/locations/" + name("loc"): `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB"}`,
			"/v1/channels/" + name("chan"): `{"name": "x", "kind": "web"}`,
		} {
			current := func(version int64) {
				t.Helper()
				if version > 0 && p.get(t, path).is(t, 200).int(t, "version") != version {
					t.Errorf("%s: not at version %d", path, version)
				}
			}
			stale := func(method, etag string, expected, version int64) {
				t.Helper()
				a := p.do(t, method, path, body, "If-Match", etag).problem(t, 412, "version-mismatch")
				if a.int(t, "expected") != expected || a.int(t, "current") != version {
					t.Errorf("%s: %s", a.request, a.raw)
				}
				if want := fmt.Sprintf("%q", fmt.Sprint(version)); version > 0 && a.header.Get("ETag") != want {
					t.Errorf("%s: ETag is %s, want %s", a.request, a.header.Get("ETag"), want)
				}
				current(version)
			}
			stale("PUT", `"1"`, 1, 0)
			stale("PUT", "*", 0, 0)
			stale("PATCH", `"1"`, 1, 0)
			p.get(t, path).problem(t, 404, "not-found")
			p.put(t, path, body).is(t, 201)
			p.put(t, path, body, "If-Match", `"1"`).is(t, 200)
			stale("PUT", `"1"`, 1, 2)
			stale("PATCH", `"3"`, 3, 2)
			stale("DELETE", `"1"`, 1, 2)
			p.do(t, "PATCH", path, `{"name": "y"}`, "If-Match", `W/"2"`).is(t, 200)
			p.put(t, path, body, "If-Match", "*").is(t, 200)
			if a := p.do(t, "DELETE", path, "", "If-Match", `"4"`).is(t, 204); a.raw != "" {
				t.Errorf("%s: %s", a.request, a.raw)
			}
			p.do(t, "PATCH", path, `{"name": "y"}`).problem(t, 404, "not-found")
			p.do(t, "DELETE", path, "").problem(t, 404, "not-found")
			if a := p.put(t, path, body).is(t, 201); a.int(t, "version") != 6 || a.has("archived_at") {
				t.Errorf("revived: %s", a.raw)
			}
		}
	})
}

// A PUT that must make what isn't there never overwrites what is.
func TestIfNoneMatch(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for path, body := range map[string]string{
			"/v1/products/" + name("sku"):  `{"name": "x"}`,
			"/v1/locations/" + name("loc"): `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB"}`,
			"/v1/channels/" + name("chan"): `{"name": "x", "kind": "web"}`,
		} {
			p.put(t, path, body, "If-None-Match", "*").is(t, 201)
			a := p.put(t, path, strings.Replace(body, "x", "y", 1), "If-None-Match", "*").problem(t, 412, "version-mismatch")
			if a.int(t, "expected") != 0 || a.int(t, "current") != 1 || a.header.Get("ETag") != `"1"` {
				t.Errorf("%s: %s", a.request, a.raw)
			}
			if a := p.get(t, path); a.text(t, "name") != "x" || a.int(t, "version") != 1 {
				t.Errorf("%s was overwritten: %s", path, a.raw)
			}
			p.do(t, "DELETE", path, "").is(t, 204)
			p.put(t, path, body, "If-None-Match", "*").is(t, 201)
		}
	})
}

func TestArchiving(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 3)
		product, location := "/v1/products/"+s.sku, "/v1/locations/"+s.location
		untouched := shelf{s.location, p.product(t)}
		for _, path := range []string{product, location} {
			p.do(t, "DELETE", path, "").problem(t, 409, "conflict")
			p.get(t, path).is(t, 200)
		}
		p.post(t, "/v1/movements", s.movement("scrap", 3)).is(t, 201)

		refused := func(status int, kind string, at ...shelf) {
			t.Helper()
			for _, s := range at {
				for _, body := range []string{s.movement("receive", 1), s.movement("count", 1), s.movement("sell", 1)} {
					p.post(t, "/v1/movements", body).problem(t, 409, "conflict")
				}
				p.post(t, "/v1/reservations", s.reservation(1)).problem(t, 409, "conflict")
				p.get(t, s.path()).problem(t, status, kind)
			}
		}
		p.do(t, "DELETE", product, "").is(t, 204)
		refused(404, "not-found", s, shelf{p.location(t, america), s.sku})
		p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1}]}`, s.sku)).problem(t, 409, "conflict")
		p.get(t, "/v1/availability?sku="+s.sku).problem(t, 404, "not-found")
		if a := p.get(t, "/v1/stock?sku="+s.sku).is(t, 200); len(a.list(t, "items")) != 0 {
			t.Errorf("levels of an archived product: %s", a.raw)
		}
		if a := p.get(t, s.path()+"/events").is(t, 200); len(a.list(t, "items")) != 2 {
			t.Errorf("its history is %s", a.raw)
		}
		if a := p.put(t, product, `{"name": "back"}`).is(t, 201); a.int(t, "version") != 3 {
			t.Errorf("it came back as %s", a.raw)
		}
		p.receive(t, s, 1)
		if a := p.get(t, s.path()).is(t, 200); a.int(t, "version") != 3 || a.int(t, "on_hand") != 1 {
			t.Errorf("its stock goes on as %s", a.raw)
		}

		p.post(t, "/v1/movements", s.movement("scrap", 1)).is(t, 201)
		p.do(t, "DELETE", location, "").is(t, 204)
		refused(404, "not-found", s, untouched)
		p.put(t, location, `{"name": "back", "region": "us-east1", "kind": "store", "country": "GB"}`).is(t, 201)
		p.receive(t, s, 1)
		p.receive(t, untouched, 1)

		channel := name("chan")
		p.put(t, "/v1/channels/"+channel, `{"name": "x", "kind": "web"}`).is(t, 201)
		p.do(t, "DELETE", "/v1/channels/"+channel, "").is(t, 204)
		p.post(t, "/v1/reservations", s.reservation(1, fmt.Sprintf(`, "channel": %q`, channel))).problem(t, 404, "not-found")
		p.put(t, "/v1/channels/"+channel, `{"name": "x", "kind": "web"}`).is(t, 201)
		p.post(t, "/v1/reservations", s.reservation(1, fmt.Sprintf(`, "channel": %q`, channel))).is(t, 201)
	})
}
