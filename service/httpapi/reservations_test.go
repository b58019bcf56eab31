package httpapi_test

import (
	"fmt"
	"testing"
	"time"
)

// units says what became of a reservation's lines: "quantity/fulfilled/released", line by line.
func (a answer) units(t *testing.T) (all string) {
	t.Helper()
	for i := range a.list(t, "lines") {
		all += fmt.Sprintf("%d/%d/%d ", a.int(t, "lines", i, "quantity"), a.int(t, "lines", i, "fulfilled"), a.int(t, "lines", i, "released"))
	}
	return all + a.text(t, "status")
}

func TestAReservationsLife(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b := p.shelf(t, 10), p.shelf(t, 10)
		began := time.Now()
		made := p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s, %s, %s]}`, a.line(3), b.line(4), a.line(2))).is(t, 201)
		path := "/v1/reservations/" + made.text(t, "id")
		expires, err := time.Parse(time.RFC3339, made.text(t, "expires_at"))
		if err != nil || (expires.Sub(began)-15*time.Minute).Abs() > time.Minute {
			t.Errorf("it expires at %v", expires)
		}
		for i, c := range []struct {
			step, body   string
			status       int
			kind         string
			units        string
			levelA       string
			levelB       string
			namesNothing bool
		}{
			{"fulfil", "", 409, "conflict", "3/0/0 4/0/0 2/0/0 held", level(10, 5, 0, 0, 0), level(10, 4, 0, 0, 0), true},
			{"extend", `{"expires_in": "720h"}`, 200, "", "3/0/0 4/0/0 2/0/0 held", level(10, 5, 0, 0, 0), level(10, 4, 0, 0, 0), false},
			{"release", `{"lines": [{"line": 3, "quantity": 3}]}`, 409, "conflict", "3/0/0 4/0/0 2/0/0 held", level(10, 5, 0, 0, 0), level(10, 4, 0, 0, 0), false},
			{"release", `{"lines": [{"line": 2, "quantity": 1}, {"line": 4}]}`, 409, "conflict", "3/0/0 4/0/0 2/0/0 held", level(10, 5, 0, 0, 0), level(10, 4, 0, 0, 0), false},
			{"release", `{"lines": [{"line": 2, "quantity": 1}]}`, 200, "", "3/0/0 4/0/1 2/0/0 held", level(10, 5, 0, 0, 0), level(10, 3, 0, 0, 0), false},
			{"release", `{"lines": [{"line": 3}]}`, 200, "", "3/0/0 4/0/1 2/0/2 held", level(10, 3, 0, 0, 0), level(10, 3, 0, 0, 0), false},
			{"confirm", `{"reason": "paid"}`, 200, "", "3/0/0 4/0/1 2/0/2 allocated", level(10, 0, 3, 0, 0), level(10, 0, 3, 0, 0), false},
			{"confirm", "", 409, "conflict", "3/0/0 4/0/1 2/0/2 allocated", level(10, 0, 3, 0, 0), level(10, 0, 3, 0, 0), true},
			{"extend", `{"expires_in": "5m"}`, 409, "conflict", "3/0/0 4/0/1 2/0/2 allocated", level(10, 0, 3, 0, 0), level(10, 0, 3, 0, 0), true},
			{"fulfil", `{"lines": [{"line": 1, "quantity": 1}, {"line": 1, "quantity": 1}]}`, 200, "", "3/2/0 4/0/1 2/0/2 allocated", level(8, 0, 1, 0, 0), level(10, 0, 3, 0, 0), false},
			{"fulfil", `{"lines": [{"line": 1, "quantity": 2}]}`, 409, "conflict", "3/2/0 4/0/1 2/0/2 allocated", level(8, 0, 1, 0, 0), level(10, 0, 3, 0, 0), false},
			{"release", `{"lines": [{"sku": "` + b.sku + `", "quantity": 2}]}`, 200, "", "3/2/0 4/0/3 2/0/2 allocated", level(8, 0, 1, 0, 0), level(10, 0, 1, 0, 0), false},
			{"fulfil", "", 200, "", "3/3/0 4/1/3 2/0/2 fulfilled", level(7, 0, 0, 0, 0), level(9, 0, 0, 0, 0), false},
			{"fulfil", "", 409, "conflict", "3/3/0 4/1/3 2/0/2 fulfilled", level(7, 0, 0, 0, 0), level(9, 0, 0, 0, 0), true},
			{"release", "", 409, "conflict", "3/3/0 4/1/3 2/0/2 fulfilled", level(7, 0, 0, 0, 0), level(9, 0, 0, 0, 0), true},
			{"confirm", "", 409, "conflict", "3/3/0 4/1/3 2/0/2 fulfilled", level(7, 0, 0, 0, 0), level(9, 0, 0, 0, 0), true},
		} {
			answered := p.post(t, path+"/"+c.step, c.body).is(t, c.status)
			if c.status != 200 && answered.text(t, "type") != "/problems/"+c.kind {
				t.Errorf("%d %s: %s", i, c.step, answered.raw)
			}
			if c.namesNothing && answered.has("errors") {
				t.Errorf("%d %s: %s", i, c.step, answered.raw)
			}
			read := p.get(t, path).is(t, 200)
			if c.status == 200 && read.raw != answered.raw {
				t.Errorf("%d %s gave %s, reading gives %s", i, c.step, answered.raw, read.raw)
			}
			if got := read.units(t); got != c.units || p.balances(t, a) != c.levelA || p.balances(t, b) != c.levelB {
				t.Fatalf("%d %s %s: %s, %s, %s", i, c.step, c.body, got, p.balances(t, a), p.balances(t, b))
			}
		}
		released := p.reserve(t, a, 1)
		if got := p.post(t, released+"/release", "{}").is(t, 200).units(t); got != "1/0/1 released" {
			t.Error(got)
		}
		for _, step := range []string{"confirm", "release", "fulfil"} {
			p.post(t, released+"/"+step, "").problem(t, 409, "conflict")
		}
	})
}

// until polls until a reservation has a status.
func (p *pod) until(t *testing.T, path, status string) answer {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if a := p.get(t, path).is(t, 200); a.text(t, "status") == status {
			return a
		}
	}
	t.Fatalf("%s is not %s", path, status)
	return answer{}
}

// No worker runs in these tests: expiry counts from its time on.
func TestExpiry(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		const brief = `, "expires_in": "1s"`
		a, b, c, d := p.shelf(t, 5), p.shelf(t, 5), p.shelf(t, 5), p.shelf(t, 5)
		kept, gone, given := p.reserve(t, a, 5, brief), p.reserve(t, b, 5, brief), p.reserve(t, c, 5, brief)
		order := name("order")
		two := "/v1/reservations/" + p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s, %s], "order_reference": %q, "expires_in": "1s"}`, d.line(2), d.line(3), order)).is(t, 201).text(t, "id")
		for _, path := range []string{kept, gone, given, two} {
			if a := p.until(t, path, "expired"); !a.has("expires_at") {
				t.Errorf("%s", a.raw)
			}
		}
		for _, s := range []shelf{a, b, c, d} {
			if got := p.balances(t, s); got != level(5, 0, 0, 0, 0) {
				t.Errorf("an expired hold blocks: %s", got)
			}
			if got := p.get(t, "/v1/availability?sku="+s.sku).int(t, "items", 0, "available"); got != 5 {
				t.Errorf("an expired hold blocks: %d available", got)
			}
			if n := len(p.get(t, "/v1/stock?available_below=5&sku="+s.sku).list(t, "items")); n != 0 {
				t.Errorf("an expired hold is listed as short")
			}
		}
		if list := p.get(t, "/v1/reservations?status=expired&order_reference="+order).is(t, 200); len(list.list(t, "items")) != 1 || list.text(t, "items", 0, "status") != "expired" {
			t.Errorf("expired ones are %s", list.raw)
		}
		if list := p.get(t, "/v1/reservations?status=held&order_reference="+order).is(t, 200); len(list.list(t, "items")) != 0 {
			t.Errorf("held ones are %s", list.raw)
		}
		// The units are there still: the confirmation takes them again.
		if got := p.post(t, kept+"/confirm", "").is(t, 200).units(t); got != "5/0/0 allocated" || p.balances(t, a) != level(5, 0, 5, 0, 0) {
			t.Errorf("confirmed after expiry: %s, %s", got, p.balances(t, a))
		}
		// They were sold: the sale goes through, and the confirmation doesn't.
		p.post(t, "/v1/movements", b.movement("sell", 4)).is(t, 201)
		refused := p.post(t, gone+"/confirm", "").problem(t, 409, "reservation-expired")
		if got := refused.compact(t, "shortages"); got != fmt.Sprintf(`[{"available":1,"line":1,"location":%q,"requested":5,"sku":%q}]`, b.location, b.sku) {
			t.Errorf("shortages are %s", got)
		}
		p.post(t, "/v1/movements", b.movement("receive", 4)).is(t, 201)
		p.post(t, gone+"/confirm", "").is(t, 200)
		// Nothing else can be done with one that is over.
		p.post(t, given+"/extend", `{"expires_in": "5m"}`).problem(t, 409, "reservation-expired")
		p.post(t, given+"/release", "").problem(t, 409, "conflict")
		p.post(t, given+"/fulfil", "").problem(t, 409, "conflict")
		p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 5}]}`, c.sku)).is(t, 201)
		// Counted, archived, scrapped: an expired hold stands in nobody's way.
		if a := p.post(t, "/v1/movements", d.movement("count", 0)).is(t, 201); a.has("warnings") || p.balances(t, d) != level(0, 0, 0, 0, 0) {
			t.Errorf("%s: %s", p.balances(t, d), a.raw)
		}
		p.do(t, "DELETE", "/v1/products/"+d.sku, "").is(t, 204)
	})
}
