package webhook_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/secrets"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
	"stockyard/service/webhook"
	"stockyard/service/webhook/signature"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	sites  = []string{"NYC", "LON", "SIN"}
	tester = service.Caller{Principal: auth.System("test")}
)

// yard is a database, a service on it, and keys for secrets.
type yard struct {
	*storetest.DB
	pod  *service.Service
	keys *secrets.Keys
}

func each(t *testing.T, test func(t *testing.T, y *yard)) {
	t.Helper()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		keys, err := secrets.New()
		if err != nil {
			t.Fatal(err)
		}
		y := &yard{DB: db, keys: keys}
		hub := feed.NewHub(db.Store, feed.Options{})
		y.pod = service.New(db.Store, service.Options{
			Region: db.Topology.Primary, Topology: db.Topology, OnInternal: func(err error) { t.Errorf("internal error: %v", err) },
			Webhooks: service.WebhookOptions{Secrets: keys, AllowPrivate: true, From: hub.Now},
		})
		t.Cleanup(y.pod.Close)
		for i, region := range db.Topology.Regions {
			_, _, err := y.pod.PutLocation(t.Context(), tester, inventory.Location{
				Name: sites[i], Title: sites[i], Region: region.Name, Kind: "warehouse", Country: "US",
			}, service.Precondition{})
			if err != nil {
				t.Fatal(err)
			}
		}
		test(t, y)
	})
}

// quick are options under which nothing takes long.
func quick() webhook.Options {
	return webhook.Options{
		AllowPrivate: true, Timeout: 5 * time.Second, Lease: 2 * time.Second, Refresh: 20 * time.Millisecond, Idle: 50 * time.Millisecond,
		Backoff: webhook.Backoff{First: time.Millisecond, Most: 20 * time.Millisecond, GiveUp: time.Hour},
	}
}

// dispatch runs a pod's dispatcher for as long as the test.
func (y *yard) dispatch(t *testing.T, url string, o webhook.Options) (stop func()) {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: url, Regions: y.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	hub := feed.NewHub(st, feed.Options{Buffer: 64})
	storetest.Background(t, hub.Run)
	o.Store, o.Hub, o.Region, o.Secrets = st, hub, y.Topology.Primary, y.keys
	return storetest.Background(t, webhook.New(o).Run)
}

func (y *yard) products(t *testing.T, n int) (skus []string) {
	t.Helper()
	run := rand.Text()[:8]
	for i := range n {
		sku := fmt.Sprintf("%s-%d", run, i)
		if _, _, err := y.pod.PutProduct(t.Context(), tester, inventory.Product{SKU: sku, Name: sku}, service.Precondition{}); err != nil {
			t.Fatal(err)
		}
		skus = append(skus, sku)
	}
	return skus
}

func (y *yard) move(t *testing.T, kind, site, sku string, units int64) {
	t.Helper()
	caller := tester
	caller.Key = rand.Text()
	_, err := y.pod.Move(context.WithoutCancel(t.Context()), caller, service.MovementInput{
		Kind: kind, Reason: "test", Lines: []service.MovementLineInput{{Location: site, SKU: sku, Quantity: &units}},
	})
	if err != nil {
		t.Errorf("%s: %v", kind, err)
	}
}

// write has some callers move stock of SKUs in all regions.
func (y *yard) write(t *testing.T, skus []string, callers, times int) {
	t.Helper()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range times {
				y.move(t, "receive", sites[(c+i)%len(sites)], skus[(c*i+i)%len(skus)], 1)
			}
		})
	}
	all.Wait()
}

// put puts a webhook of a name of its own that gets what concerns SKUs, and takes it away in the end.
func (y *yard) put(t *testing.T, url string, skus []string) service.WebhookAnswer {
	t.Helper()
	name := "hook-" + rand.Text()[:8]
	w := y.change(t, name, service.WebhookInput{URL: url, Filter: service.WebhookFilter{SKUs: skus}})
	t.Cleanup(func() {
		if err := y.pod.DeleteWebhook(context.WithoutCancel(t.Context()), tester, name, service.Precondition{}); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (y *yard) change(t *testing.T, name string, in service.WebhookInput) service.WebhookAnswer {
	t.Helper()
	w, _, err := y.pod.PutWebhook(t.Context(), tester, name, in, service.Precondition{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (y *yard) deliveries(t *testing.T, w service.WebhookAnswer, status string) []service.DeliveryAnswer {
	t.Helper()
	list, err := y.pod.Deliveries(t.Context(), tester, w.Name, status, service.Page{Size: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	began := time.Now()
	for tick := time.Tick(5 * time.Millisecond); !is(); <-tick {
		if time.Since(began) > time.Minute {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}

// message is what a receiver got.
type message struct {
	header http.Header
	body   []byte
	event  struct {
		SpecVersion, ID, Source, Type, Subject, Sequence, Time, DataContentType string
		Data                                                                    struct {
			SKU, Location, Kind string
			Version             int64
		}
	}
}

// receiver is an endpoint that keeps what it takes. answer, if there is one, says what becomes of a
// message; 0 is that no answer is given.
type receiver struct {
	*httptest.Server
	answer func(*message) int

	mu    sync.Mutex
	taken []*message
	calls int
}

func receive(t *testing.T, answer func(*message) int) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	m := &message{header: q.Header, body: body}
	if err := json.Unmarshal(body, &m.event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.calls++
	answer := r.answer
	r.mu.Unlock()
	status := http.StatusNoContent
	if answer != nil {
		status = answer(m)
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	if status < 300 {
		r.mu.Lock()
		r.taken = append(r.taken, m)
		r.mu.Unlock()
	}
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(status)
}

func (r *receiver) becomes(answer func(*message) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) got() (taken []*message, calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(taken, r.taken...), r.calls
}

// levels gives the versions of each level as they came for the first time.
func (r *receiver) levels() map[string][]int64 {
	taken, _ := r.got()
	seen, levels := map[string]bool{}, map[string][]int64{}
	for _, m := range taken {
		level := m.event.Data.Location + "/" + m.event.Data.SKU
		if v := level + strconv.FormatInt(m.event.Data.Version, 10); !seen[v] {
			seen[v] = true
			levels[level] = append(levels[level], m.event.Data.Version)
		}
	}
	return levels
}

// hasAll says whether everything that the ledger has of the SKUs has come.
func (r *receiver) hasAll(t *testing.T, y *yard, skus []string) bool {
	t.Helper()
	levels := r.levels()
	for _, region := range y.Topology.Names() {
		for _, sku := range skus {
			found, _, err := y.Levels(context.WithoutCancel(t.Context()), store.LevelFilter{Region: region, SKU: sku, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range found {
				if int64(len(levels[l.Key.Location+"/"+sku])) < l.Version {
					return false
				}
			}
		}
	}
	return true
}

// inOrder wants every level's versions to have come one after the other, none left out.
func (r *receiver) inOrder(t *testing.T) {
	t.Helper()
	for level, versions := range r.levels() {
		for i, v := range versions {
			if v != int64(i)+1 {
				t.Errorf("%s came as %v", level, versions)
				break
			}
		}
	}
}

func secretOf(t *testing.T, text string) signature.Secret {
	t.Helper()
	s, err := signature.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
