package load_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service/auth"
	"stockyard/service/load"
	"stockyard/service/store/storetest"
)

// tokens are those that are accepted.
type tokens map[string]auth.Principal

func (t tokens) Authenticate(_ context.Context, authorization string) (auth.Principal, error) {
	token, _ := strings.CutPrefix(authorization, "Bearer ")
	if who, ok := t[token]; ok {
		return who, nil
	}
	return auth.Principal{}, auth.ErrBadCredential
}

// every lets a fault happen at each n-th reservation.
func every(n int64, fault func(next http.Handler, w http.ResponseWriter, q *http.Request)) func(http.Handler) http.Handler {
	var seen atomic.Int64
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Method == http.MethodPost && q.URL.Path == "/v1/reservations" && seen.Add(1)%n == 0 {
				fault(next, w, q)
				return
			}
			next.ServeHTTP(w, q)
		})
	}
}

func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// Faults that real services have: an operation is repeated under its key, and counted once.
func TestFaultsAreRepeatedAndTheBooksHold(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(next http.Handler, w http.ResponseWriter, q *http.Request){
		"cut off before": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) { cut(w) },
		"cut off after": func(next http.Handler, w http.ResponseWriter, q *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), q)
			cut(w)
		},
		"overloaded": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"unknown outcome": func(next http.Handler, w http.ResponseWriter, q *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), q)
			w.WriteHeader(http.StatusGatewayTimeout)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
				r, err := run(t, plan("uniform", start(t, db, 0, auth.Anonymous{}, every(5, fault))))
				if err != nil || r.Total.OK == 0 || r.Total.Failed > 0 || r.Total.Retries == 0 || r.Proof.Unknown > 0 || len(r.Failures) == 0 {
					t.Errorf("%v; %+v", err, r)
				}
			})
		})
	}
}

// Whoever gives up doesn't know what became of it: the books may then have it or not.
func TestUnknownOutcomesAreASpan(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		for name, fault := range map[string]func(next http.Handler, w http.ResponseWriter, q *http.Request){
			"without an effect": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusInternalServerError)
			},
			"with an effect": func(next http.Handler, w http.ResponseWriter, q *http.Request) {
				next.ServeHTTP(httptest.NewRecorder(), q)
				w.WriteHeader(http.StatusInternalServerError)
			},
		} {
			r, err := run(t, plan("hot", start(t, db, 0, auth.Anonymous{}, every(5, fault))))
			if err != nil || r.Total.Failed == 0 || r.Proof.Unknown != 1 {
				t.Errorf("%s: %v; %+v", name, err, r)
			}
		}
	})
}

func TestAServiceThatLiesIsFoundOut(t *testing.T) {
	t.Parallel()
	lies := map[string]func(http.Handler) http.Handler{
		"acknowledges what it doesn't do": every(7, func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id": "us-east1.none"}`)
		}),
		"does it twice": every(7, func(next http.Handler, w http.ResponseWriter, q *http.Request) {
			body, _ := io.ReadAll(q.Body)
			twin := q.Clone(q.Context())
			twin.Body = io.NopCloser(strings.NewReader(string(body)))
			twin.Header.Set("Idempotency-Key", "twin of "+q.Header.Get("Idempotency-Key"))
			next.ServeHTTP(httptest.NewRecorder(), twin)
			q.Body = io.NopCloser(strings.NewReader(string(body)))
			next.ServeHTTP(w, q)
		}),
		"does what it refuses": every(7, func(next http.Handler, w http.ResponseWriter, q *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), q)
			w.WriteHeader(http.StatusConflict)
		}),
		"has less than nothing": func(next http.Handler) http.Handler {
			var under atomic.Bool
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if q.URL.Path == "/v1/reservations" {
					under.Store(true)
				}
				if !strings.HasPrefix(q.URL.Path, "/v1/stock/") || !under.Load() {
					next.ServeHTTP(w, q)
					return
				}
				_, _ = io.WriteString(w, `{"location": "x", "sku": "y", "version": 2, "on_hand": 5, "held": 7, "available": -2}`)
			})
		},
	}
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
				r, err := run(t, plan("hot", start(t, db, 0, auth.Anonymous{}, lie)))
				if !errors.Is(err, load.ErrBooks) || r.Proof.Wrong != 1 || len(r.Proof.Differences) != 1 {
					t.Errorf("%v; %+v", err, r.Proof)
				}
			})
		})
	}
}

// A service that stands still for a while makes everybody wait who comes meanwhile. A closed loop
// sends nothing then, and so has one long wait per client; an open one has them all.
func TestNoCoordinatedOmission(t *testing.T) {
	t.Parallel()
	const pause = time.Second
	latencies := map[string]load.Latency{}
	for loop, rate := range map[string]float64{"closed": 0, "open": 100} {
		var seen atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			switch {
			case q.URL.Path == "/v1/regions":
				fmt.Fprint(w, `{"answered_by": "us-east1"}`)
			case q.Method == http.MethodPost:
				if seen.Add(1) == 20 {
					time.Sleep(pause)
				}
				w.WriteHeader(http.StatusCreated)
			}
		}))
		t.Cleanup(server.Close)
		p := plan("uniform", &pod{url: server.URL})
		p.Clients, p.Rate, p.Duration, p.Prepared, p.Unproven = 1, rate, 2*pause, true, true
		r, err := run(t, p)
		if err != nil || r.Loop != loop {
			t.Fatalf("%v; %+v", err, r)
		}
		latencies[loop] = r.Total.Latency
	}
	if l := latencies["closed"]; l.P90 > 100 || l.Max < 1000 {
		t.Errorf("closed loop: %+v", l)
	}
	if l := latencies["open"]; l.P90 < 500 || l.Max < 1000 {
		t.Errorf("open loop: %+v", l)
	}
}

func TestEveryWrongFlagIsNamed(t *testing.T) {
	t.Parallel()
	_, err := load.Run(t.Context(), load.Plan{Scenario: "cold", GRPC: []string{"x:1"}, Rate: -1, Prefix: "a b", Warmup: -1})
	if err == nil {
		t.Fatal("it ran")
	}
	for _, flag := range []string{
		"--scenario", "--target", "--grpc-target", "--clients", "--grpc-connections", "--rate", "--duration", "--warmup", "--skus", "--stock", "--prefix", "--give-up-after",
	} {
		if !strings.Contains(err.Error(), flag+" ") && !strings.Contains(err.Error(), flag+":") {
			t.Errorf("%s isn't named in: %v", flag, err)
		}
	}
	p := plan("hot")
	p.Targets = []string{"localhost:1"}
	if _, err := load.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "--target") {
		t.Errorf("a target that is no URL: %v", err)
	}
}
