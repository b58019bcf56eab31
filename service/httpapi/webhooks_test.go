package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"stockyard/service"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

func TestWebhooksArePutReadListedAndDeleted(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		path := "/v1/webhooks/" + name("hook")
		body := fmt.Sprintf(`{"url": "https://shop.example.com/hooks", "filter": {"locations": [%q], "skus": [%q], "kinds": ["sell"], "regions": ["us-east1"]}}`, s.location, s.sku)
		made := p.put(t, path, body).is(t, 201)
		secret := made.text(t, "secret")
		if !strings.HasPrefix(secret, "whsec_") || made.header.Get("ETag") != `"1"` || made.header.Get("Cache-Control") != "no-store" {
			t.Errorf("made: %s %v", made.raw, made.header)
		}
		read := p.get(t, path).is(t, 200)
		if strings.Contains(read.raw, "whsec_") || strings.Contains(read.raw, secret[6:]) || !strings.Contains(read.raw, `"kinds":["sell"]`) || !strings.Contains(read.raw, `"active":true`) {
			t.Errorf("read: %s", read.raw)
		}
		again := p.put(t, path, body, "If-Match", `"1"`).is(t, 200)
		if strings.Contains(again.raw, "whsec_") || again.int(t, "version") != 2 {
			t.Errorf("put again: %s", again.raw)
		}
		p.put(t, path, body, "If-Match", `"1"`).problem(t, 412, "version-mismatch")
		p.put(t, "/v1/webhooks/"+name("hook"), body, "If-Match", `*`).problem(t, 412, "version-mismatch")
		if off := p.put(t, path, `{"url": "https://shop.example.com/", "active": false}`).is(t, 200); !strings.Contains(off.raw, `"active":false`) || !strings.Contains(off.raw, `"filter":{}`) {
			t.Errorf("switched off: %s", off.raw)
		}
		seen, token := map[string]bool{}, ""
		for range 3 {
			p.put(t, "/v1/webhooks/"+name("hook"), anyWebhook).is(t, 201)
		}
		for {
			list := p.get(t, "/v1/webhooks?page_size=2&page_token="+token).is(t, 200)
			for i := range list.list(t, "items") {
				seen["/v1/webhooks/"+list.text(t, "items", i, "name")] = true
			}
			if token = list.text(t, "next_page_token"); token == "" {
				break
			}
		}
		if !seen[path] || len(seen) < 4 {
			t.Errorf("listed: %v", seen)
		}
		audit := p.get(t, "/v1/audit-log?resource=webhook&name="+strings.TrimPrefix(path, "/v1/webhooks/")).is(t, 200)
		if len(audit.list(t, "items")) != 3 || strings.Contains(audit.raw, "whsec_") || strings.Contains(audit.raw, secret[6:]) || !strings.Contains(audit.raw, "https://shop.example.com/hooks") {
			t.Errorf("the audit log: %s", audit.raw)
		}
		p.do(t, "DELETE", path, "", "If-Match", `"2"`).problem(t, 412, "version-mismatch")
		p.do(t, "DELETE", path, "", "If-Match", `"3"`).is(t, 204)
		for _, gone := range []answer{p.get(t, path), p.do(t, "DELETE", path, ""), p.get(t, path+"/deliveries"), p.post(t, path+"/deliveries/0b9f2c5e-6d1a-4c1e-9b6e-2f4f6d1b7a10/redeliver", "")} {
			gone.problem(t, 404, "not-found")
		}
		if back := p.put(t, path, body).is(t, 201); back.int(t, "version") != 1 || back.text(t, "secret") == secret {
			t.Errorf("made again: %s", back.raw)
		}
	})
}

