package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

// spread is a product with units at two locations in america and one in asia.
type spread struct {
	*site
	one, two, far shelf
}

func (s *site) spread(t *testing.T, units int64) spread {
	t.Helper()
	one := s.shelf(t, units)
	sp := spread{s, one, shelf{s.location(t, america), one.sku}, shelf{s.location(t, asia), one.sku}}
	s.receive(t, sp.two, units)
	s.receive(t, sp.far, units)
	return sp
}

// anywhere is the body of a reservation that says of no line where it is to come from.
func (s spread) anywhere(units int, more string) string {
	return fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": %d}]%s}`, s.one.sku, units, more)
}

// TestUnitsAreFoundAtTheCallersPlacesAlone: whatever the strategy would have liked better.
func TestUnitsAreFoundAtTheCallersPlacesAlone(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		sp := s.spread(t, 5)
		for _, c := range []struct {
			grants  []string
			places  []shelf
			enough  int
			tooMany int64 // of these, all that the caller may have are there
		}{
			{[]string{"pos@location:" + sp.two.location}, []shelf{sp.two}, 5, 5},
			{[]string{"integrator@region:" + america}, []shelf{sp.one, sp.two}, 10, 10},
			{[]string{"pos@region:" + asia, "viewer"}, []shelf{sp.far}, 5, 5},
			{[]string{"pos@location:" + sp.one.location, "integrator@region:" + asia}, []shelf{sp.one, sp.far}, 10, 10},
			{[]string{"pos@region:" + europe, "warehouse"}, nil, 0, 0},
		} {
			who := s.as(c.grants...)
			for _, more := range []string{"", `, "strategy": "nearest", "destination": {"region": "asia-southeast1"}`, `, "strategy": "priority"`, `, "strategy": "fewest_splits"`} {
				short := who.post(t, "/v1/reservations", sp.anywhere(c.enough+1, more)).problem(t, 409, "insufficient-stock")
				if got := short.int(t, "shortages", 0, "available"); got != c.tooMany {
					t.Errorf("%v%s: %d are available: %s", c.grants, more, got, short.raw)
				}
				if c.enough == 0 {
					continue
				}
				made := who.post(t, "/v1/reservations", sp.anywhere(c.enough+1, more+`, "policy": "partial"`)).is(t, 201)
				from := map[string]bool{}
				for i := range made.list(t, "lines") {
					from[made.text(t, "lines", i, "location")] = true
				}
				for _, place := range c.places {
					if !from[place.location] || len(from) != len(c.places) {
						t.Errorf("%v%s took %v", c.grants, more, from)
					}
				}
				who.post(t, "/v1/reservations/"+made.text(t, "id")+"/release", "").is(t, 200)
			}
			for _, place := range []shelf{sp.one, sp.two, sp.far} {
				got := who.post(t, "/v1/reservations", place.reservation(1))
				if contains(c.places, place) {
					who.post(t, "/v1/reservations/"+got.is(t, 201).text(t, "id")+"/release", "").is(t, 200)
				} else {
					got.forbidden(t)
				}
			}
		}
	})
}

func contains(places []shelf, place shelf) bool {
	for _, p := range places {
		if p == place {
			return true
		}
	}
	return false
}

// A step concerns all lines, also where it names only those at the caller's places.
func TestAReservationThatLiesElsewhereTooIsNotTheCallersToChange(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		sp := s.spread(t, 5)
		order := name("order")
		reserve := func(lines ...string) (path string) {
			body := fmt.Sprintf(`{"order_reference": %q, "lines": [%s]}`, order, strings.Join(lines, ", "))
			return "/v1/reservations/" + s.pod.post(t, "/v1/reservations", body).is(t, 201).text(t, "id")
		}
		own, mixed, foreign := reserve(sp.one.line(1)), reserve(sp.one.line(1), sp.far.line(1)), reserve(sp.far.line(1))
		who, looks := s.as("integrator@region:"+america), s.as("viewer@location:"+sp.one.location)
		steps := []struct{ step, body string }{
			{"/extend", `{"expires_in": "1h"}`},
			{"/release", `{"lines": [{"line": 1, "quantity": 1}]}`},
			{"/release", ""},
			{"/confirm", ""},
			{"/fulfil", `{"lines": [{"line": 1}]}`},
			{"/fulfil", ""},
		}
		for _, path := range []string{mixed, foreign} {
			before := s.get(t, path).is(t, 200)
			for _, c := range steps {
				who.post(t, path+c.step, c.body).forbidden(t)
				who.post(t, path+c.step+"?dry_run=true", c.body).forbidden(t)
			}
			if after := s.get(t, path); after.int(t, "version") != before.int(t, "version") {
				t.Errorf("before %s, after %s", before.raw, after.raw)
			}
		}
		for _, one := range []person{who, looks} {
			one.get(t, own).is(t, 200)
			one.get(t, mixed).is(t, 200)
			one.get(t, foreign).forbidden(t)
			one.get(t, own[:len(own)-4]+"zzzz").problem(t, 404, "not-found")
			listed := func(query string) int {
				return len(one.get(t, "/v1/reservations?order_reference="+order+query).is(t, 200).list(t, "items"))
			}
			if listed("") != 2 || listed("&location="+sp.one.location) != 2 || listed("&status=held&region="+asia) != 0 {
				t.Errorf("%s is shown %d reservations, not 2", one.credential, listed(""))
			}
			one.get(t, "/v1/reservations?location="+sp.far.location).forbidden(t)
		}
		who.post(t, own+"/confirm", "").is(t, 200)
		who.post(t, own+"/fulfil", "").is(t, 200)
		s.as("pos@region:"+america, "pos@location:"+sp.far.location).post(t, mixed+"/confirm", "").is(t, 200)
		s.as("warehouse@location:"+sp.one.location, "warehouse@location:"+sp.far.location).post(t, mixed+"/fulfil", "").is(t, 200)
	})
}
