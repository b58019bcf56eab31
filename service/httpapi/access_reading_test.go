package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// locations gives those in a list, in its order, page after page of one.
func (p person) locations(t *testing.T, path string) (found []string) {
	t.Helper()
	for token := ""; ; {
		page := p.get(t, path+"&page_size=1&page_token="+token).is(t, 200)
		for i := range page.list(t, "items") {
			found = append(found, page.text(t, "items", i, "location"))
		}
		if token = page.text(t, "next_page_token"); token == "" {
			slices.Sort(found)
			return found
		}
	}
}

func sorted(places []shelf) (names []string) {
	for _, p := range places {
		names = append(names, p.location)
	}
	slices.Sort(names)
	return names
}

// Lists and sums have what the grants cover and nothing else; what isn't covered can't be named.
func TestStockIsShownWhereTheGrantsAreGood(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		sp := s.spread(t, 5)
		everything := []shelf{sp.one, sp.two, sp.far}
		for _, c := range []struct {
			grants []string
			sees   []shelf
		}{
			{[]string{"viewer"}, everything},
			{[]string{"viewer", "warehouse@region:" + europe}, everything},
			{[]string{"planner@region:" + america}, []shelf{sp.one, sp.two}},
			{[]string{"pos@location:" + sp.two.location}, []shelf{sp.two}},
			{[]string{"viewer@location:" + sp.one.location + ",region:" + asia}, []shelf{sp.one, sp.far}},
			{[]string{"viewer@location:" + sp.one.location, "pos@region:" + america}, []shelf{sp.one, sp.two}},
			{[]string{"admin@region:" + europe}, nil},
		} {
			who := s.as(c.grants...)
			if got := who.locations(t, "/v1/stock?sku="+sp.one.sku); !slices.Equal(got, sorted(c.sees)) {
				t.Errorf("%v: listed are %v, not %v", c.grants, got, sorted(c.sees))
			}
			about := who.get(t, "/v1/availability?sku="+sp.one.sku).is(t, 200)
			if got := about.int(t, "items", 0, "available"); got != int64(5*len(c.sees)) || len(about.list(t, "items", 0, "by_location")) != len(c.sees) {
				t.Errorf("%v: available are %s", c.grants, about.raw)
			}
			for _, place := range everything {
				paths := []string{
					place.path(), place.path() + "?as_of=" + time.Now().UTC().Format(time.RFC3339), place.path() + "/events",
					"/v1/stock?location=" + place.location, "/v1/reservations?location=" + place.location,
				}
				for _, path := range paths {
					if got := who.get(t, path); contains(c.sees, place) {
						got.is(t, 200)
					} else {
						got.forbidden(t)
					}
				}
			}
			for region, places := range map[string][]shelf{america: {sp.one, sp.two}, asia: {sp.far}} {
				var sees []shelf
				for _, place := range places {
					if contains(c.sees, place) {
						sees = append(sees, place)
					}
				}
				of := "sku=" + sp.one.sku + "&region=" + region
				if len(sees) == 0 {
					who.get(t, "/v1/stock?"+of).forbidden(t)
					who.get(t, "/v1/availability?"+of).forbidden(t)
					continue
				}
				if got := who.locations(t, "/v1/stock?"+of); !slices.Equal(got, sorted(sees)) {
					t.Errorf("%v: listed of %s are %v, not %v", c.grants, region, got, sorted(sees))
				}
				if got := who.get(t, "/v1/availability?"+of).is(t, 200); got.int(t, "items", 0, "available") != int64(5*len(sees)) {
					t.Errorf("%v: available in %s are %s", c.grants, region, got.raw)
				}
			}
		}
	})
}

// A page of a list ends where the caller's places do: a token of somebody who sees more opens no more.
func TestATokenOpensNoMoreThanTheGrants(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		sp := s.spread(t, 5)
		path := "/v1/stock?page_size=1&sku=" + sp.one.sku
		token := s.as("viewer").get(t, path).is(t, 200).text(t, "next_page_token")
		for _, bound := range []shelf{sp.one, sp.two, sp.far} {
			got := s.as("viewer@location:"+bound.location).get(t, path+"&page_token="+token)
			for _, place := range []shelf{sp.one, sp.two, sp.far} {
				if place != bound && strings.Contains(got.raw, place.location) {
					t.Errorf("somebody at %s alone is shown %s", bound.location, got.raw)
				}
			}
		}
	})
}

