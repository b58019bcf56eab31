package httpapi_test

import (
	"fmt"
	"testing"
)

// Balances of a level, to be compared at once.
func level(onHand, held, allocated, quarantined, shortfall int64) string {
	return fmt.Sprintf("on_hand %d held %d allocated %d quarantined %d shortfall %d available %d",
		onHand, held, allocated, quarantined, shortfall, onHand-held-allocated-quarantined-shortfall)
}

// step is a movement of one line and what the level is after it.
type step struct {
	kind     string
	quantity int64
	line     string // further members of the line
	more     string // further members of the movement
	status   int
	want     string
}

func (p *pod) walk(t *testing.T, s shelf, steps []step) {
	t.Helper()
	for _, c := range steps {
		version := p.get(t, s.path()).int(t, "version")
		a := p.post(t, "/v1/movements", movement(c.kind, c.more, s.line(c.quantity, c.line))).is(t, c.status)
		if got := p.balances(t, s); got != c.want {
			t.Fatalf("%s: %s, want %s", a.request, got, c.want)
		}
		after := p.get(t, s.path())
		switch {
		case c.status == 201 && (after.int(t, "version") != version+1 || after.compact(t) != a.compact(t, "lines", 0, "level")):
			t.Errorf("%s: answered %s, the level is %s", a.request, a.raw, after.raw)
		case c.status == 409 && (a.problem(t, 409, "insufficient-stock").int(t, "shortages", 0, "line") != 1 || after.int(t, "version") != version):
			t.Errorf("%s: %s, the level is %s", a.request, a.raw, after.raw)
		}
	}
}

func TestKindsOfMovements(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		const reason, quarantined, fromQuarantine, short = `, "reason": "x"`, `, "to": "quarantined"`, `, "from": "quarantined"`, `, "allow_shortfall": true`
		s := p.shelf(t, 0)
		p.walk(t, s, []step{
			{"sell", 1, "", "", 409, level(0, 0, 0, 0, 0)},
			{"receive", 10, "", "", 201, level(10, 0, 0, 0, 0)},
			{"sell", 4, "", "", 201, level(6, 0, 0, 0, 0)},
			{"sell", 7, "", "", 409, level(6, 0, 0, 0, 0)},
			{"return", 1, "", "", 201, level(7, 0, 0, 0, 0)},
			{"return", 2, quarantined, "", 201, level(9, 0, 0, 2, 0)},
			{"return", 1, "", quarantined, 201, level(10, 0, 0, 3, 0)},
			{"return", 1, `, "to": "available"`, quarantined, 201, level(11, 0, 0, 3, 0)},
			{"quarantine", 8, "", "", 201, level(11, 0, 0, 11, 0)},
			{"quarantine", 1, "", "", 409, level(11, 0, 0, 11, 0)},
			{"sell", 1, "", "", 409, level(11, 0, 0, 11, 0)},
			{"restore", 12, "", "", 409, level(11, 0, 0, 11, 0)},
			{"restore", 5, "", "", 201, level(11, 0, 0, 6, 0)},
			{"scrap", 6, "", "", 409, level(11, 0, 0, 6, 0)},
			{"scrap", 1, "", "", 201, level(10, 0, 0, 6, 0)},
			{"scrap", 2, fromQuarantine, "", 201, level(8, 0, 0, 4, 0)},
			{"scrap", 5, fromQuarantine, "", 409, level(8, 0, 0, 4, 0)},
			{"adjust", -5, "", reason, 409, level(8, 0, 0, 4, 0)},
			{"adjust", -4, "", reason, 201, level(4, 0, 0, 4, 0)},
			{"adjust", 3, "", reason, 201, level(7, 0, 0, 4, 0)},
			{"sell", 5, short, "", 201, level(4, 0, 0, 4, 2)},
			{"sell", 1, "", short, 201, level(4, 0, 0, 4, 3)},
			{"sell", 1, "", "", 409, level(4, 0, 0, 4, 3)},
			{"receive", 2, "", "", 201, level(4, 0, 0, 4, 1)},
			{"receive", 2, "", "", 201, level(5, 0, 0, 4, 0)},
			{"sell", 3, short, "", 201, level(4, 0, 0, 4, 2)},
			{"count", 9, "", "", 201, level(9, 0, 0, 4, 0)},
			{"count", 0, "", "", 201, level(4, 0, 0, 4, 4)},
			{"count", 4, "", "", 201, level(4, 0, 0, 4, 0)},
		})
	})
}

