package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"stockyard/service/store/storetest"
)

// repeats sends a command under a key, and again, also to another region's server: the first answer
// comes back, status and body byte for byte, and nothing is done.
func repeats(t *testing.T, p, other *pod, status int, path, body string) answer {
	t.Helper()
	key := name("key")
	first := p.post(t, path, body, "Idempotency-Key", key).is(t, status)
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("%s: the first answer says it was replayed", first.request)
	}
	for _, at := range []*pod{p, other, p} {
		again := at.post(t, path, body, "Idempotency-Key", key).is(t, status)
		if again.raw != first.raw {
			t.Errorf("%s: first\n%s, again at %s\n%s", first.request, first.raw, at.region, again.raw)
		}
		if again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Stockyard-Region") != at.region || again.header.Get("ETag") != first.header.Get("ETag") {
			t.Errorf("%s: headers of the repeat at %s are %v", first.request, at.region, again.header)
		}
	}
	for _, at := range []*pod{p, other} {
		spaced := strings.Replace(body, `": `, `" : `, 1)
		at.post(t, path, spaced, "Idempotency-Key", key).is(t, status)
		if strings.Contains(body, `"quantity": 1`) {
			at.post(t, path, strings.Replace(body, `"quantity": 1`, `"quantity": 2`, 1), "Idempotency-Key", key).problem(t, 422, "idempotency-key-reused")
		}
	}
	return first
}

// twoRegions is shared with a second server, of another region.
func twoRegions(t *testing.T, test func(t *testing.T, p, other *pod)) {
	t.Helper()
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		test(t, start(t, db, america), start(t, db, asia))
		db.Verify(t)
	})
}

