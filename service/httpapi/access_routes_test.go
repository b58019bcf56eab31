package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
)

// reach says which grants of a role do for a route.
type reach int

const (
	anywhere   reach = iota // any grant does
	everywhere              // one that is bound doesn't
	placed                  // the grant must be good where the request is about
)

// route is what a test knows of an operation: who may do it, with which grants, what it answers to
// them, and a request about something in america, made afresh where it would not be the same twice.
type route struct {
	roles string // besides admin
	reach reach
	gives int
	ask   func(t *testing.T, f *field) (path, body string)
}

// public are the routes that need no credential: they say what the API is like, and nothing else.
var public = []string{"GET /docs", "GET /docs/start.js", "GET /docs/assets/*file", "GET /openapi.json"}

var walkers = []string{"viewer", "pos", "warehouse", "planner", "integrator", "admin"}

// Every route, every role, with a grant that is good everywhere, one that is good where the request
// is about, and one that is good elsewhere; and nobody at all.
func TestEveryRouteIsForThoseWhoMayAlone(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		f := newField(t, s)
		engine, is := s.guarded.door.(interface{ Routes() gin.RoutesInfo })
		if !is {
			t.Fatal("the door has no table of routes")
		}
		known, visitors := routes(), visitors{who: s.as(), request: name("request")}
		t.Run("each", func(t *testing.T) {
			for _, r := range engine.Routes() {
				line := r.Method + " " + r.Path
				if slices.Contains(public, line) {
					continue
				}
				route, described := known[line]
				if !described {
					t.Errorf("nothing is said about who may do %s", line)
					continue
				}
				t.Run(strings.ReplaceAll(line, "/", "|"), func(t *testing.T) {
					t.Parallel()
					route.walk(t, f, r.Method, &visitors)
				})
			}
		})
		s.refusals(t, "outcome=denied&actor="+visitors.who.actor(), visitors.denied.Load())
		s.refusals(t, "outcome=unauthenticated&request_id="+visitors.request, visitors.unknown.Load())
	})
}

// visitors are all who come, and how many of them were turned away: for want of rights, and because
// nobody knows them.
type visitors struct {
	who             person // whose grants are another's every time
	request         string
	denied, unknown atomic.Int64
}

// walk sends the route's request as everybody. What was refused left no trace: the next one sends the
// same, and it does what it would have done at first.
func (r route) walk(t *testing.T, f *field, method string, v *visitors) {
	path, body := r.ask(t, f)
	media := ""
	if strings.HasSuffix(path, "/import") {
		media = "application/x-ndjson"
	}
	for _, credential := range []string{"", "Basic YTpi"} {
		v.unknown.Add(1)
		f.guarded.do(t, method, path, body, "Authorization", credential, "Content-Type", media, "X-Request-Id", v.request).problem(t, 401, "unauthenticated")
	}
	used := false
	for _, role := range walkers {
		for _, bound := range []string{"@region:" + asia, "", "@region:" + america} {
			if used {
				path, body = r.ask(t, f)
			}
			one := person{f.guarded, v.who.name, v.who.credential + role + bound}
			got := one.do(t, method, path, body, "Content-Type", media)
			if want := r.wants(role, bound); got.status != want {
				t.Errorf("as %s%s, %s: %d, want %d: %s", role, bound, got.request, got.status, want, got.raw)
			}
			if used = got.status != http.StatusForbidden; !used {
				v.denied.Add(1)
				got.forbidden(t)
			}
		}
	}
}

func (r route) wants(role, bound string) int {
	granted := role == "admin" || slices.Contains(strings.Fields(r.roles), role)
	switch {
	case !granted,
		r.reach == everywhere && bound != "",
		r.reach == placed && bound == "@region:"+asia:
		return http.StatusForbidden
	}
	return r.gives
}

// field is what the requests are about: a stock level in america, with plenty, and places besides.
type field struct {
	*site
	shelf
	second, far string // locations in america and in asia
	channel     string
	threshold   string
	key         string // a key's id
	webhook     string
}

func newField(t *testing.T, s *site) *field {
	t.Helper()
	f := &field{site: s, shelf: s.shelf(t, 1_000_000), second: s.location(t, america), far: s.location(t, asia), channel: name("chan"), threshold: name("rule")}
	s.receive(t, shelf{f.far, f.sku}, 1_000_000)
	f.put(t, "/v1/channels/"+f.channel, webChannel).is(t, 201)
	f.put(t, "/v1/thresholds/"+f.threshold, lowStock).is(t, 201)
	f.key, f.webhook = f.newKey(t), f.newWebhook(t)
	return f
}

const (
	webChannel = `{"name": "Web", "kind": "web"}`
	lowStock   = `{"below": 5}`
	viewerKey  = `{"name": "walker", "grants": ["viewer"]}`
	anyWebhook = `{"url": "https://shop.example.com/hooks"}`
)

func (f *field) newKey(t *testing.T) (id string) {
	t.Helper()
	return f.pod.post(t, "/v1/keys", viewerKey).is(t, 201).text(t, "id")
}

func (f *field) newWebhook(t *testing.T) (webhook string) {
	t.Helper()
	webhook = name("hook")
	f.put(t, "/v1/webhooks/"+webhook, anyWebhook).is(t, 201)
	return webhook
}

// newDelivery gives a webhook a delivery, as the dispatcher would, and gives its id.
func (f *field) newDelivery(t *testing.T) (id string) {
	t.Helper()
	id = uuid.NewString()
	f.Exec(t, fmt.Sprintf(`INSERT INTO webhook_deliveries
		(region, webhook, id, kind, subject, sequence, payload, status, attempts, tried_from, next_attempt_at, created_at, updated_at)
		SELECT region, id, '%s', 'com.stockyard.stock.sell.v1', 'NYC/tea', 1, '{}', 'parked', 9, now(), now(), now(), now()
		  FROM webhooks WHERE name = '%s' AND deleted_at IS NULL`, id, f.webhook))
	return id
}

// transfer plans a transfer of one unit and gives its path; steps are done to it at once.
func (f *field) transfer(t *testing.T, from, to string, steps ...string) (path string) {
	t.Helper()
	made := f.pod.post(t, "/v1/transfers", f.plan(from, to)).is(t, 201)
	path = "/v1/transfers/" + made.text(t, "id")
	for _, step := range steps {
		f.pod.post(t, path+step, "").is(t, 200)
	}
	return path
}

func (f *field) plan(from, to string) string {
	return fmt.Sprintf(`{"from": %q, "to": %q, "lines": [{"sku": %q, "quantity": 1}]}`, from, to, f.sku)
}
