package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"stockyard/service/inventory"
)

// movers are who may do which kind of movement, besides admins.
var movers = map[string]string{
	"receive": handlers, "sell": sellers, "return": shippers, "adjust": handlers, "count": handlers,
	"quarantine": handlers, "restore": handlers, "scrap": handlers,
}

func TestEachKindOfMovementHasItsRoles(t *testing.T) {
	var kinds []string
	for _, kind := range inventory.MovementKinds() {
		kinds = append(kinds, string(kind))
	}
	slices.Sort(kinds)
	if told := slices.Sorted(maps.Keys(movers)); !slices.Equal(kinds, told) {
		t.Fatalf("the kinds are %v, the test knows of %v", kinds, told)
	}
	secured(t, func(t *testing.T, s *site) {
		at := s.shelf(t, 1000)
		s.pod.post(t, "/v1/movements", at.movement("quarantine", 100)).is(t, 201)
		bodies := map[string]string{"sell short": at.movement("sell", 1, `, "allow_shortfall": true`)}
		for kind := range movers {
			units := 1
			if kind == "count" {
				units = 500
			}
			bodies[kind] = at.movement(kind, units, `, "reason": "as planned"`)
		}
		before := s.balances(t, at)
		for _, allowed := range []bool{false, true} {
			for _, role := range walkers {
				who := s.as(role + "@location:" + at.location)
				for what, body := range bodies {
					roles := movers[what]
					if what == "sell short" {
						roles = "pos"
					}
					may := role == "admin" || slices.Contains(strings.Fields(roles), role)
					switch {
					case may != allowed:
					case may:
						who.post(t, "/v1/movements", body).is(t, 201)
					default:
						who.post(t, "/v1/movements", body).forbidden(t)
					}
				}
			}
			if got := s.balances(t, at); (got != before) != allowed {
				t.Errorf("before %s, after %s", before, got)
			}
		}
	})
}

// One line at a place that isn't the caller's is enough, and a role here is none there.
func TestEveryLineOfAMovementMustBeTheCallers(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		near := s.shelf(t, 10)
		far := shelf{s.location(t, asia), near.sku}
		s.receive(t, far, 10)
		who := s.as("pos@region:"+america, "warehouse@region:"+asia)
		both := func(kind, more string) string { return movement(kind, more, near.line(1), far.line(1)) }
		for _, body := range []string{both("sell", ""), both("receive", ""), near.movement("receive", 1), far.movement("sell", 1)} {
			who.post(t, "/v1/movements", body).forbidden(t)
			who.post(t, "/v1/movements?dry_run=true", body).forbidden(t)
		}
		who.post(t, "/v1/movements", movement("sell", `, "allow_shortfall": true`, near.line(1), far.line(1, `, "allow_shortfall": false`))).forbidden(t)
		if near, far := s.balances(t, near), s.balances(t, far); near != far || !strings.HasPrefix(near, "on_hand 10 ") {
			t.Errorf("after what was refused: %s, %s", near, far)
		}
		who.post(t, "/v1/movements", near.movement("sell", 1)).is(t, 201)
		who.post(t, "/v1/movements", far.movement("receive", 1)).is(t, 201)
		who.post(t, "/v1/movements", both("return", "")).is(t, 201)
	})
}

func TestABatchIsJudgedCommandByCommand(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		near := s.shelf(t, 10)
		far := shelf{s.location(t, asia), near.sku}
		s.receive(t, far, 10)
		here, key := "@region:"+america, name("key")
		for _, c := range []struct{ path, field, item, near, far string }{
			{"/v1/movements/batch", "movements", "movement", near.movement("sell", 1), far.movement("sell", 1)},
			{"/v1/reservations/batch", "reservations", "reservation", near.reservation(1), far.reservation(1)},
		} {
			who := s.as("pos" + here)
			before := s.balances(t, near) + s.balances(t, far)
			batch := func(on string, items ...string) string {
				return fmt.Sprintf(`{%q: [%s], "on_error": %q}`, c.field, strings.Join(items, ", "), on)
			}
			all := batch("abort", c.near, c.far, c.near)
			who.post(t, c.path, all, "Idempotency-Key", c.item+key).forbidden(t)
			if after := s.balances(t, near) + s.balances(t, far); after != before {
				t.Errorf("all or none, %s: before %s, after %s", c.path, before, after)
			}
			s.pod.post(t, c.path, all, "Idempotency-Key", c.item+key).is(t, 200) // the refusal didn't take the key

			each := batch("continue", c.far, c.near, c.far, c.near)
			for range 2 {
				got := who.post(t, c.path, each, "Idempotency-Key", c.item+key+"-each").is(t, 200)
				for i, status := range []int64{403, 201, 403, 201} {
					if got.int(t, "items", i, "status") != status || got.has("items", i, c.item) != (status == 201) {
						t.Errorf("item %d is not %d: %s", i, status, got.raw)
					}
					if status == 403 && got.text(t, "items", i, "problem", "type") != "/problems/forbidden" {
						t.Errorf("item %d: %s", i, got.raw)
					}
				}
			}
			// Every try of every item counts, and counts once.
			s.refusals(t, "outcome=denied&actor="+who.actor(), 1+2*2)
		}
		if near, far := s.balances(t, near), s.balances(t, far); !strings.HasPrefix(near, "on_hand 6 held 4 ") || !strings.HasPrefix(far, "on_hand 9 held 1 ") {
			t.Errorf("in the end %s, %s", near, far)
		}
	})
}