func TestCommandsAreRepeatedByKey(t *testing.T) {
	twoRegions(t, func(t *testing.T, p, other *pod) {
		s, far := p.shelf(t, 10), shelf{p.location(t, asia), ""}
		far.sku = s.sku
		repeats(t, p, other, 201, "/v1/movements", s.movement("receive", 1))
		repeats(t, p, other, 201, "/v1/movements", movement("receive", `, "reason": "x", "effective_at": "2020-01-01T00:00:00.5+01:00"`, s.line(1), far.line(5)))
		repeats(t, p, other, 409, "/v1/movements", movement("sell", "", s.line(1), far.line(50)))
		repeats(t, p, other, 412, "/v1/movements", movement("sell", "", s.line(1, `, "if_version": 77`)))
		repeats(t, p, other, 409, "/v1/movements", s.movement("receive", "9223372036854775807"))
		repeats(t, p, other, 201, "/v1/movements", movement("sell", `, "allow_shortfall": true`, far.line(7)))
		repeats(t, p, other, 201, "/v1/movements", far.movement("count", 6))
		if got := p.balances(t, s); got != "on_hand 12 held 0 allocated 0 quarantined 0 shortfall 0 available 12" {
			t.Error(got)
		}
		r := "/v1/reservations/" + repeats(t, p, other, 201, "/v1/reservations", fmt.Sprintf(`{"lines": [%s, {"sku": %q, "quantity": 3}], "destination": {"country": "SG"}, "order_reference": "o"}`, s.line(1), s.sku)).text(t, "id")
		repeats(t, p, other, 201, "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1}, {"sku": %[1]q, "quantity": 100}], "policy": "partial"}`, s.sku))
		repeats(t, p, other, 409, "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1}, %s]}`, s.sku, far.line(100)))
		repeats(t, p, other, 200, r+"/extend", `{"expires_in": "1h"}`)
		repeats(t, p, other, 409, r+"/fulfil", "")
		repeats(t, p, other, 200, r+"/confirm", "")
		repeats(t, p, other, 409, r+"/confirm", `{"reason": "again"}`)
		repeats(t, p, other, 200, r+"/release", `{"lines": [{"line": 2, "quantity": 1}]}`)
		repeats(t, p, other, 200, r+"/fulfil", `{"lines": [{"line": 1, "quantity": 1}], "reference": "parcel"}`)
		repeats(t, p, other, 409, r+"/fulfil", `{"lines": [{"line": 1, "quantity": 1}]}`)
		repeats(t, p, other, 200, r+"/fulfil", "")
		repeats(t, p, other, 409, r+"/release", "")
	})
}

func TestBatchesAreRepeatedByKey(t *testing.T) {
	twoRegions(t, func(t *testing.T, p, other *pod) {
		s := p.shelf(t, 10)
		nothing := shelf{s.location, "nothing"}
		for _, c := range []struct {
			status     int
			on, items  string
			statuses   string
			what, door string
		}{
			{200, "continue", s.movement("receive", 1) + "," + s.movement("sell", 500) + "," + s.movement("return", 2), "201 409 201", "movements", "movement"},
			{200, "continue", s.movement("receive", 1) + "," + nothing.movement("receive", 1) + "," + s.movement("sell", -1), "201 404 400", "movements", "movement"},
			{200, "abort", s.movement("receive", 1) + "," + s.movement("sell", 2), "201 201", "movements", "movement"},
			{409, "abort", s.movement("receive", 1) + "," + s.movement("sell", 500), "424 409", "movements", "movement"},
			{200, "continue", s.reservation(1) + "," + s.reservation(500), "201 409", "reservations", "reservation"},
			{200, "abort", s.reservation(1) + "," + s.reservation(2), "201 201", "reservations", "reservation"},
			{409, "abort", s.reservation(1) + "," + s.reservation(500) + "," + s.reservation(1), "424 409 424", "reservations", "reservation"},
		} {
			body := fmt.Sprintf(`{"on_error": %q, %q: [%s]}`, c.on, c.what, c.items)
			a := repeats(t, p, other, c.status, "/v1/"+c.what+"/batch", body)
			var statuses []string
			for i := range a.list(t, "items") {
				statuses = append(statuses, fmt.Sprint(a.int(t, "items", i, "status")))
				if accepted := statuses[i] == "201"; accepted != a.has("items", i, c.door, "id") || accepted == a.has("items", i, "problem") {
					t.Errorf("%s: item %d is %s", a.request, i, a.compact(t, "items", i))
				}
			}
			if got := strings.Join(statuses, " "); got != c.statuses {
				t.Errorf("%s: statuses are %s, want %s", a.request, got, c.statuses)
			}
			if c.status == 409 {
				a.problem(t, 409, "insufficient-stock")
				if a.int(t, "shortages", 0, "requested") != 500 {
					t.Errorf("%s: %s", a.request, a.raw)
				}
			}
		}
		if got := p.balances(t, s); got != "on_hand 13 held 4 allocated 0 quarantined 0 shortfall 0 available 9" {
			t.Error(got)
		}
		wrong := fmt.Sprintf(`{"on_error": "abort", "movements": [%s, %s]}`, s.movement("receive", 1), s.movement("sell", 0))
		if a := p.post(t, "/v1/movements/batch", wrong).problem(t, 400, "invalid-request", "lines[0].quantity"); a.int(t, "items", 1, "status") != 400 {
			t.Errorf("%s", a.raw)
		}
		key := name("key")
		p.post(t, "/v1/movements/batch", fmt.Sprintf(`{"movements": [%s]}`, s.movement("receive", 1)), "Idempotency-Key", key).is(t, 200)
		for _, own := range []string{"/1", "1", "-1"} { // no key of a caller's is that of a batch's command
			if a := p.post(t, "/v1/movements", s.movement("receive", 1), "Idempotency-Key", key+own).is(t, 201); a.header.Get("Idempotency-Replayed") != "" {
				t.Errorf("%s: said to be replayed", a.request)
			}
		}
		p.post(t, "/v1/movements", s.movement("receive", 1), "Idempotency-Key", key).problem(t, 422, "idempotency-key-reused")
		p.post(t, "/v1/movements/batch", fmt.Sprintf(`{"on_error": "abort", "movements": [%s]}`, s.movement("receive", 1)), "Idempotency-Key", key).problem(t, 422, "idempotency-key-reused")
	})
}

func TestKeys(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10)
		// 255 characters are allowed, whatever the command, and "x" is not "x ".
		for i, path := range []string{"/v1/movements", "/v1/movements/batch", "/v1/movements/batch"} {
			body := []string{s.movement("receive", 1), `{"movements": [` + s.movement("receive", 1) + `]}`, `{"on_error": "abort", "movements": [` + s.movement("receive", 1) + `]}`}[i]
			key := name("~ !\"#$%&'()*+,-./:;<=>?@[]^_`{|}") + " "
			key += strings.Repeat("k", 255-len(key))
			a := p.post(t, path, body, "Idempotency-Key", key)
			if a.status >= 300 || p.post(t, path, body, "Idempotency-Key", key).raw != a.raw {
				t.Errorf("%s under a key of 255 characters: %d %s", path, a.status, a.raw)
			}
			p.post(t, path, body, "Idempotency-Key", key[:254]).is(t, a.status)
		}
		if got := p.get(t, s.path()).int(t, "on_hand"); got != 16 {
			t.Errorf("on hand are %d", got)
		}
		// A key stands for a step of one reservation.
		step, one, other := name("key"), p.reserve(t, s, 1), p.reserve(t, s, 1)
		p.post(t, one+"/confirm", "", "Idempotency-Key", step).is(t, 200)
		for _, path := range []string{other + "/confirm", one + "/fulfil", one + "/release"} {
			p.post(t, path, "", "Idempotency-Key", step).problem(t, 422, "idempotency-key-reused")
		}
		// What was never taken in may be mended and sent again under its key.
		key, sku := name("key"), name("sku")
		later := shelf{s.location, sku}
		p.post(t, "/v1/movements", later.movement("receive", 0), "Idempotency-Key", key).problem(t, 400, "invalid-request", "lines[0].quantity")
		p.post(t, "/v1/movements", later.movement("receive", 1), "Idempotency-Key", key).problem(t, 404, "not-found")
		p.put(t, "/v1/products/"+sku, `{"name": "x"}`).is(t, 201)
		if a := p.post(t, "/v1/movements", later.movement("receive", 1), "Idempotency-Key", key).is(t, 201); a.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s: said to be replayed", a.request)
		}
		p.post(t, "/v1/reservations", later.reservation(1), "Idempotency-Key", key).problem(t, 422, "idempotency-key-reused")
	})
}

