// Package scale_test scales pods under load, behind the load balancer that docker-compose.yml has.
package scale_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"stockyard/regions"
	"stockyard/service/client"
	"stockyard/service/devdb"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/soak/yard"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// clients ask over REST and callers over gRPC, all the time; each request that fails is counted, none is
// repeated by them.
const clients, callers = 12, 4

// One pod becomes eight and then two, whenever somebody decides so, and nobody who calls notices:
// every request is answered, and the books are right.
func TestScalingLosesNoRequest(t *testing.T) {
	findHAProxy(t)
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := yard.MakeDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	binary, err := yard.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) {
			y, err := yard.Start(t.Context(), yard.Options{
				Dir: dir, Binary: binary, Topology: topology, Kind: kind, URLs: storetest.Fresh(t, kind), Pods: 1, Slots: 8,
				DrainDelay: 3 * time.Second, Log: t.Logf,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := y.Stop(); err != nil {
					t.Error(err)
				}
			})
			h := startHAProxy(t, dir, y.Targets(), y.GRPCTargets())
			if err := h.awaitUp(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			s := open(t, h.url, topology.Primary)
			stop := s.load(t, h.grpc)
			for _, n := range []int{8, 2} {
				before := s.requests.Load()
				if err := y.Scale(t.Context(), n); err != nil {
					t.Fatal(err)
				}
				if err := h.awaitUp(t.Context(), n); err != nil {
					t.Fatal(err)
				}
				if s.requests.Load() == before {
					t.Errorf("no request was made while pods went to %d: the test proves nothing", n)
				}
			}
			stop()
			t.Logf("%d requests, %d of them over gRPC, %d failed", s.requests.Load(), s.calls.Load(), s.failed.Load())
			s.check(t)
			for _, finding := range y.Findings() {
				t.Error(finding)
			}
		})
	}
}

// shop sells one product at one place.
type shop struct {
	client           *client.Client
	name             string
	requests, failed atomic.Int64
	sold, calls      atomic.Int64
}

const stock = 1_000_000

func open(t *testing.T, url, region string) *shop {
	t.Helper()
	c, err := client.New([]string{url}, client.Options{MaxElapsed: -1, AttemptTimeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{client: c, name: "scale-" + rand.Text()[:8]}
	ctx := t.Context()
	_, err = c.PutProduct(ctx, client.Product{SKU: s.name, Name: s.name})
	if err == nil {
		_, err = c.PutLocation(ctx, client.Location{Name: s.name, Title: s.name, Region: region, Kind: "store", Country: "US"})
	}
	if err == nil {
		_, _, err = c.Move(ctx, s.name+"-stock", client.MovementRequest{Kind: "receive", Lines: []client.MovementLine{{Location: s.name, SKU: s.name, Quantity: stock}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// load sells and reads until stop is called.
func (s *shop) load(t *testing.T, grpcAddress string) (stop func()) {
	ctx := context.WithoutCancel(t.Context())
	stopped := make(chan struct{})
	var people sync.WaitGroup
	repeat := func(ask func(i int) error) {
		people.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stopped:
					return
				default:
				}
				if err := ask(i); err != nil {
					s.failed.Add(1)
					t.Errorf("a request failed: %v", err)
				}
				s.requests.Add(1)
			}
		})
	}
	for n := range clients {
		repeat(func(i int) error { return s.ask(ctx, fmt.Sprintf("%s-%d-%d", s.name, n, i), i%2 == 0) })
	}
	// What the library would repeat by itself is to be seen.
	conn, err := grpc.NewClient(grpcAddress, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	for range callers {
		repeat(func(int) error { return s.call(ctx, conn) })
	}
	stop = sync.OnceFunc(func() {
		close(stopped)
		people.Wait()
		_ = conn.Close()
	})
	t.Cleanup(stop)
	return stop
}

func (s *shop) call(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := pb.NewStockServiceClient(conn).GetLevel(ctx, &pb.GetLevelRequest{Location: s.name, Sku: s.name})
	s.calls.Add(1)
	return err
}

func (s *shop) ask(ctx context.Context, key string, sell bool) error {
	if !sell {
		_, _, err := s.client.Level(ctx, s.name, s.name)
		return err
	}
	_, _, err := s.client.Move(ctx, key, client.MovementRequest{Kind: "sell", Lines: []client.MovementLine{{Location: s.name, SKU: s.name, Quantity: 1}}})
	if err == nil {
		s.sold.Add(1)
	}
	return err
}

// check compares the books with what was answered.
func (s *shop) check(t *testing.T) {
	t.Helper()
	level, _, err := s.client.Level(t.Context(), s.name, s.name)
	if err != nil || level.OnHand != stock-s.sold.Load() {
		t.Errorf("%d are sold, and the level is %+v, %v", s.sold.Load(), level, err)
	}
	v, _, err := s.client.Verify(t.Context())
	if err != nil || !v.Clean {
		t.Errorf("verify: %+v, %v", v, err)
	}
}