func TestEverythingWrongWithAWebhookIsNamed(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		path := "/v1/webhooks/" + name("hook")
		for body, fields := range map[string][]string{
			`{}`: {"url"},
			`{"url": "http://shop.example.com", "secret": "whsec_short", "filter": {"regions": ["a b"], "locations": [""], "skus": [" x"], "kinds": ["melt"]}}`: {
				"url", "secret", "filter.regions", "filter.locations", "filter.skus", "filter.kinds",
			},
			`{"url": "https://127.0.0.1/x", "secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`: {"url", "secret"},
			`{"url": "https://user:pw@shop.example.com"}`:                                  {"url"},
			`{"url": "https://[::ffff:169.254.169.254]/"}`:                                 {"url"},
			`{"url": "https://localhost:8443/"}`:                                           {"url"},
			`{"url": 7, "active": "yes", "filter": {"sku": []}, "cursor": "x"}`:            {"url", "active", "filter.sku", "cursor"},
		} {
			got := p.put(t, path, body).is(t, 400)
			for _, field := range fields {
				if !strings.Contains(got.raw, fmt.Sprintf(`"field":%q`, field)) {
					t.Errorf("%s: %s is not named in %s", body, field, got.raw)
				}
			}
		}
		const valid = `{"url": "https://shop.example.com", "filter": {%s}}`
		p.put(t, path, fmt.Sprintf(valid, `"locations": ["nowhere-at-all"]`)).problem(t, 404, "not-found")
		p.put(t, path, fmt.Sprintf(valid, `"regions": ["mars"]`)).problem(t, 404, "not-found")
		many := strings.Repeat(`"x",`, 500) + `"x"`
		if got := p.put(t, path, fmt.Sprintf(valid, `"skus": [`+many+`]`)).problem(t, 422, "over-limit", "filter.skus"); !strings.Contains(got.raw, "filter.skus") {
			t.Errorf("too many: %s", got.raw)
		}
		p.put(t, "/v1/webhooks/a%20b", anyWebhook).is(t, 400)
		p.get(t, path).problem(t, 404, "not-found")
		p.put(t, path, anyWebhook).is(t, 201)
		p.get(t, path+"/deliveries?status=lost").is(t, 400)
		p.get(t, path+"/deliveries?page_token=eyJ9").is(t, 400)
		for _, id := range []string{"x", "0B9F2C5E-6D1A-4C1E-9B6E-2F4F6D1B7A10", "0b9f2c5e6d1a4c1e9b6e2f4f6d1b7a10"} {
			p.post(t, path+"/deliveries/"+id+"/redeliver", "").is(t, 400)
		}
		p.post(t, path+"/deliveries/0b9f2c5e-6d1a-4c1e-9b6e-2f4f6d1b7a10/redeliver", "").problem(t, 404, "not-found")
	})
}

// Deliveries are listed newest first, page by page, of one status or of any.
func TestDeliveriesAreListed(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		f := newField(t, s)
		path := "/v1/webhooks/" + f.webhook + "/deliveries"
		var made []string
		for range 5 {
			made = append([]string{f.newDelivery(t)}, made...)
		}
		f.pod.post(t, path+"/"+made[2]+"/redeliver", "").is(t, 200)
		walk := func(query string) (ids []string) {
			for token := ""; ; {
				list := f.pod.get(t, path+"?page_size=2&page_token="+token+query).is(t, 200)
				for i := range list.list(t, "items") {
					ids = append(ids, list.text(t, "items", i, "id"))
				}
				if token = list.text(t, "next_page_token"); token == "" {
					return ids
				}
			}
		}
		for query, want := range map[string][]string{
			"": made, "&status=pending": made[2:3], "&status=delivered": nil, "&status=parked": {made[0], made[1], made[3], made[4]},
		} {
			if got := walk(query); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
	})
}

// A pod without keys for secrets says so, and what to do.
func TestWebhooksNeedKeysForSecrets(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(o *service.Options, _ *httpapi.Options) { o.Webhooks = service.WebhookOptions{} })
		got := p.put(t, "/v1/webhooks/"+name("hook"), anyWebhook).problem(t, 409, "conflict")
		if !strings.Contains(got.raw, "--secret-keys-file") {
			t.Errorf("%s", got.raw)
		}
	})
}