func dryRuns(t *testing.T, p *pod) {
	s := p.shelf(t, 10)
	r, allocated := p.reserve(t, s, 2), p.reserve(t, s, 1)
	p.post(t, allocated+"/confirm", "").is(t, 200)
	trace := p.watch(t)
	before := trace()
	for _, c := range []struct {
		status     int
		path, body string
	}{
		{201, "/v1/movements", s.movement("sell", 7)},
		{409, "/v1/movements", s.movement("sell", 8)},
		{412, "/v1/movements", movement("sell", "", s.line(1, `, "if_version": 9`))},
		{404, "/v1/movements", shelf{s.location, "nothing"}.movement("sell", 7)},
		{400, "/v1/movements", s.movement("sell", 0)},
		{201, "/v1/reservations", s.reservation(7)},
		{409, "/v1/reservations", s.reservation(8)},
		{201, "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 8}], "policy": "partial"}`, s.sku)},
		{200, r + "/confirm", ""},
		{200, r + "/extend", `{"expires_in": "2h"}`},
		{200, r + "/release", ""},
		{409, r + "/fulfil", ""},
		{200, allocated + "/fulfil", ""},
		{200, allocated + "/release", ""},
		{409, allocated + "/confirm", ""},
		{200, "/v1/movements/batch", `{"movements": [` + s.movement("sell", 3) + `, ` + s.movement("sell", 80) + `]}`},
		{200, "/v1/movements/batch", `{"on_error": "abort", "movements": [` + s.movement("sell", 3) + `, ` + s.movement("sell", 4) + `]}`},
		{409, "/v1/reservations/batch", `{"on_error": "abort", "reservations": [` + s.reservation(3) + `, ` + s.reservation(5) + `]}`},
	} {
		for _, key := range []string{"", "the same for all"} {
			p.post(t, c.path+"?dry_run=true", c.body, "Idempotency-Key", key).is(t, c.status)
			if after := trace(); after != before {
				t.Fatalf("%s %s left a trace: %s, before %s", c.path, c.body, after, before)
			}
		}
	}
	// The answer is that of the command in earnest, but for ids and times.
	const passing = "id region recorded_at effective_at expires_at created_at updated_at instance"
	for _, c := range []struct{ path, body string }{
		{"/v1/movements", s.movement("sell", 8)},
		{"/v1/movements", movement("adjust", `, "reason": "x"`, s.line(-2), s.line(3))},
		{"/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 80}], "policy": "partial"}`, s.sku)},
		{r + "/confirm", ""},
		{allocated + "/fulfil", ""},
	} {
		dry, wet := p.post(t, c.path+"?dry_run=true", c.body), p.post(t, c.path+"?dry_run=false", c.body)
		for _, a := range []answer{dry, wet} {
			a.without(strings.Fields(passing)...)
		}
		if d, w := dry.compact(t), wet.compact(t); d != w || dry.status != wet.status || dry.header.Get("ETag") != wet.header.Get("ETag") {
			t.Errorf("dry %s, in earnest %s", d, w)
		}
	}
}
