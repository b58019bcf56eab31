package httpapi_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// pages reads a list to its end in pages of a size and gives what names its items.
func (p *pod) pages(t *testing.T, list string, size int, of func(a answer, item int) string) (names []string) {
	t.Helper()
	sign := "?"
	if strings.Contains(list, "?") {
		sign = "&"
	}
	for token := ""; ; {
		a := p.get(t, fmt.Sprintf("%s%spage_size=%d&page_token=%s", list, sign, size, url.QueryEscape(token))).is(t, 200)
		a.shape(t, "items:list next_page_token:text")
		n := len(a.list(t, "items"))
		for i := range n {
			names = append(names, of(a, i))
		}
		if token = a.text(t, "next_page_token"); token == "" {
			return names
		}
		if n != size {
			t.Fatalf("%s: a page of %d that is not the last, want %d", list, n, size)
		}
		if len(names) > 1000 {
			t.Fatalf("%s goes on and on", list)
		}
	}
}

// lists wants exactly these items, each once, in the same order whatever the size of the pages.
func (p *pod) lists(t *testing.T, list string, of func(a answer, item int) string, want ...string) {
	t.Helper()
	all := p.pages(t, list, 1000, of)
	sorted := slices.Sorted(slices.Values(all))
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(sorted, want) {
		t.Errorf("%s lists %v, want %v", list, sorted, want)
	}
	sizes := []int{1, 2, max(len(want), 1)}
	if p.IsCockroach() {
		sizes = []int{2}
	}
	for _, size := range sizes {
		if got := p.pages(t, list, size, of); !slices.Equal(got, all) {
			t.Errorf("%s in pages of %d lists %v, in one %v", list, size, got, all)
		}
	}
}

func member(t *testing.T, names ...string) func(answer, int) string {
	return func(a answer, i int) string {
		var parts []string
		for _, name := range names {
			parts = append(parts, a.text(t, "items", i, name))
		}
		return strings.Join(parts, "/")
	}
}

func TestLists(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		skus := []string{"Tea 1", "tea/2", "TEA+3", "茶", `a\b"c`}
		for i, sku := range skus {
			p.put(t, "/v1/products/"+url.PathEscape(sku), fmt.Sprintf(`{"name": "N%d", "category": "c%d", "barcode": "b%d"}`, i, i%2, i)).is(t, 201)
		}
		places := map[string]string{"nyc": america, "LON": europe, "sin": asia, "Par": europe}
		for location, region := range places {
			p.put(t, "/v1/locations/"+location, fmt.Sprintf(`{"name": "x", "region": %q, "kind": "store", "country": "GB"}`, region)).is(t, 201)
		}
		for _, channel := range []string{"web", "Shop", "pos.1"} {
			p.put(t, "/v1/channels/"+channel, `{"name": "x", "kind": "web"}`).is(t, 201)
		}
		bySKU, byLocation, byChannel := member(t, "sku"), member(t, "location"), member(t, "channel")
		p.lists(t, "/v1/products", bySKU, slices.Clone(skus)...)
		p.lists(t, "/v1/products?query=tea", bySKU, skus[:3]...)
		p.lists(t, "/v1/products?query=B4", bySKU, skus[4])
		p.lists(t, "/v1/products?category=c1", bySKU, skus[1], skus[3])
		p.lists(t, "/v1/products?category=c1&query=N3", bySKU, skus[3])
		p.lists(t, "/v1/products?query=%25", bySKU)
		p.lists(t, "/v1/products?query=%5C", bySKU, skus[4])
		p.lists(t, "/v1/locations", byLocation, "nyc", "LON", "sin", "Par")
		p.lists(t, "/v1/locations?region="+europe, byLocation, "LON", "Par")
		p.lists(t, "/v1/channels", byChannel, "web", "Shop", "pos.1")
		p.lists(t, "/v1/stock", byLocation)
		p.lists(t, "/v1/reservations", member(t, "id"))

		var levels, inEurope, atLondon []string
		for location, region := range places {
			for i, sku := range skus {
				p.receive(t, shelf{location, sku}, int64(i+1))
				levels = append(levels, location+"/"+sku)
				if region == europe {
					inEurope = append(inEurope, location+"/"+sku)
				}
				if location == "LON" {
					atLondon = append(atLondon, location+"/"+sku)
				}
			}
		}
		byLevel := member(t, "location", "sku")
		p.lists(t, "/v1/stock", byLevel, levels...)
		p.lists(t, "/v1/stock?region="+europe, byLevel, inEurope...)
		p.lists(t, "/v1/stock?location=LON", byLevel, slices.Clone(atLondon)...)
		p.lists(t, "/v1/stock?location=LON&region="+america, byLevel)
		p.lists(t, "/v1/stock?sku=tea%2F2", byLevel, "nyc/tea/2", "LON/tea/2", "sin/tea/2", "Par/tea/2")
		p.lists(t, "/v1/stock?sku=tea%2F2&region="+europe, byLevel, "LON/tea/2", "Par/tea/2")
		p.lists(t, "/v1/stock?sku=tea%2F2&location=LON", byLevel, "LON/tea/2")
		p.lists(t, "/v1/stock?sku=tea%2F2&location=LON&available_below=2", byLevel)
		p.lists(t, "/v1/stock?location=LON&available_below=2", byLevel, "LON/Tea 1")
		p.lists(t, "/v1/stock?available_below=2", byLevel, "nyc/Tea 1", "LON/Tea 1", "sin/Tea 1", "Par/Tea 1")
		p.lists(t, "/v1/stock?sku=nothing", byLevel)

		tea := shelf{"LON", "Tea 1"}
		for range 4 {
			p.receive(t, tea, 1)
		}
		version := func(a answer, i int) string { return fmt.Sprint(a.int(t, "items", i, "version")) }
		p.lists(t, "/v1/stock/LON/Tea%201/events", version, "1", "2", "3", "4", "5")
		p.lists(t, "/v1/stock/LON/Tea%201/events?after_version=3", version, "4", "5")
		p.lists(t, "/v1/stock/LON/Tea%201/events?after_version=5", version)

		p.tokensBelongToTheirLists(t)
	})
}

