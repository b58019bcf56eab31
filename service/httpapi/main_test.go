package httpapi_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	"stockyard/service/httpapi"
	"stockyard/service/secrets"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// The regions of the topology that comes with the binary, in its order.
const (
	america = "us-east1"
	europe  = "europe-west1"
	asia    = "asia-southeast1"
)

// pod is a server of a region, over a real database: store, service and door as `serve` builds them.
type pod struct {
	*storetest.DB
	region string
	url    string
	client *http.Client
	door   http.Handler
}

// start starts a pod. What clients only see as "internal" fails the test.
func start(t testing.TB, db *storetest.DB, region string, change ...func(*service.Options, *httpapi.Options)) *pod {
	t.Helper()
	url := db.URLs[0]
	for i, name := range db.Topology.Names() {
		if name == region {
			url = db.URLs[i]
		}
	}
	st, err := store.Open(t.Context(), store.Options{URL: url, Regions: db.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secrets.New()
	if err != nil {
		t.Fatal(err)
	}
	o := service.Options{Region: region, Topology: db.Topology, OnInternal: func(err error) { t.Errorf("internal error: %v", err) }}
	hub := feed.NewHub(st, feed.Options{})
	o.Webhooks = service.WebhookOptions{Secrets: keys, From: hub.Now}
	door := httpapi.Options{Authenticator: auth.Anonymous{}, Feed: hub}
	for _, c := range change {
		c(&o, &door)
	}
	s := service.New(st, o)
	handler := httpapi.New(s, door)
	server := httptest.NewServer(refereed(t, handler))
	stopHub := storetest.Background(t, hub.Run)
	t.Cleanup(func() {
		server.Close()
		stopHub()
		s.Close()
		st.Close()
	})
	return &pod{DB: db, region: region, url: server.URL, client: server.Client(), door: handler}
}

// shared runs a test against a pod on a database that tests share, once a database: it keeps to
// names of its own. The invariants must hold in the end.
func shared(t *testing.T, test func(t *testing.T, p *pod)) {
	t.Helper()
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		test(t, start(t, db, america))
		db.Verify(t)
	})
}

// alone is shared on a database that nothing else writes to.
func alone(t *testing.T, test func(t *testing.T, p *pod)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		test(t, start(t, db, america))
		db.Verify(t)
	})
}

var named atomic.Int64

// name makes a name that no other test uses.
func name(prefix string) string { return fmt.Sprintf("%s-%d", prefix, named.Add(1)) }

// product makes a product of its own.
func (p *pod) product(t *testing.T) (sku string) {
	t.Helper()
	sku = name("sku")
	p.put(t, "/v1/products/"+sku, `{"name": "Tea"}`).is(t, 201)
	return sku
}

// location makes a location of its own in a region.
func (p *pod) location(t *testing.T, region string, more ...string) (location string) {
	t.Helper()
	location = name("loc")
	body := fmt.Sprintf(`{"name": "Site", "region": %q, "kind": "warehouse", "country": "GB"%s}`, region, strings.Join(more, ""))
	p.put(t, "/v1/locations/"+location, body).is(t, 201)
	return location
}

// shelf is a stock level of a new product at a new location.
type shelf struct{ location, sku string }

// shelf makes a product and a location, and receives so many units.
func (p *pod) shelf(t *testing.T, units int64) shelf {
	t.Helper()
	s := shelf{p.location(t, p.region), p.product(t)}
	if units > 0 {
		p.receive(t, s, units)
	}
	return s
}

func (p *pod) receive(t *testing.T, s shelf, units int64) {
	t.Helper()
	p.post(t, "/v1/movements", s.movement("receive", units)).is(t, 201)
}

func (s shelf) path() string { return "/v1/stock/" + s.location + "/" + s.sku }

// line is a line of a movement, or of a reservation at the shelf; more is further members.
func (s shelf) line(quantity any, more ...string) string {
	return fmt.Sprintf(`{"location": %q, "sku": %q, "quantity": %v%s}`, s.location, s.sku, quantity, strings.Join(more, ""))
}

// movement is the body of a movement of one line; more is further members of the movement.
func (s shelf) movement(kind string, quantity any, more ...string) string {
	return movement(kind, strings.Join(more, ""), s.line(quantity))
}

// reservation is the body of a reservation of one line at the shelf.
func (s shelf) reservation(quantity any, more ...string) string {
	return fmt.Sprintf(`{"lines": [%s]%s}`, s.line(quantity), strings.Join(more, ""))
}

func movement(kind, more string, lines ...string) string {
	return fmt.Sprintf(`{"kind": %q, "lines": [%s]%s}`, kind, strings.Join(lines, ", "), more)
}

// reserve holds units at the shelf and gives the reservation's path.
func (p *pod) reserve(t *testing.T, s shelf, quantity int64, more ...string) (path string) {
	t.Helper()
	return "/v1/reservations/" + p.post(t, "/v1/reservations", s.reservation(quantity, more...)).is(t, 201).text(t, "id")
}

// balances gives a level's quantities in one line, to be compared at once.
func (p *pod) balances(t *testing.T, s shelf) string {
	t.Helper()
	l := p.get(t, s.path()).is(t, 200)
	return fmt.Sprintf("on_hand %d held %d allocated %d quarantined %d shortfall %d available %d",
		l.int(t, "on_hand"), l.int(t, "held"), l.int(t, "allocated"), l.int(t, "quarantined"), l.int(t, "shortfall"), l.int(t, "available"))
}

// traces are what commands and changes leave behind, and a number that moves with each of them.
var traces = map[string]string{
	"products": "sum(version)", "locations": "sum(version)", "channels": "sum(version)", "webhooks": "sum(version)", "stock_levels": "sum(version)",
	"stock_events": "max(version)", "reservations": "sum(version)", "reservation_lines": "sum(held + 3 * allocated)", "commands": "count(*)",
	"transfers": "sum(version)", "transfer_lines": "sum(shipped + 3 * received + 7 * lost)",
}

// watch gives what tells whether anything in the database changed since. Only on a database that
// nothing else writes to.
func (p *pod) watch(t *testing.T) (trace func() string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	var columns []string
	for _, table := range slices.Sorted(maps.Keys(traces)) {
		columns = append(columns, fmt.Sprintf("(SELECT '%s ' || count(*)::text || '/' || coalesce(%s, 0)::text FROM %s)", table, traces[table], table))
	}
	return func() (all string) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "SELECT "+strings.Join(columns, " || ', ' || "), pgx.QueryExecModeSimpleProtocol).Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
}
