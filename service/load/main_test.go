package load_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/grpcapi"
	"stockyard/service/httpapi"
	"stockyard/service/load"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// pod is a server of a region, over a real database, with both of its doors.
type pod struct {
	*storetest.DB
	url, grpc string
}

// start starts a pod of region i. spoil stands between the callers and REST, where it is given.
func start(t *testing.T, db *storetest.DB, i int, who auth.Authenticator, spoil func(http.Handler) http.Handler) *pod {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: db.URLs[i], Regions: db.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	s := service.New(st, service.Options{
		Region: db.Topology.Names()[i], Topology: db.Topology, OnInternal: func(err error) { t.Errorf("internal error: %v", err) },
	})
	rest := httpapi.New(s, httpapi.Options{Authenticator: who})
	if spoil != nil {
		rest = spoil(rest)
	}
	server := httptest.NewServer(rest)
	calls := grpcapi.New(s, grpcapi.Options{Authenticator: who})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- calls.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		calls.Close()
		<-served
		s.Close()
		st.Close()
	})
	return &pod{DB: db, url: server.URL, grpc: listener.Addr().String()}
}

var named atomic.Int64

// plan is a short load with names of its own.
func plan(scenario string, pods ...*pod) load.Plan {
	p := load.Plan{
		Scenario: scenario, Clients: 8, Connections: 2, Duration: 400 * time.Millisecond,
		SKUs: 20, Stock: 1_000_000, Prefix: fmt.Sprint("load", named.Add(1)), GiveUpAfter: 20 * time.Second, Seed: 1,
	}
	for _, pod := range pods {
		p.Targets = append(p.Targets, pod.url)
	}
	return p
}

func run(t *testing.T, p load.Plan) (load.Report, error) {
	t.Helper()
	p.Progress = t.Output()
	r, err := load.Run(t.Context(), p)
	_ = r.Write(t.Output())
	return r, err
}