// tokensBelongToTheirLists: a token of one list is refused by every other.
func (p *pod) tokensBelongToTheirLists(t *testing.T) {
	t.Helper()
	for range 2 {
		p.post(t, "/v1/reservations", `{"lines": [{"sku": "tea/2", "quantity": 1}]}`).is(t, 201)
	}
	lists := []string{"/v1/products", "/v1/locations", "/v1/channels", "/v1/stock", "/v1/stock/LON/Tea%201/events", "/v1/reservations"}
	for _, list := range lists {
		token := p.get(t, list+"?page_size=1").is(t, 200).text(t, "next_page_token")
		for _, other := range lists {
			a := p.get(t, other+"?page_token="+token)
			if other == list {
				a.is(t, 200)
			} else {
				a.problem(t, 400, "invalid-request", "page_token")
			}
		}
	}
}

func TestListsOfReservations(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		sku := p.product(t)
		near, far := shelf{p.location(t, america), sku}, shelf{p.location(t, asia), sku}
		p.receive(t, near, 100)
		p.receive(t, far, 100)
		all := map[string][]string{}
		add := func(id string, under ...string) {
			for _, list := range under {
				all[list] = append(all[list], id)
			}
		}
		for i := range 2 {
			order := fmt.Sprintf("o %d", i)
			for j, body := range []string{near.reservation(1), far.reservation(1), fmt.Sprintf(`{"lines": [%s, %s]}`, far.line(1), near.line(1))} {
				at := [][]string{{"location=" + near.location}, {"location=" + far.location}, {"location=" + near.location, "location=" + far.location}}[j]
				home := []string{america, asia, asia}[j]
				for k, steps := range [][]string{{}, {"confirm"}, {"release"}, {"confirm", "fulfil"}} {
					status := []string{"held", "allocated", "released", "fulfilled"}[k]
					more := fmt.Sprintf(`, "order_reference": %q, "expires_in": "%dm"}`, order, 10+(7*i+3*j)%5)
					id := p.post(t, "/v1/reservations", strings.TrimSuffix(body, "}")+more).is(t, 201).text(t, "id")
					for _, step := range steps {
						p.post(t, "/v1/reservations/"+id+"/"+step, "").is(t, 200)
					}
					add(id, "", "status="+status, "order_reference="+url.QueryEscape(order), "status="+status+"&order_reference="+url.QueryEscape(order), "region="+home, "status="+status+"&region="+home)
					for _, location := range at {
						add(id, location, location+"&status="+status)
					}
				}
			}
		}
		byID := member(t, "id")
		for query, ids := range all {
			p.lists(t, "/v1/reservations?"+query, byID, ids...)
		}
		for _, query := range []string{"order_reference=o", "status=expired", "order_reference=o%200&status=expired", "region=" + europe} {
			p.lists(t, "/v1/reservations?"+query, byID)
		}
	})
}