func TestATransferIsItsSendersUntilItArrives(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		sp := s.spread(t, 50)
		sender, receiver := s.as("warehouse@location:"+sp.one.location), s.as("warehouse@region:"+asia)
		strangers := []person{s.as("warehouse@location:" + sp.two.location), s.as("integrator@region:"+europe, "viewer@location:"+sp.one.location)}
		plan := func(from, to shelf, reference string) string {
			return fmt.Sprintf(`{"from": %q, "to": %q, "reference": %q, "lines": [{"sku": %q, "quantity": 2}]}`, from.location, to.location, reference, from.sku)
		}
		lorry := name("lorry")
		for _, one := range append(strangers, receiver) {
			one.post(t, "/v1/transfers", plan(sp.one, sp.far, "")).forbidden(t)
		}
		path := "/v1/transfers/" + sender.post(t, "/v1/transfers", plan(sp.one, sp.far, lorry)).is(t, 201).text(t, "id")
		draft := "/v1/transfers/" + sender.post(t, "/v1/transfers", plan(sp.one, sp.far, "")).is(t, 201).text(t, "id")
		arrived := fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1}]}`, sp.one.sku)
		lost := `{"disposition": "lost"}`
		// only lets one do a step, and everybody else be refused before that.
		only := func(who person, path, step, body string) {
			t.Helper()
			for _, other := range append(strangers, sender, receiver) {
				if other != who {
					other.post(t, path+step, body).forbidden(t)
				}
			}
			who.post(t, path+step, body).is(t, 200)
		}
		only(sender, draft, "/cancel", "")
		only(sender, path, "/ship", "")
		only(receiver, path, "/receive", arrived)
		only(sender, path, "/close", lost)
		for _, one := range []person{sender, receiver, strangers[1]} {
			one.get(t, path).is(t, 200)
		}
		strangers[0].get(t, path).forbidden(t)

		s.pod.post(t, "/v1/transfers", plan(sp.far, sp.two, lorry)).is(t, 201)
		s.pod.post(t, "/v1/transfers", plan(sp.two, sp.one, lorry)).is(t, 201)
		for i, want := range map[int]int{0: 2, 1: 2} {
			if got := strangers[i].get(t, "/v1/transfers?reference="+lorry).is(t, 200); len(got.list(t, "items")) != want {
				t.Errorf("%s is shown %s", strangers[i].credential, got.raw)
			}
		}
		ends := func(from, to shelf) string { return "/v1/transfers?from=" + from.location + "&to=" + to.location }
		if got := receiver.get(t, ends(sp.one, sp.far)).is(t, 200); len(got.list(t, "items")) != 2 {
			t.Errorf("the receiver is shown %s", got.raw)
		}
		receiver.get(t, ends(sp.two, sp.one)).forbidden(t)
		if got := receiver.get(t, "/v1/transfers?from="+sp.two.location).is(t, 200); len(got.list(t, "items")) != 0 {
			t.Errorf("the receiver is shown what doesn't come to it: %s", got.raw)
		}
	})
}

func TestALocationIsKeptByThoseOfItsPlace(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		in := func(region string) string {
			return fmt.Sprintf(`{"name": "Site", "region": %q, "kind": "store", "country": "GB"}`, region)
		}
		far, own := "/v1/locations/"+s.location(t, asia), name("loc")
		here, one := s.as("integrator@region:"+america, "viewer"), s.as("integrator@location:"+own)
		mine := "/v1/locations/" + own
		here.do(t, "PUT", "/v1/locations/"+name("loc"), in(europe)).forbidden(t)
		here.do(t, "PUT", far, in(asia)).forbidden(t)
		here.do(t, "PATCH", far, `{"name": "Mine"}`).forbidden(t)
		here.do(t, "PATCH", far, `{"region": "us-east1"}`).forbidden(t)
		here.do(t, "DELETE", far, "").forbidden(t)
		// Saying that it lies here doesn't bring it here.
		here.do(t, "PUT", far, in(america)).problem(t, 409, "conflict", "region")
		if got := s.pod.get(t, far).is(t, 200); got.int(t, "version") != 1 || got.text(t, "region") != asia {
			t.Errorf("after all of that it is %s", got.raw)
		}
		one.do(t, "PUT", "/v1/locations/"+name("loc"), in(america)).forbidden(t)
		one.do(t, "PUT", mine, in(america)).is(t, 201)
		here.do(t, "PATCH", mine, `{"name": "Ours"}`).is(t, 200)
		one.do(t, "DELETE", mine, "").is(t, 204)
		// Products and channels are of all places: no bound grant does, however many there are.
		bound := s.as("integrator@region:"+america, "integrator@region:"+europe, "admin@region:"+asia, "planner@location:"+own)
		bound.do(t, "PUT", "/v1/products/"+name("sku"), `{"name": "Tea"}`).forbidden(t)
		bound.do(t, "PUT", "/v1/channels/"+name("chan"), webChannel).forbidden(t)
		bound.post(t, "/v1/keys", viewerKey).forbidden(t)
	})
}
