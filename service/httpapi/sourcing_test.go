package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

// placed says where a reservation's units are: "location:quantity", line by line.
func (a answer) placed(t *testing.T) string {
	t.Helper()
	var parts []string
	for i := range a.list(t, "lines") {
		parts = append(parts, fmt.Sprintf("%s:%d", a.text(t, "lines", i, "location"), a.int(t, "lines", i, "quantity")))
	}
	return strings.Join(parts, " ")
}

func TestSourcing(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		sku := p.product(t)
		// New York goes first, Paris and Singapore are farther down; London never has any.
		york := shelf{p.location(t, america, `, "latitude": 40.7, "longitude": -74, "priority": 1`), sku}
		paris := shelf{p.location(t, europe, `, "latitude": 48.9, "longitude": 2.4, "priority": 2`), sku}
		london := shelf{p.location(t, europe, `, "latitude": 51.5, "longitude": -0.1, "priority": 0`), sku}
		singapore := shelf{p.location(t, asia, `, "priority": 3`), sku}
		p.receive(t, york, 4)
		p.receive(t, paris, 6)
		p.receive(t, singapore, 9)
		only := p.channel(t, fmt.Sprintf(`"locations": [%q, %q]`, paris.location, london.location))
		careful := p.channel(t, `"safety_stock": 3`)
		at := func(parts ...any) string {
			return strings.TrimSpace(fmt.Sprintln(parts...))
		}
		part := func(s shelf, units int) string { return fmt.Sprintf("%s:%d", s.location, units) }
		for _, c := range []struct {
			about, lines, more string
			want               string // "" is a refusal
		}{
			{"by priority", "4", "", part(york, 4)},
			{"whole from the second", "5", "", part(paris, 5)},
			{"over two, by priority", "10", "", at(part(york, 4), part(paris, 6))},
			{"over all", "19", "", at(part(york, 4), part(paris, 6), part(singapore, 9))},
			{"more than there is", "20", "", ""},
			{"nearest to a country", "3", `, "destination": {"country": "SG"}`, part(singapore, 3)},
			{"nearest to a region", "3", `, "strategy": "nearest", "destination": {"region": "europe-west1"}`, part(paris, 3)},
			{"nearest to a point", "10", `, "strategy": "nearest", "destination": {"latitude": 42, "longitude": -71}`, at(part(york, 4), part(paris, 6))},
			{"farthest first, by priority all the same", "3", `, "strategy": "priority", "destination": {"country": "SG"}`, part(york, 3)},
			{"fewest splits", "13", `, "strategy": "fewest_splits"`, at(part(singapore, 9), part(york, 4))},
			{"fewest splits of one", "9", `, "strategy": "fewest_splits"`, part(singapore, 9)},
			{"a channel's locations", "6", fmt.Sprintf(`, "channel": %q`, only), part(paris, 6)},
			{"more than a channel's locations have", "7", fmt.Sprintf(`, "channel": %q`, only), ""},
			{"safety stock is kept back everywhere", "10", fmt.Sprintf(`, "channel": %q`, careful), at(part(york, 1), part(paris, 3), part(singapore, 6))},
			{"more than safety stock leaves", "11", fmt.Sprintf(`, "channel": %q`, careful), ""},
			{"what there is, of more", "25", `, "policy": "partial"`, at(part(york, 4), part(paris, 6), part(singapore, 9))},
			{"the same SKU twice", "4,15", "", at(part(york, 4), part(paris, 6), part(singapore, 9))},
			{"the same SKU twice, too much together", "10,10", "", ""},
		} {
			var lines []string
			for _, quantity := range strings.Split(c.lines, ",") {
				lines = append(lines, fmt.Sprintf(`{"sku": %q, "quantity": %s}`, sku, quantity))
			}
			a := p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s]%s}`, strings.Join(lines, ","), c.more))
			if c.want == "" {
				a.problem(t, 409, "insufficient-stock")
				if a.has("shortages", 0, "location") {
					t.Errorf("%s: %s", c.about, a.raw)
				}
				continue
			}
			if got := a.is(t, 201).placed(t); got != c.want {
				t.Errorf("%s: placed %s, want %s", c.about, got, c.want)
			}
			if short := len(a.list(t, "shortages")); (short > 0) != (c.about == "what there is, of more") {
				t.Errorf("%s: %s", c.about, a.raw)
			}
			p.post(t, "/v1/reservations/"+a.text(t, "id")+"/release", "").is(t, 200)
		}
		for _, s := range []shelf{york, paris, singapore, london} {
			if l := p.get(t, s.path()).is(t, 200); l.int(t, "held") != 0 || l.int(t, "allocated") != 0 {
				t.Errorf("%s: %s", s.location, l.raw)
			}
		}
	})
}

func (p *pod) channel(t *testing.T, member string) (channel string) {
	t.Helper()
	channel = name("chan")
	p.put(t, "/v1/channels/"+channel, `{"name": "x", "kind": "web", `+member+`}`).is(t, 201)
	return channel
}

func TestLocatedLinesOfAChannel(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10)
		elsewhere := p.channel(t, fmt.Sprintf(`"locations": [%q]`, p.location(t, america)))
		careful := p.channel(t, `"safety_stock": 4`)
		through := func(channel string) string { return fmt.Sprintf(`, "channel": %q`, channel) }
		p.post(t, "/v1/reservations", s.reservation(1, through(elsewhere))).problem(t, 400, "invalid-request", "lines[0].location")
		a := p.post(t, "/v1/reservations", s.reservation(7, through(careful))).problem(t, 409, "insufficient-stock")
		if got := a.compact(t, "shortages"); got != fmt.Sprintf(`[{"available":6,"line":1,"location":%q,"requested":7,"sku":%q}]`, s.location, s.sku) {
			t.Errorf("shortages are %s", got)
		}
		p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s, %s]%s}`, s.line(3), s.line(4), through(careful))).problem(t, 409, "insufficient-stock")
		for channel, sellable := range map[string]int64{careful: 6, elsewhere: 0} {
			if a := p.get(t, "/v1/availability?sku="+s.sku+"&channel="+channel).is(t, 200); a.int(t, "items", 0, "sellable") != sellable {
				t.Errorf("sellable is %s", a.raw)
			}
		}
		if a := p.post(t, "/v1/reservations", s.reservation(9, through(careful), `, "policy": "partial"`)).is(t, 201); a.placed(t) != s.location+":6" || a.int(t, "shortages", 0, "available") != 6 {
			t.Errorf("partly: %s", a.raw)
		}
		p.post(t, "/v1/reservations", s.reservation(1, through(careful), `, "policy": "partial"`)).problem(t, 409, "insufficient-stock")
		p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s]}`, s.line(1, `, "if_version": 1`))).problem(t, 412, "version-mismatch")
		p.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s]}`, s.line(4, `, "if_version": 2`))).is(t, 201)
		if got := p.balances(t, s); got != level(10, 10, 0, 0, 0) {
			t.Error(got)
		}
	})
}

