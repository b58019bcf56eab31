package httpapi_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"stockyard/service"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

func deadlines(t *testing.T, p *pod) {
	s := p.shelf(t, 1000)
	r := p.reserve(t, s, 1)
	var cases []bad
	late := func(method, path, body string) {
		cases = append(cases, bad{about: method + " " + path, method: method, path: path, body: body, headers: []string{"Request-Timeout", "1ns"}, status: 504, kind: "deadline-exceeded"})
	}
	late("POST", "/v1/movements", s.movement("sell", 1))
	late("POST", "/v1/movements/batch", `{"on_error": "abort", "movements": [`+s.movement("sell", 1)+`]}`)
	late("POST", "/v1/movements/batch", `{"movements": [`+s.movement("sell", 1)+`]}`)
	late("POST", "/v1/reservations", s.reservation(1))
	late("POST", "/v1/reservations", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1}]}`, s.sku))
	late("POST", r+"/confirm", "")
	late("PUT", "/v1/products/"+s.sku, `{"name": "y"}`)
	late("PATCH", "/v1/locations/"+s.location, `{"name": "y"}`)
	late("DELETE", "/v1/channels/x", "")
	for _, path := range []string{"/v1/products/" + s.sku, "/v1/products", "/v1/locations", s.path(), s.path() + "/events", "/v1/stock", "/v1/availability?sku=" + s.sku, r, "/v1/reservations", "/v1/verify"} {
		late("GET", path, "")
	}
	p.refuses(t, cases)
	for _, timeout := range []string{"5s", "5", "0.5", "2.5s", "10m", "+1.5m"} {
		p.get(t, s.path(), "Request-Timeout", timeout).is(t, 200)
	}
	// A deadline that falls into the middle: the command was run or wasn't, and its key says which.
	for i := range 25 {
		key, timeout := name("key"), fmt.Sprintf("%dus", 20*(i+1)*(i+1))
		for _, path := range []string{s.path(), "/v1/availability?sku=" + s.sku} {
			if a := p.get(t, path, "Request-Timeout", timeout); a.status != 200 {
				a.problem(t, 504, "deadline-exceeded")
			}
		}
		a := p.post(t, "/v1/movements", s.movement("sell", 1), "Idempotency-Key", key, "Request-Timeout", timeout)
		if a.status != 201 {
			a.problem(t, 504, "deadline-exceeded")
		}
		again := p.post(t, "/v1/movements", s.movement("sell", 1), "Idempotency-Key", key).is(t, 201)
		if a.status == 201 && (again.raw != a.raw || again.header.Get("Idempotency-Replayed") != "true") {
			t.Errorf("%s within %s: %s, again %s", a.request, timeout, a.raw, again.raw)
		}
		if got := again.int(t, "lines", 0, "level", "on_hand"); got != int64(1000-i-1) {
			t.Fatalf("%d sales left %d", i+1, got)
		}
	}
}

// A server that has too much waiting says so at once, and says when to come back.
func TestOverload(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(o *service.Options, _ *httpapi.Options) { o.Lanes, o.QueueSize, o.BatchSize = 1, 1, 1 })
		s := p.shelf(t, 10_000)
		const clients, each = 16, 5
		var mu sync.Mutex
		var refused, taken int64
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				for range each {
					key := name("key")
					for a := p.post(t, "/v1/movements", s.movement("sell", 1), "Idempotency-Key", key); ; a = p.post(t, "/v1/movements", s.movement("sell", 1), "Idempotency-Key", key) {
						mu.Lock()
						if a.status == http.StatusCreated {
							taken++
							mu.Unlock()
							break
						}
						refused++
						mu.Unlock()
						if a.status != http.StatusServiceUnavailable || a.text(t, "type") != "/problems/overloaded" || a.header.Get("Retry-After") != "1" {
							t.Errorf("%d %v %s", a.status, a.header, a.raw)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		if refused == 0 {
			t.Error("nothing was ever refused")
		}
		if got := p.balances(t, s); taken != clients*each || got != level(10_000-taken, 0, 0, 0, 0) {
			t.Errorf("%d sales were taken: %s", taken, got)
		}
		db.Verify(t)
	})
}
