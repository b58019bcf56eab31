package feed_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	sites  = []string{"NYC", "LON", "SIN"}
	tester = service.Caller{Principal: auth.System("test")}
)

// yard is a database and a pod's service in each region, with the store it has.
type yard struct {
	*storetest.DB
	pods   []*service.Service
	stores []*store.Store
}

func each(t *testing.T, test func(t *testing.T, y *yard)) {
	t.Helper()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		test(t, newYard(t, db))
	})
}

func newYard(t *testing.T, db *storetest.DB) *yard {
	t.Helper()
	y := &yard{DB: db}
	for i, region := range db.Topology.Regions {
		y.stores = append(y.stores, y.open(t, db.URLs[i]))
		y.pods = append(y.pods, y.podAt(t, i, y.stores[i]))
		_, _, err := y.pods[0].PutLocation(t.Context(), tester, inventory.Location{
			Name: sites[i], Title: sites[i], Region: region.Name, Kind: "warehouse", Country: "US",
		}, service.Precondition{})
		if err != nil {
			t.Fatal(err)
		}
	}
	return y
}

func (y *yard) podAt(t *testing.T, region int, st *store.Store) *service.Service {
	t.Helper()
	s := service.New(st, service.Options{
		Region: y.Topology.Regions[region].Name, Topology: y.Topology, OnInternal: func(err error) { t.Errorf("internal error: %v", err) },
	})
	t.Cleanup(s.Close)
	return s
}

func (y *yard) open(t *testing.T, url string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: url, Regions: y.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st
}

// hub runs a hub for as long as the test.
func (y *yard) hub(t *testing.T, st *store.Store, o feed.Options) *feed.Hub {
	t.Helper()
	hub := feed.NewHub(st, o)
	storetest.Background(t, hub.Run)
	began := time.Now()
	for tick := time.Tick(time.Millisecond); hub.AsOf().IsZero(); <-tick { // until it has caught up
		if time.Since(began) > 30*time.Second {
			t.Fatal("the feed doesn't begin")
		}
	}
	return hub
}

func (y *yard) products(t *testing.T, n int) (skus []string) {
	t.Helper()
	run := rand.Text()[:8]
	for i := range n {
		sku := fmt.Sprintf("%s-%d", run, i)
		if _, _, err := y.pods[0].PutProduct(t.Context(), tester, inventory.Product{SKU: sku, Name: sku}, service.Precondition{}); err != nil {
			t.Fatal(err)
		}
		skus = append(skus, sku)
	}
	return skus
}

func (y *yard) receive(t *testing.T, pod *service.Service, site, sku string, units int64) {
	t.Helper()
	y.move(t, pod, "receive", site, sku, units)
}

func (y *yard) sell(t *testing.T, site, sku string) {
	t.Helper()
	y.move(t, y.pods[0], "sell", site, sku, 1)
}

func (*yard) move(t *testing.T, pod *service.Service, kind, site, sku string, units int64) {
	t.Helper()
	caller := tester
	caller.Key = rand.Text()
	err := service.ErrOutcomeUnknown
	for errors.Is(err, service.ErrOutcomeUnknown) { // what a commit that broke has come to, its key tells
		_, err = pod.Move(context.WithoutCancel(t.Context()), caller, service.MovementInput{
			Kind: kind, Reason: "test", Lines: []service.MovementLineInput{{Location: site, SKU: sku, Quantity: &units}},
		})
	}
	if err != nil {
		t.Errorf("%s: %v", kind, err)
	}
}

// write has many callers move stock of SKUs in all regions.
func (y *yard) write(t *testing.T, skus []string, callers, each int) {
	t.Helper()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				y.receive(t, y.pods[c%len(y.pods)], sites[(c+i)%len(sites)], skus[(c*i+i)%len(skus)], 1)
			}
		})
	}
	all.Wait()
}

// writing is write beside what the test does; the channel says that it is done.
func (y *yard) writing(t *testing.T, skus []string, callers, each int) <-chan struct{} {
	t.Helper()
	written := make(chan struct{})
	go func() {
		defer close(written)
		y.write(t, skus, callers, each)
	}()
	t.Cleanup(func() { <-written })
	return written
}