func TestCountsOfAnEarlierVersion(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10) // version 1
		p.walk(t, s, []step{
			{"sell", 3, "", "", 201, level(7, 0, 0, 0, 0)},
			{"receive", 1, "", "", 201, level(8, 0, 0, 0, 0)},
			{"count", 9, `, "as_of_version": 1`, "", 201, level(7, 0, 0, 0, 0)},
			{"sell", 2, "", "", 201, level(5, 0, 0, 0, 0)},
			{"count", 7, "", `, "as_of_version": 4`, 201, level(5, 0, 0, 0, 0)},
			{"count", 6, "", `, "as_of_version": 6`, 201, level(6, 0, 0, 0, 0)},
			{"count", 6, `, "as_of_version": 99`, "", 412, level(6, 0, 0, 0, 0)},
		})
		if a := p.get(t, s.path()+"/events?after_version=3&page_size=1").is(t, 200); a.compact(t, "items", 0, "deltas") != `{"allocated":0,"held":0,"incoming":0,"on_hand":-1,"quarantined":0,"shortfall":0}` {
			t.Errorf("the count posted %s", a.raw)
		}
		a := p.post(t, "/v1/movements", movement("count", "", s.line(1, `, "as_of_version": 99`))).problem(t, 412, "version-mismatch")
		if a.int(t, "expected") != 99 || a.int(t, "current") != 7 {
			t.Errorf("%s", a.raw)
		}
	})
}

func TestACountBelowWhatIsPromised(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10)
		held, allocated := p.reserve(t, s, 4), p.reserve(t, s, 3)
		p.post(t, allocated+"/confirm", "").is(t, 200)
		a := p.post(t, "/v1/movements", s.movement("count", 5)).is(t, 201)
		if got := p.balances(t, s); got != level(7, 4, 3, 0, 2) || len(a.list(t, "warnings")) != 1 {
			t.Errorf("%s: %s", got, a.raw)
		}
		p.post(t, "/v1/movements", s.movement("sell", 1)).problem(t, 409, "insufficient-stock")
		p.post(t, "/v1/reservations", s.reservation(1)).problem(t, 409, "insufficient-stock")
		p.post(t, held+"/release", "").is(t, 200)
		if got := p.balances(t, s); got != level(7, 0, 3, 0, 2) {
			t.Error(got)
		}
		if a := p.post(t, "/v1/movements", s.movement("count", 5)).is(t, 201); a.has("warnings") || p.balances(t, s) != level(5, 0, 3, 0, 0) {
			t.Errorf("%s: %s", p.balances(t, s), a.raw)
		}
	})
}

