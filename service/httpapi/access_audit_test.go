package httpapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestWhoIsTurnedAwayIsInTheAuditLog(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		near := s.shelf(t, 5)
		far := shelf{s.location(t, asia), near.sku}
		who, request := s.as("pos@region:"+america), name("request")
		id := func(what string) string { return request + "-" + what }
		who.do(t, "PUT", "/v1/products/"+near.sku, `{"name": "x"}`, "X-Request-Id", id("role")).forbidden(t)
		who.post(t, "/v1/movements", far.movement("sell", 1), "X-Request-Id", id("place")).forbidden(t)
		who.post(t, "/v1/movements", near.movement("scrap", 1), "X-Request-Id", id("kind")).forbidden(t)
		for what, operation := range map[string]string{"role": "put_product", "place": "move:sell", "kind": "move:scrap"} {
			got := s.refusals(t, "request_id="+id(what), 1)
			if got.text(t, "items", 0, "outcome") != "denied" || got.text(t, "items", 0, "operation") != operation || got.text(t, "items", 0, "actor") != who.actor() ||
				got.text(t, "items", 0, "region") != america || got.text(t, "items", 0, "detail") == "" {
				t.Errorf("%s: %s", what, got.raw)
			}
		}
		if got := s.refusals(t, "request_id="+id("place"), 1); !strings.Contains(got.text(t, "items", 0, "detail"), far.location) {
			t.Errorf("it doesn't say where: %s", got.raw)
		}

		for _, credential := range []string{"", "Basic YTpi"} {
			one := id("nobody" + fmt.Sprint(len(credential)))
			s.guarded.post(t, "/v1/transfers", `{`, "Authorization", credential, "X-Request-Id", one).problem(t, 401, "unauthenticated")
			got := s.refusals(t, "request_id="+one, 1)
			if got.text(t, "items", 0, "outcome") != "unauthenticated" || got.text(t, "items", 0, "operation") != "create_transfer" ||
				got.text(t, "items", 0, "actor") != "" || !strings.Contains(got.text(t, "items", 0, "detail"), "127.0.0.1") {
				t.Errorf("%q: %s", credential, got.raw)
			}
			if credential != "" && strings.Contains(got.raw, credential) {
				t.Errorf("a credential is in the audit log: %s", got.raw)
			}
		}
	})
}

// Who knocks all the time is one entry a second with the number of the knocks, and none is missing.
func TestAlikeRefusalsAreGathered(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		const knocks = 100
		who := s.as("viewer")
		began := time.Now()
		for range knocks {
			who.post(t, "/v1/keys", viewerKey).forbidden(t)
		}
		most := int(time.Since(began)/time.Second) + 2
		got := s.refusals(t, "outcome=denied&actor="+who.actor(), knocks)
		if n := len(got.list(t, "items")); n > most {
			t.Errorf("%d knocks within %d s are %d entries", knocks, most-1, n)
		}
	})
}

func TestWhatIsDoneIsInTheAuditLog(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		at := s.shelf(t, 5)
		who, request := s.as("admin"), name("request")
		began := time.Now().Add(-time.Minute)
		for _, c := range []struct {
			operation, method, path, body, resource, name string
			status                                        int
		}{
			{"put_product", "PUT", "/v1/products/" + at.sku, `{"name": "Green tea"}`, "product", at.sku, 200},
			{"patch_location", "PATCH", "/v1/locations/" + at.location, `{"name": "Green house"}`, "location", at.location, 200},
			{"put_channel", "PUT", "/v1/channels/" + request, `{"name": "Green", "kind": "web"}`, "channel", request, 201},
			{"create_key", "POST", "/v1/keys", `{"name": "Green key", "grants": ["viewer"]}`, "key", "", 201},
			{"move", "POST", "/v1/movements", at.movement("adjust", -1, `, "reason": "moths, green", "reference": "note 7"`), "stock", request + "-move", 201},
			{"reserve", "POST", "/v1/reservations", at.reservation(1, `, "order_reference": "note 7"`), "stock", request + "-reserve", 201},
			{"refused", "POST", "/v1/movements", at.movement("scrap", 99, `, "reason": "moths, green", "reference": "note 7"`), "stock", request + "-refused", 409},
		} {
			id := request + "-" + c.operation
			headers := []string{"X-Request-Id", id}
			if c.resource == "stock" {
				headers = append(headers, "Idempotency-Key", c.name)
			}
			who.do(t, c.method, c.path, c.body, headers...).is(t, c.status)
			got := s.pod.get(t, "/v1/audit-log?request_id="+id).is(t, 200)
			text := func(member string) string { return got.text(t, "items", 0, member) }
			outcome, operation := "accepted", c.operation
			if c.status == 409 {
				outcome, operation = "refused", "move"
			}
			when, err := time.Parse(time.RFC3339, text("at"))
			if len(got.list(t, "items")) != 1 || text("actor") != who.actor() || text("operation") != operation || text("outcome") != outcome ||
				text("resource") != c.resource || c.name != "" && text("name") != c.name || got.int(t, "items", 0, "attempts") != 1 ||
				err != nil || when.Before(began) || time.Until(when) > time.Minute {
				t.Errorf("%s: %s", c.operation, got.raw)
			}
			switch {
			case c.resource != "stock":
				if !strings.Contains(got.compact(t, "items", 0, "after"), "Green") {
					t.Errorf("%s doesn't say what it is since: %s", c.operation, got.raw)
				}
			case text("reference") != "note 7", operation == "move" && text("reason") != "moths, green":
				t.Errorf("%s: %s", c.operation, got.raw)
			}
		}
		all := s.pod.get(t, "/v1/audit-log?actor="+url.QueryEscape(who.actor())).is(t, 200)
		if n := len(all.list(t, "items")); n != 7 {
			t.Errorf("%d entries are of this admin: %s", n, all.raw)
		}
		who.post(t, "/v1/movements?dry_run=true", at.movement("sell", 1), "X-Request-Id", request+"-dry").is(t, 201)
		if got := s.pod.get(t, "/v1/audit-log?request_id="+request+"-dry").is(t, 200); len(got.list(t, "items")) != 0 {
			t.Errorf("what was only tried is in the audit log: %s", got.raw)
		}
	})
}
