package service_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

// ownServers starts a database that the test may kill, and a yard on it.
func ownServers(t *testing.T, kind devdb.Kind) (*devdb.Database, *yard) {
	t.Helper()
	servers, db := storetest.Own(t, kind)
	return servers, newYard(t, db)
}

// till sells one unit after the other at a pod, each under its own key, and never again what was
// answered with a failure. It keeps what it was told.
type till struct {
	pod *service.Service
	y   *yard
	sku string

	sold    atomic.Int64 // accepted
	lastOK  atomic.Int64 // when, unix nanoseconds
	mu      sync.Mutex
	unknown []service.Caller // keys of what may have been sold
	failed  int              // certainly not sold
	slowest time.Duration
}

func (l *till) run(t *testing.T, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		caller, began := l.y.fresh(), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		_, err := l.pod.Move(ctx, caller, move("sell", nyc, l.sku, 1))
		cancel()
		l.mu.Lock()
		l.slowest = max(l.slowest, time.Since(began))
		switch {
		case err == nil:
			l.sold.Add(1)
			l.lastOK.Store(time.Now().UnixNano())
		case errors.Is(err, service.ErrUnavailable), errors.Is(err, service.ErrOverloaded):
			l.failed++
		case errors.Is(err, service.ErrOutcomeUnknown), errors.Is(err, context.DeadlineExceeded):
			l.unknown = append(l.unknown, caller)
		default:
			t.Errorf("answered %v", err)
		}
		l.mu.Unlock()
	}
}

func (l *till) fails() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// settle learns what became of the unknown ones.
func (l *till) settle(t *testing.T) {
	t.Helper()
	for _, caller := range l.unknown {
		l.y.must(t)(l.pod.Move(t.Context(), caller, move("sell", nyc, l.sku, 1)))
		l.sold.Add(1)
	}
	t.Logf("%d sold, %d refused, %d unknown and settled, slowest answer %s", l.sold.Load(), l.failed, len(l.unknown), l.slowest.Round(time.Millisecond))
}

// PostgreSQL is killed like in a power cut, twice, and comes back. The pods stay.
func TestDatabaseGoesAndComesBack(t *testing.T) {
	servers, y := ownServers(t, devdb.PostgreSQL)
	const stock = 1_000_000
	l := &till{pod: y.pods[0], y: y, sku: y.product(t, stock, nyc)}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		l.run(t, stop)
	}()
	node := servers.Nodes()[0]
	for range 2 {
		before := l.sold.Load()
		eventually(t, "units are sold", func() bool { return l.sold.Load() > before+20 })
		if err := node.Kill(); err != nil {
			t.Fatal(err)
		}
		failed := l.fails()
		eventually(t, "the till is told that the database is gone", func() bool { return l.fails() > failed+3 })
		if err := node.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		eventually(t, "the till sells again", func() bool { return l.lastOK.Load() > back.UnixNano() })
		if took := time.Since(back); took > 5*time.Second {
			t.Errorf("it took the pod %s to find the database again", took)
		}
	}
	close(stop)
	<-done
	l.settle(t)
	if l.slowest > 5*time.Second {
		t.Errorf("a command had to wait %s for its answer", l.slowest)
	}
	y.wants(t, nyc, l.sku, stock-l.sold.Load(), 0, 0, 0)
	y.Verify(t)
}

// One of three CockroachDB nodes is killed. Pods know all nodes and go on through the others, as
// soon as those have taken over what the dead one led.
func TestOneNodeOfThreeDies(t *testing.T) {
	servers, y := ownServers(t, devdb.CockroachDB)
	const stock = 1_000_000
	var hosts []string
	for _, raw := range servers.URLs {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, u.Host)
	}
	var tills []*till
	stop := make(chan struct{})
	var running sync.WaitGroup
	for i := range servers.URLs {
		own := append(append([]string{}, hosts[i:]...), hosts[:i]...) // its region's first
		pod := y.podAt(t, i, strings.Replace(servers.URLs[0], hosts[0], strings.Join(own, ","), 1), service.Options{})
		l := &till{pod: pod, y: y, sku: y.product(t, stock, nyc)}
		tills = append(tills, l)
		running.Go(func() { l.run(t, stop) })
	}
	sellOn := func(when string) {
		t.Helper()
		began := time.Now()
		for _, l := range tills {
			eventually(t, "every region sells "+when, func() bool { return l.lastOK.Load() > began.Add(100*time.Millisecond).UnixNano() })
		}
		t.Logf("%s after %s", when, time.Since(began).Round(100*time.Millisecond))
	}
	sellOn("with all nodes")
	node := servers.Nodes()[1]
	if err := node.Kill(); err != nil {
		t.Fatal(err)
	}
	sellOn("with one node dead")
	if err := node.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	sellOn("with the node back")
	close(stop)
	running.Wait()
	for _, l := range tills {
		l.settle(t)
		y.wants(t, nyc, l.sku, stock-l.sold.Load(), 0, 0, 0)
		if l.slowest > 16*time.Second {
			t.Errorf("a command had to wait %s for its answer", l.slowest)
		}
	}
	y.Verify(t)
}
