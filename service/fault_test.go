package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service"
	"stockyard/service/store/storetest"
)

// settled repeats a command under its key, pod after pod, until it has an answer for good, and says
// how often it had to be sent again.
func settled(t *testing.T, pods []*service.Service, first int, run func(context.Context, *service.Service) error) (again int, err error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; again++ {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := run(ctx, pods[(first+again)%len(pods)])
		cancel()
		open := false
		for _, unknown := range []error{service.ErrUnavailable, service.ErrOutcomeUnknown, service.ErrOverloaded, context.DeadlineExceeded} {
			open = open || errors.Is(err, unknown)
		}
		if !open {
			return again, err
		}
		if time.Now().After(deadline) {
			return again, fmt.Errorf("unknown for a minute, in the end: %w", err)
		}
	}
}

// sellOut has clients sell and reserve units of a SKU, each command until it is settled, while
// trouble goes on, which can ask whether any was settled since it last asked. It compares what was
// acknowledged with what the database has.
func (y *yard) sellOut(t *testing.T, pods []*service.Service, trouble func(stop <-chan struct{}, progress func() bool)) {
	t.Helper()
	const clients = 12
	rounds := y.size(40, 8)
	sku := y.product(t, int64(clients*rounds), nyc)
	var sold, held, again atomic.Int64
	var settledOne atomic.Bool
	stop := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { trouble(stop, func() bool { return settledOne.Swap(false) }) })
	atOnce(clients, func(i int) {
		for n := range rounds {
			caller, done := y.as("%s/%d/%d", sku, i, n), &sold
			run := func(ctx context.Context, pod *service.Service) error {
				_, err := pod.Move(ctx, caller, move("sell", nyc, sku, 1))
				return err
			}
			if n%2 == 1 {
				done = &held
				run = func(ctx context.Context, pod *service.Service) error {
					_, err := pod.Reserve(ctx, caller, reserve(sku, 1, nyc))
					return err
				}
			}
			repeats, err := settled(t, pods, i+n, run)
			again.Add(int64(repeats))
			if err != nil {
				t.Errorf("client %d: %v", i, err)
				continue
			}
			done.Add(1)
			settledOne.Store(true)
		}
	})
	close(stop)
	beside.Wait()
	t.Logf("%d commands, %d sent again, %d transactions ran again", sold.Load()+held.Load(), again.Load(), y.retries.Load())
	y.wants(t, nyc, sku, int64(clients*rounds)-sold.Load(), held.Load(), 0, 0)
}

func TestKilledConnectionsLoseAndDoubleNothing(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		var pods []*service.Service
		for i, raw := range y.URLs {
			u, err := url.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("application_name", y.run)
			u.RawQuery = q.Encode()
			pods = append(pods, y.podAt(t, i, u.String(), service.Options{}))
		}
		kill := `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '` + y.run + `'`
		if y.isCockroach() {
			kill = `CANCEL SESSIONS IF EXISTS SELECT session_id FROM [SHOW CLUSTER SESSIONS] WHERE application_name = '` + y.run + `'`
		}
		pause := 40 * time.Millisecond
		if y.isCockroach() {
			pause = 400 * time.Millisecond // it takes longer to connect
		}
		var killed int64
		y.sellOut(t, pods, func(stop <-chan struct{}, progress func() bool) {
			conn, err := pgx.Connect(t.Context(), y.URLs[0])
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close(t.Context()) }()
			for {
				select {
				case <-stop:
					return
				case <-time.After(pause/2 + rand.N(pause)):
				}
				// On a busy machine it takes longer to connect than to be killed again: nobody would get
				// anywhere.
				if !progress() {
					continue
				}
				tag, err := conn.Exec(t.Context(), kill)
				if err != nil {
					t.Error(err)
					return
				}
				killed += tag.RowsAffected()
			}
		})
		if killed == 0 {
			t.Error("no connection was killed: the test proves nothing")
		}
		t.Logf("%d connections killed", killed)
	})
}

// Connections break at any moment, above all around the commit: before it arrives, and after.
func TestBrokenCommitsLoseAndDoubleNothing(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		var pods []*service.Service
		var proxies []*storetest.Proxy
		var lost, done atomic.Int64
		used := make([]atomic.Bool, len(y.URLs)) // something was committed there since the last cut
		for i, target := range y.URLs {
			proxy := storetest.NewProxy(t, target)
			proxies = append(proxies, proxy)
			pods = append(pods, y.podAt(t, i, proxy.URL, service.Options{}))
			proxy.OnCommit(func() storetest.Fate {
				used[i].Store(true)
				switch rand.N(6) {
				case 0:
					lost.Add(1)
					return storetest.Lost
				case 1:
					done.Add(1)
					return storetest.Done
				}
				return storetest.Passes
			})
		}
		y.sellOut(t, pods, func(stop <-chan struct{}, _ func() bool) {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(10+rand.N(40)) * time.Millisecond):
				}
				// As with killed connections, but a pod at a time: the proxy sees what passes.
				if pod := i % len(proxies); used[pod].Swap(false) {
					proxies[pod].Cut()
				}
			}
		})
		t.Logf("%d commits never arrived, of %d the answer was lost", lost.Load(), done.Load())
		if lost.Load() == 0 || done.Load() == 0 {
			t.Error("no commit broke: the test proves nothing")
		}
	})
}

