package clients_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/client"
	"stockyard/service/devdb"
	"stockyard/service/httpapi"
	"stockyard/service/soak/book"
	"stockyard/service/soak/clients"
	"stockyard/service/soak/linear"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// stale is a pod with the bug that all of this is there to find: it keeps the rows that it was asked
// for, and shows them a moment later, or decides on them and writes what it makes of them.
type stale struct {
	honest   http.Handler
	database *pgxpool.Pool
	decides  bool // or only answers reads
	// answered counts what all pods have answered: by it, not by a clock, a row gets old, so that
	// the bug shows however slow the machine is.
	answered *atomic.Int64

	mu   sync.Mutex
	rows map[string]seen
}

type seen struct {
	at    int64
	level client.Level
}

// believed is for how many answers the pod believes in a row.
const believed = 20

// counted is a pod whose answers count.
func counted(pod http.Handler, answered *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pod.ServeHTTP(w, r)
		answered.Add(1)
	})
}

// level is a level as it was lately.
func (s *stale) level(ctx context.Context, path string) (client.Level, bool) {
	s.mu.Lock()
	row, known := s.rows[path]
	s.mu.Unlock()
	if known && s.answered.Load()-row.at < believed {
		return row.level, true
	}
	at := s.answered.Load()
	answer := httptest.NewRecorder()
	s.honest.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	row = seen{at: at}
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &row.level) != nil {
		return row.level, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[path] = row
	return row.level, true
}

func (s *stale) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in client.MovementRequest
	switch {
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v1/stock/"):
		if level, ok := s.level(r.Context(), r.URL.Path); ok && !s.decides {
			_ = json.NewEncoder(w).Encode(level)
			return
		}
	case s.decides && r.URL.Path == "/v1/movements" && json.Unmarshal(body, &in) == nil && in.Kind == "receive":
		if s.receive(w, r, in.Lines[0]) {
			return
		}
	}
	s.honest.ServeHTTP(w, r)
}

// receive adds units to the row as it was, whatever it is by now.
func (s *stale) receive(w http.ResponseWriter, r *http.Request, line client.MovementLine) bool {
	level, ok := s.level(r.Context(), "/v1/stock/"+line.Location+"/"+line.SKU)
	if !ok || level.Shortfall > 0 || level.Version == 0 {
		return false
	}
	level.OnHand += line.Quantity
	err := s.database.QueryRow(r.Context(), `UPDATE stock_levels SET on_hand = $1, version = version + 1
		 WHERE region = $2::text::crdb_internal_region AND sku = $3 AND location = $4 RETURNING version`,
		level.OnHand, level.Region, level.SKU, level.Location).Scan(&level.Version)
	if err != nil {
		return false
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(client.Movement{ID: "stale", Kind: "receive", Lines: []client.MovedLine{{
		Location: level.Location, SKU: level.SKU, Deltas: map[string]int64{"on_hand": line.Quantity}, Level: level,
	}}})
	return true
}

// probe has clients probe a level through pods, and checks what they saw.
func probe(t *testing.T, db *storetest.DB, operations int, pods ...http.Handler) linear.Verdict {
	t.Helper()
	var urls []string
	for _, p := range pods {
		server := httptest.NewServer(p)
		defer server.Close()
		urls = append(urls, server.URL)
	}
	by, err := client.New(urls, client.Options{MaxElapsed: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	run := "probe-" + rand.Text()[:8]
	if _, err := by.PutLocation(t.Context(), client.Location{Name: run, Title: run, Region: db.Topology.Regions[0].Name, Kind: "store", Country: "US"}); err != nil {
		t.Fatal(err)
	}
	histories := make(chan *linear.History, 1)
	stop := make(chan struct{})
	hot := &clients.Hot{
		Site: run, Prefix: run, Most: operations, Unknown: 1000,
		Fresh: func(ctx context.Context, sku string) error {
			_, err := by.PutProduct(ctx, client.Product{SKU: sku, Name: sku})
			return err
		},
		Done: func(h *linear.History) {
			select {
			case histories <- h:
				close(stop)
			default:
			}
		},
	}
	var people sync.WaitGroup
	told := book.New(run)
	defer func() {
		for _, e := range told.With(book.Unknown) {
			t.Log(e.Key, e.Problem, e.Ended.Sub(e.Began))
		}
	}()
	for n := range 6 {
		p := clients.NewProber(told, by.Via(n%len(urls)), hot, 1, uint64(n))
		people.Go(func() { p.Run(t.Context(), stop) })
	}
	people.Wait()
	v, err := (<-histories).Check(2*time.Minute, filepath.Join(t.TempDir(), "history.html"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The clients of two honest pods see a linearizable history. Where one of them decides on stale rows,
// or only shows them, they don't, and it is found out.
func TestStaleRowsAreFoundOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		pool, err := pgxpool.New(t.Context(), db.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		pod := func() http.Handler {
			s := service.New(db.Store, service.Options{Region: db.Topology.Regions[0].Name, Topology: db.Topology, OnInternal: func(error) {}})
			t.Cleanup(s.Close)
			return httpapi.New(s, httpapi.Options{Authenticator: auth.Anonymous{}})
		}
		var answered atomic.Int64
		for _, c := range []struct {
			name  string
			other http.Handler
			holds bool
		}{
			{"honest pods", pod(), true},
			{"a pod that shows stale rows", &stale{honest: pod(), answered: &answered, rows: map[string]seen{}}, false},
			{"a pod that decides on stale rows", &stale{honest: pod(), database: pool, decides: true, answered: &answered, rows: map[string]seen{}}, false},
		} {
			operations := 1500
			if db.Kind == devdb.CockroachDB {
				operations = 400
			}
			v := probe(t, db, operations, counted(pod(), &answered), counted(c.other, &answered))
			t.Logf("%s: %d operations, holds: %t, in %s", c.name, v.Operations, v.Holds, v.Took.Round(time.Millisecond))
			if v.Holds != c.holds || v.Undecided {
				t.Errorf("%s: %+v", c.name, v)
			}
		}
	})
}