func TestAReservationOverRegions(t *testing.T) {
	twoRegions(t, func(t *testing.T, p, other *pod) {
		near, far := p.shelf(t, 5), shelf{p.location(t, asia), ""}
		far.sku = near.sku
		other.receive(t, far, 5)
		made := other.post(t, "/v1/reservations", fmt.Sprintf(`{"lines": [%s, %s]}`, near.line(3), far.line(3))).is(t, 201)
		path := "/v1/reservations/" + made.text(t, "id")
		if made.text(t, "region") != america || made.header.Get("Stockyard-Region") != asia {
			t.Errorf("made %s at %s", made.raw, made.header.Get("Stockyard-Region"))
		}
		if a := p.get(t, path).is(t, 200); a.raw != made.raw {
			t.Errorf("made %s, read %s", made.raw, a.raw)
		}
		for _, query := range []string{"order_reference=", "location=" + near.location, "location=" + far.location, "status=held&location=" + far.location} {
			a := other.get(t, "/v1/reservations?page_size=1000&"+query).is(t, 200)
			if !strings.Contains(a.raw, strings.TrimSpace(made.raw)) {
				t.Errorf("%s: %s", query, a.raw)
			}
		}
		p.post(t, path+"/confirm", "").is(t, 200)
		other.post(t, path+"/fulfil", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 4}]}`, near.sku)).is(t, 200)
		if a, b := p.balances(t, near), p.balances(t, far); a != level(2, 0, 0, 0, 0) || b != level(4, 0, 2, 0, 0) {
			t.Errorf("%s, %s", a, b)
		}
		a := p.get(t, "/v1/availability?sku="+near.sku).is(t, 200)
		if a.int(t, "items", 0, "by_region", america) != 2 || a.int(t, "items", 0, "by_region", asia) != 2 || a.int(t, "items", 0, "available") != 4 {
			t.Errorf("available is %s", a.raw)
		}
		// One key, two commands whose homes differ: it is the same key all the same.
		key := name("key")
		p.post(t, "/v1/movements", near.movement("receive", 1), "Idempotency-Key", key).is(t, 201)
		p.post(t, "/v1/movements", far.movement("receive", 1), "Idempotency-Key", key).problem(t, 422, "idempotency-key-reused")
	})
}