// The pod itself finds out what became of a commit whose answer was lost, and its caller sees
// nothing of it.
func TestAmbiguousCommitIsSettledByItsKey(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		proxy := storetest.NewProxy(t, y.URLs[0])
		pod := y.podAt(t, 0, proxy.URL, service.Options{})
		sku := y.product(t, 10, nyc)
		for i, fates := range [][]storetest.Fate{
			{storetest.Done}, {storetest.Lost}, {storetest.Lost, storetest.Done}, {storetest.Lost, storetest.Lost, storetest.Lost},
		} {
			proxy.OnCommit(func() (next storetest.Fate) {
				if len(fates) > 0 {
					next, fates = fates[0], fates[1:]
				}
				return next
			})
			o := y.must(t)(pod.Reserve(t.Context(), y.fresh(), reserve(sku, 1, nyc)))
			if _, _, err := y.pods[1].Reservation(t.Context(), tester, o.Reservation.ID.String()); err != nil {
				t.Errorf("case %d: what was acknowledged is lost: %v", i, err)
			}
			y.wants(t, nyc, sku, 10, int64(i+1), 0, 0)
		}
	})
}

// The database goes away with the answer and stays away: the caller is told that nobody knows, in
// time, and learns the outcome by repeating the key.
func TestUnknownOutcomeIsToldAndSettledByRepeating(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		proxy := storetest.NewProxy(t, y.URLs[0])
		pod := y.podAt(t, 0, proxy.URL, service.Options{})
		sku := y.product(t, 10, nyc)
		y.must(t)(pod.Move(t.Context(), y.fresh(), move("sell", nyc, sku, 1)))
		want := int64(9)
		fates := []storetest.Fate{storetest.Done, storetest.Lost}
		if testing.Short() || y.isCockroach() { // each takes the three seconds that a pod is patient
			fates = fates[:1]
		}
		for _, fate := range fates {
			caller, sale := y.fresh(), move("sell", nyc, sku, 2)
			proxy.OnCommit(func() storetest.Fate {
				proxy.Refuse(true)
				return fate
			})
			began := time.Now()
			_, err := pod.Move(t.Context(), caller, sale)
			if !errors.Is(err, service.ErrOutcomeUnknown) || time.Since(began) > 6*time.Second {
				t.Errorf("answered %v after %s", err, time.Since(began))
			}
			proxy.OnCommit(nil)
			proxy.Refuse(false)
			o := y.must(t)(y.pods[1].Move(t.Context(), caller, sale))
			if o.Replayed != (fate == storetest.Done) {
				t.Errorf("fate %d: replayed is %t", fate, o.Replayed)
			}
			want -= 2
			y.wants(t, nyc, sku, want, 0, 0, 0)
			y.must(t)(pod.Move(t.Context(), caller, sale)) // the pod itself is well again
			y.wants(t, nyc, sku, want, 0, 0, 0)
		}
	})
}

// A commit that is stuck holds up its own stock level and no other, however small the database knows the
// table to be.
func TestAStuckCommitHoldsUpItsLevelAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		y := newYard(t, db)
		stuck, other := y.product(t, 1, nyc), y.product(t, 20, nyc)
		if y.isCockroach() {
			db.Exec(t, "CREATE STATISTICS few FROM stock_levels; CREATE STATISTICS few FROM commands") // as the database does by itself
		}
		proxy := storetest.NewProxy(t, y.URLs[0])
		pod := y.podAt(t, 0, proxy.URL, service.Options{})
		begun, released := make(chan struct{}), make(chan struct{})
		begin, release := sync.OnceFunc(func() { close(begun) }), sync.OnceFunc(func() { close(released) })
		defer release()
		proxy.OnCommit(func() storetest.Fate {
			begin()
			<-released
			return storetest.Passes
		})
		var late sync.WaitGroup
		late.Go(func() { y.must(t)(pod.Move(t.Context(), y.fresh(), move("sell", nyc, stuck, 1))) })
		<-begun
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for range 10 { // the nodes hear by and by of what is known of a table
			if _, err := y.pods[0].Move(ctx, y.fresh(), move("sell", nyc, other, 1)); err != nil {
				t.Fatal("a sale: ", err)
			}
			if _, err := y.pods[0].Reserve(ctx, y.fresh(), reserve(other, 1, nyc)); err != nil {
				t.Fatal("a reservation: ", err)
			}
		}
		release()
		late.Wait()
		y.wants(t, nyc, stuck, 0, 0, 0, 0)
		y.wants(t, nyc, other, 10, 10, 0, 0)
		y.Verify(t)
	})
}
