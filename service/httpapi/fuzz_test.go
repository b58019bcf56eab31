package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"stockyard/service"
	"stockyard/service/devdb"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

// fuzzed starts a pod for a fuzz target: on PostgreSQL, which is stricter about text.
func fuzzed(f *testing.F) *pod {
	f.Helper()
	db := storetest.Open(f, devdb.PostgreSQL)
	// What is internal shows in the answer; a target may not fail f.
	return start(f, db, america, func(o *service.Options, _ *httpapi.Options) { o.OnInternal = nil })
}

// answers sends a request and wants an answer that is no fault of the server's: a problem that is
// one, or JSON.
func (p *pod) answers(t *testing.T, method, path, body string, headers ...string) (status int) {
	t.Helper()
	q := httptest.NewRequestWithContext(t.Context(), method, "http://stockyard/", strings.NewReader(body))
	u, err := url.ParseRequestURI("http://stockyard" + path) // as a server reads it: without fragments
	if err != nil {
		t.Skip("no path")
	}
	q.URL = u
	q.Header.Set("Idempotency-Key", name("key"))
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	refereed(t, p.door).ServeHTTP(w, q)
	var v struct {
		Type, Instance string
		Status         int
	}
	if w.Code >= http.StatusInternalServerError || json.Unmarshal(w.Body.Bytes(), &v) != nil {
		t.Errorf("%s %s %q: %d %s", method, path, body, w.Code, w.Body)
	}
	if w.Code >= 400 && (v.Status != w.Code || v.Instance == "" || !strings.HasPrefix(v.Type, "/problems/")) {
		t.Errorf("%s %s %q: %d is no problem: %s", method, path, body, w.Code, w.Body)
	}
	return w.Code
}

func FuzzBodies(f *testing.F) {
	p := fuzzed(f)
	p.put(f, "/v1/products/a", `{"name": "x"}`).is(f, 201)
	p.put(f, "/v1/locations/l", `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB"}`).is(f, 201)
	p.put(f, "/v1/channels/c", `{"name": "x", "kind": "web"}`).is(f, 201)
	s := shelf{"l", "a"}
	doors := []struct{ method, path string }{
		{"POST", "/v1/movements"},
		{"POST", "/v1/movements/batch"},
		{"POST", "/v1/reservations"},
		{"POST", "/v1/reservations/batch"},
		{"PUT", "/v1/products/a"},
		{"PATCH", "/v1/products/a"},
		{"PUT", "/v1/locations/l"},
		{"PATCH", "/v1/locations/l"},
		{"PUT", "/v1/channels/c"},
		{"PATCH", "/v1/channels/c"},
		{"POST", "/v1/reservations/us-east1.00000000000000000000000000/confirm"},
		{"POST", "/v1/reservations/us-east1.00000000000000000000000000/extend"},
		{"POST", "/v1/reservations/us-east1.00000000000000000000000000/release"},
		{"POST", "/v1/reservations/us-east1.00000000000000000000000000/fulfil"},
		{"POST", "/v1/transfers"},
		{"POST", "/v1/transfers/us-east1.00000000000000000000000000/receive"},
		{"POST", "/v1/transfers/us-east1.00000000000000000000000000/close"},
	}
	for _, body := range notJSON {
		if len(body) < 1000 {
			f.Add(0, body)
		}
	}
	for i, body := range []string{
		movement("receive", `, "reason": "r", "effective_at": "2020-01-01T00:00:00Z", "as_of_version": 1`, s.line(1, `, "unit_cost": {"amount": "1", "currency": "GBP"}`)),
		`{"on_error": "abort", "movements": [` + s.movement("sell", -1) + `]}`,
		s.reservation("9223372036854775807", `, "expires_in": "1s", "policy": "partial", "strategy": "nearest", "destination": {"country": "GB"}, "channel": "c"`),
		`{"reservations": [` + s.reservation(1) + `]}`,
		`{"name": "x", "attributes": {"a": [{}, null, 1e3, "\u0000"]}, "unit_cost": {"amount": "1.5", "currency": "EUR"}}`, `{"attributes": {"a": null}, "name": null}`,
		`{"name": "x", "region": "us-east1", "kind": "store", "country": "GB", "latitude": 1.5, "longitude": -0, "priority": 1}`, `{"latitude": null}`,
		`{"name": "x", "kind": "web", "locations": ["l"], "safety_stock": 1}`, `{"locations": null}`,
		`{"reason": "x"}`, `{"expires_in": "1h"}`, `{"lines": [{"line": 1, "quantity": 1}]}`, `{"lines": [{"sku": "a", "location": "l"}], "reference": "x"}`,
		`{"from": "l", "to": "m", "lines": [{"sku": "a", "quantity": 1}]}`, `{"lines": [{"sku": "a", "quantity": 1, "quarantined": 1}]}`, `{"disposition": "lost"}`,
	} {
		f.Add(i, body)
	}
	f.Fuzz(func(t *testing.T, door int, body string) {
		d := doors[(door%len(doors)+len(doors))%len(doors)]
		p.answers(t, d.method, d.path, body)
	})
}

func FuzzPageTokens(f *testing.F) {
	p := fuzzed(f)
	for _, sku := range []string{"a", "b"} {
		p.put(f, "/v1/products/"+sku, `{"name": "x"}`).is(f, 201)
	}
	lists := []string{"/v1/products", "/v1/locations", "/v1/channels", "/v1/stock", "/v1/stock/l/a/events", "/v1/reservations", "/v1/reservations?status=held", "/v1/transfers", "/v1/transfers?status=draft"}
	p.put(f, "/v1/locations/l", `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB"}`).is(f, 201)
	for _, cursor := range []string{
		`{"product":"a"}`, `{"location":"l"}`, `{"channel":"c"}`, `{"region":"us-east1","sku":"a","location":"l"}`, `{"version":1}`,
		`{"id":"us-east1.00000000000000000000000000","expires":"2026-01-01T00:00:00Z"}`, `{"transfer":"us-east1.00000000000000000000000000"}`, `{"product":"\u0000"}`, `null`, "\xff",
	} {
		for i := range lists {
			f.Add(i, cursor, true)
		}
	}
	for _, token := range badTokens {
		f.Add(0, token, false)
	}
	f.Fuzz(func(t *testing.T, list int, token string, encoded bool) {
		if encoded {
			token = encode(token)
		}
		path := lists[(list%len(lists)+len(lists))%len(lists)]
		sign := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		p.answers(t, "GET", path+sign+"page_token="+url.QueryEscape(token), "")
	})
}

func FuzzPaths(f *testing.F) {
	p := fuzzed(f)
	for _, sku := range badSKUs {
		f.Add("/v1/products/" + sku.path)
	}
	for _, path := range []string{"/v1/stock/l/a%2Fb?min_version=1", "/v1/availability?sku=a&sku=%FF", "/v1/reservations/us-east1.x", "/%", "/v1/stock?available_below=1&%zz", "/v1/stock/%00/%2F/events?after_version=1", "//v1//products", "/v1/products#1", "/v1/products?query=%25_%5C&category=x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p.answers(t, "GET", path, "")
	})
}