// follower reads a feed and checks it as it comes.
type follower struct {
	reader *feed.Reader
	cursor string
	skus   []string
	seen   map[inventory.LevelKey]int64
	said   []string // all that came, as JSON
}

func (y *yard) follow(t *testing.T, hub *feed.Hub, cursor string, skus []string) *follower {
	t.Helper()
	f := &follower{cursor: cursor, skus: skus, seen: map[inventory.LevelKey]int64{}}
	f.open(t, y, hub)
	b, err := f.reader.Next(t.Context(), 1, 0) // where it begins
	if err != nil || b.Cursor == "" {
		t.Fatalf("no cursor: %+v, %v", b, err)
	}
	f.take(t, b)
	return f
}

func (f *follower) open(t *testing.T, y *yard, hub *feed.Hub) {
	t.Helper()
	f.reader = y.reader(t, hub, f.cursor, f.skus)
	t.Cleanup(f.reader.Close)
}

func (y *yard) reader(t *testing.T, hub *feed.Hub, cursor string, skus []string) *feed.Reader {
	t.Helper()
	w, err := y.pods[0].Watch(t.Context(), tester, service.WatchQuery{SKUs: skus})
	if err != nil {
		t.Fatal(err)
	}
	r, err := hub.Read(t.Context(), cursor, w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// take checks that no version is left out.
func (f *follower) take(t *testing.T, b feed.Batch) {
	t.Helper()
	for _, i := range b.Items {
		f.said = append(f.said, string(i.JSON()))
		if e := i.Event; e.Version > f.seen[e.Key]+1 {
			t.Fatalf("%v: version %d comes after %d", e.Key, e.Version, f.seen[e.Key])
		} else if e.Version > f.seen[e.Key] {
			f.seen[e.Key] = e.Version
		}
	}
	f.cursor = b.Cursor
}

// read takes a batch.
func (f *follower) read(t *testing.T, most int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := f.reader.Next(ctx, most, 100*time.Millisecond)
	if err == nil {
		f.take(t, b)
	}
	return err
}

// visit goes on at a hub for a few batches.
func (f *follower) visit(t *testing.T, y *yard, hub *feed.Hub, skus []string, batches int) {
	t.Helper()
	f.skus = skus
	f.open(t, y, hub)
	for range batches {
		if err := f.read(t, 5); errors.Is(err, feed.ErrCutOff) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// has says whether everything that the ledger has of the SKUs has come.
func (f *follower) has(t *testing.T, y *yard) bool {
	t.Helper()
	for _, region := range y.Topology.Names() {
		for _, sku := range f.skus {
			levels, _, err := y.Levels(context.WithoutCancel(t.Context()), store.LevelFilter{Region: region, SKU: sku, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range levels {
				if f.seen[l.Key] < l.Version {
					return false
				}
			}
		}
	}
	return true
}

// complete says whether the writers are done and all they wrote has come.
func (f *follower) complete(t *testing.T, y *yard, written <-chan struct{}) bool {
	t.Helper()
	select {
	case <-written:
		return f.has(t, y)
	default:
		return false
	}
}

// until reads on until everything has come.
func (f *follower) until(t *testing.T, y *yard, who string) {
	t.Helper()
	for began := time.Now(); !f.has(t, y); {
		if time.Since(began) > time.Minute {
			t.Fatalf("%s doesn't get everything; it has %v", who, f.seen)
		}
		if err := f.read(t, 100); err != nil {
			t.Fatalf("%s: %v", who, err)
		}
	}
}

// untilCutOff reads until everything has come or the reader was too slow: either way the hub's memory
// has moved on.
func (f *follower) untilCutOff(t *testing.T, y *yard) {
	t.Helper()
	for !f.has(t, y) {
		if err := f.read(t, 100); errors.Is(err, feed.ErrCutOff) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// ahead is a cursor that no feed has come to yet.
func (f *follower) ahead() string {
	raw, _ := base64.RawURLEncoding.DecodeString(f.cursor)
	return base64.RawURLEncoding.EncodeToString(append([]byte{raw[0]}, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0))
}
