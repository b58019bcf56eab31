package service_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// sites are the locations of a yard, one a region, in the topology's order.
var sites = []string{"NYC", "LON", "SIN"}

// tester is a caller without an idempotency key.
var tester = service.Caller{Principal: auth.System("test")}

const nyc, lon, sin = "NYC", "LON", "SIN"

// yard is one database and a service in each region on it: what the pods of three regions are to
// each other.
type yard struct {
	*storetest.DB
	pods    []*service.Service
	retries atomic.Int64 // transactions that ran again
	run     string       // begins every SKU and idempotency key of the test
	skus    int
}

// each runs a test on a yard, once a database, and verifies it. The databases are shared: a test
// keeps to its own SKUs and keys.
func each(t *testing.T, test func(t *testing.T, y *yard)) {
	t.Helper()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		y := newYard(t, db)
		test(t, y)
		y.Verify(t)
	})
}

func newYard(t *testing.T, db *storetest.DB) *yard {
	t.Helper()
	y := &yard{DB: db, run: rand.Text()[:8]}
	for i := range db.Topology.Regions {
		y.pods = append(y.pods, y.pod(t, i, service.Options{}))
	}
	for i, site := range sites {
		_, _, err := y.pods[0].PutLocation(t.Context(), tester, inventory.Location{
			Name: site, Title: site, Region: db.Topology.Regions[i].Name, Kind: "warehouse", Country: "US", Priority: int64(i),
		}, service.Precondition{})
		if err != nil {
			t.Fatal(err)
		}
	}
	return y
}

// pod starts one more service in a region.
func (y *yard) pod(t *testing.T, region int, o service.Options) *service.Service {
	t.Helper()
	return y.podAt(t, region, y.URLs[region], o)
}

// podAt starts one more service in a region, with a connection string of its own.
func (y *yard) podAt(t *testing.T, region int, url string, o service.Options) *service.Service {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{
		URL: url, Regions: y.Topology.Names(), OnRetry: func(string) { y.retries.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Region, o.Topology = y.Topology.Regions[region].Name, y.Topology
	if o.OnInternal == nil {
		o.OnInternal = func(err error) { t.Errorf("internal error: %v", err) }
	}
	s := service.New(st, o)
	t.Cleanup(func() {
		s.Close()
		st.Close()
	})
	return s
}

// product makes a SKU of the test's own, with stock at sites.
func (y *yard) product(t *testing.T, units int64, at ...string) string {
	t.Helper()
	y.skus++
	sku := fmt.Sprintf("%s-%d", y.run, y.skus)
	if _, _, err := y.pods[0].PutProduct(t.Context(), tester, inventory.Product{SKU: sku, Name: sku}, service.Precondition{}); err != nil {
		t.Fatal(err)
	}
	for _, site := range at {
		y.receive(t, site, sku, units)
	}
	return sku
}

func (y *yard) receive(t *testing.T, site, sku string, units int64) {
	t.Helper()
	y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), move("receive", site, sku, units)))
}

// must fails the test unless a command was accepted.
func (*yard) must(t *testing.T) func(service.Outcome, error) service.Outcome {
	t.Helper()
	return func(o service.Outcome, err error) service.Outcome {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

// as is a caller with an idempotency key of this test's.
func (y *yard) as(format string, args ...any) service.Caller {
	return service.Caller{Principal: auth.System("test"), Key: y.run + "/" + fmt.Sprintf(format, args...)}
}

// fresh is a caller with a new key.
func (y *yard) fresh() service.Caller { return y.as("%s", rand.Text()) }

func (y *yard) level(t *testing.T, site, sku string) inventory.LevelAnswer {
	t.Helper()
	l, _, err := y.pods[0].Level(context.WithoutCancel(t.Context()), tester, site, sku, service.Freshness{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// wants compares what counts of a level.
func (y *yard) wants(t *testing.T, site, sku string, onHand, held, allocated, shortfall int64) {
	t.Helper()
	l := y.level(t, site, sku)
	if l.OnHand != onHand || l.Held != held || l.Allocated != allocated || l.Shortfall != shortfall {
		t.Errorf("%s at %s: on hand %d, held %d, allocated %d, shortfall %d; want %d, %d, %d, %d",
			sku, site, l.OnHand, l.Held, l.Allocated, l.Shortfall, onHand, held, allocated, shortfall)
	}
}

// block keeps others from changing a stock level until release is called, which the end of the
// test does too.
func (y *yard) block(t *testing.T, site, sku string) (release func()) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, y.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := tx.Exec(ctx, "UPDATE stock_levels SET closed = closed WHERE sku = $1 AND location = $2", sku, site)
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("blocking %s at %s: %v, %v", sku, site, tag, err)
	}
	release = sync.OnceFunc(func() {
		if err := errors.Join(tx.Rollback(ctx), conn.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(release)
	return release
}

// ask answers a yes-or-no question to the database.
func (y *yard) ask(t *testing.T, query string) (yes bool) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), y.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), query).Scan(&yes); err != nil {
		t.Fatal(err)
	}
	return yes
}

func (y *yard) isCockroach() bool { return y.Kind == devdb.CockroachDB }

// size is how much of something a test does: less on CockroachDB, which is slower, and with -short.
func (y *yard) size(postgres, cockroach int) int {
	n := postgres
	if y.isCockroach() {
		n = cockroach
	}
	if testing.Short() {
		n = max(n/4, 2)
	}
	return n
}

func move(kind, site, sku string, units int64) service.MovementInput {
	return service.MovementInput{Kind: kind, Reason: "test", Lines: []service.MovementLineInput{{Location: site, SKU: sku, Quantity: &units}}}
}

// moveAll is one movement of several SKUs at a site.
func moveAll(kind, site string, units int64, skus ...string) service.MovementInput {
	in := service.MovementInput{Kind: kind}
	for _, sku := range skus {
		in.Lines = append(in.Lines, service.MovementLineInput{Location: site, SKU: sku, Quantity: &units})
	}
	return in
}

// reserve is a reservation of a line a site; "" leaves the site open.
func reserve(sku string, units int64, at ...string) service.ReservationInput {
	var in service.ReservationInput
	for _, site := range at {
		in.Lines = append(in.Lines, service.ReservationLineInput{SKU: sku, Quantity: &units, Location: site})
	}
	return in
}

func refusal(err error) *inventory.Refusal {
	var r *inventory.Refusal
	errors.As(err, &r)
	return r
}

func refusalOf(err error) inventory.RefusalKind {
	if r := refusal(err); r != nil {
		return r.Kind
	}
	return ""
}

// isShort says that a command was refused because there is too little, and for no other reason.
func isShort(err error) bool { return refusalOf(err) == inventory.InsufficientStock }

// atOnce runs n functions that begin together, and waits for them.
func atOnce(n int, run func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			run(i)
		})
	}
	close(start)
	wg.Wait()
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// wordsOf says what became of a batch's commands.
func wordsOf(outcomes []service.ItemOutcome) string {
	words := make([]string, len(outcomes))
	for i, o := range outcomes {
		switch {
		case o.Err == nil:
			words[i] = "accepted"
		case refusalOf(o.Err) != "":
			words[i] = string(refusalOf(o.Err))
		default:
			words[i] = o.Err.Error()
		}
	}
	return strings.Join(words, ", ")
}