func TestLinesTakeEffectTogether(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b := p.shelf(t, 5), p.shelf(t, 5)
		c := shelf{p.location(t, asia), a.sku}
		p.receive(t, c, 5)
		refused := p.post(t, "/v1/movements", movement("sell", "", a.line(1), b.line(6), c.line(1), a.line(5), c.line(9))).problem(t, 409, "insufficient-stock")
		if got := refused.compact(t, "shortages"); got != fmt.Sprintf(
			`[{"available":5,"line":2,"location":%q,"requested":6,"sku":%q},{"available":4,"line":4,"location":%q,"requested":5,"sku":%q},{"available":4,"line":5,"location":%q,"requested":9,"sku":%q}]`,
			b.location, b.sku, a.location, a.sku, c.location, c.sku) {
			t.Errorf("shortages are %s", got)
		}
		refused = p.post(t, "/v1/movements", movement("sell", "", a.line(1), b.line(1, `, "if_version": 3`))).problem(t, 412, "version-mismatch")
		if refused.int(t, "expected") != 3 || refused.int(t, "current") != 1 {
			t.Errorf("%s", refused.raw)
		}
		never := shelf{a.location, b.sku}
		p.post(t, "/v1/movements", movement("receive", "", a.line(1), never.line(1, `, "if_version": 1`))).problem(t, 412, "version-mismatch")
		for _, s := range []shelf{a, b, c} {
			if got := p.get(t, s.path()); got.int(t, "version") != 1 || p.balances(t, s) != level(5, 0, 0, 0, 0) {
				t.Errorf("a refused movement moved %s", got.raw)
			}
		}
		p.post(t, "/v1/movements", movement("sell", "", a.line(2, `, "if_version": 1`), c.line(1), a.line(2, `, "if_version": 1`))).is(t, 201)
		p.post(t, "/v1/movements", movement("receive", "", never.line(1, `, "if_version": 0`))).is(t, 201)
		if got := p.balances(t, a); got != level(1, 0, 0, 0, 0) {
			t.Error(got)
		}
	})
}

func TestQuantitiesAtTheEndOfInt64(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		const most = 1<<63 - 1
		s := p.shelf(t, most)
		p.post(t, "/v1/movements", s.movement("receive", most)).problem(t, 409, "conflict", "lines[0].quantity")
		p.post(t, "/v1/movements", movement("return", "", s.line(1, `, "to": "quarantined"`))).problem(t, 409, "conflict", "lines[0].quantity")
		p.post(t, "/v1/movements", movement("adjust", `, "reason": "x"`, s.line(-1), s.line(2))).problem(t, 409, "conflict", "lines[1].quantity")
		other := shelf{p.location(t, europe), s.sku}
		p.receive(t, other, most)
		a := p.get(t, "/v1/availability?sku="+s.sku).is(t, 200)
		if a.int(t, "items", 0, "available") != most || a.int(t, "items", 0, "sellable") != most || a.int(t, "items", 0, "by_region", europe) != most {
			t.Errorf("sums don't stop at int64: %s", a.raw)
		}
		p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s, %s]}`, s.line(most), other.line(1))).problem(t, 400, "invalid-request", "lines[1].quantity")
		r := p.reserve(t, s, most)
		p.post(t, r+"/confirm", "").is(t, 200)
		if got := p.balances(t, s); got != level(most, 0, most, 0, 0) {
			t.Error(got)
		}
		p.post(t, r+"/fulfil", "").is(t, 200)
		short := `, "allow_shortfall": true`
		p.post(t, "/v1/movements", s.movement("sell", most, short)).is(t, 201)
		p.post(t, "/v1/movements", s.movement("sell", 1, short)).problem(t, 409, "conflict", "lines[0].quantity")
		if got := p.balances(t, s); got != level(0, 0, 0, 0, most) {
			t.Error(got)
		}
		channel := name("chan")
		p.put(t, "/v1/channels/"+channel, `{"name": "x", "kind": "web", "safety_stock": 9223372036854775807}`).is(t, 201)
		p.post(t, "/v1/movements", other.movement("sell", most)).is(t, 201)
		p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1}], "channel": %q}`, s.sku, channel)).problem(t, 409, "insufficient-stock")
		if a := p.get(t, "/v1/stock?sku="+s.sku+"&available_below=-9223372036854775806").is(t, 200); len(a.list(t, "items")) != 1 {
			t.Errorf("far below zero: %s", a.raw)
		}
		p.post(t, "/v1/movements", s.movement("count", 0)).is(t, 201)
	})
}
