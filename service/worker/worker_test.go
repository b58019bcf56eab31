package worker_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service/store"
	"stockyard/service/store/storetest"
	"stockyard/service/worker"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const region = "us-east1"

// pods are runners of one region, each on a store of its own behind a proxy, so that one can be cut
// off from the database. Their job is watched: it never runs twice at a time, and tokens grow.
type pods struct {
	*storetest.DB
	job string

	mu     sync.Mutex
	until  []time.Time // when the runs that have not left yet must
	token  int64
	holder map[int64]int // which pod had a token
	runs   []int         // which pod ran
}

func (p *pods) open(t *testing.T) (*store.Store, *storetest.Proxy) {
	t.Helper()
	proxy := storetest.NewProxy(t, p.URLs[0])
	st, err := store.Open(t.Context(), store.Options{URL: proxy.URL, Regions: p.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st, proxy
}

// enter begins a run of the watched job, which counts until it leaves or its time is over.
func (p *pods) enter(ctx context.Context, t *testing.T, pod int, lease store.Lease) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, _ := ctx.Deadline()
	if !time.Now().Before(until) {
		return func() {}
	}
	for _, other := range p.until {
		if time.Now().Before(other) {
			t.Error("the job runs twice at a time")
		}
	}
	p.until = append(p.until, until)
	if lease.Token < p.token {
		t.Errorf("token %d after %d", lease.Token, p.token)
	}
	p.token = lease.Token
	if other, known := p.holder[lease.Token]; known && other != pod {
		t.Errorf("pods %d and %d both ran under token %d", other, pod, lease.Token)
	}
	p.holder[lease.Token] = pod
	p.runs = append(p.runs, pod)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.until = slices.DeleteFunc(p.until, until.Equal)
	}
}

// last is the pod that ran last, and how often all ran.
func (p *pods) last() (pod, runs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.runs) == 0 {
		return -1, 0
	}
	return p.runs[len(p.runs)-1], len(p.runs)
}

// start runs a runner until stop, which waits for its end.
func start(t *testing.T, st *store.Store, lease time.Duration, jobs ...worker.Job) (stop func()) {
	return run(t, worker.Runner{Store: st, Lease: lease}, jobs...)
}

func run(t *testing.T, r worker.Runner, jobs ...worker.Job) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Region, r.Log = region, slog.New(slog.DiscardHandler)
		r.Run(ctx, jobs...)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func each(t *testing.T, test func(t *testing.T, p *pods)) {
	t.Helper()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		test(t, &pods{DB: db, job: rand.Text(), holder: map[int64]int{}})
	})
}

// Five pods run the job. Whoever does it dies without a word, again and again: it is cut off from
// the database and hangs in the middle of its run. Another goes on once the lease is over.
func TestOneOfSeveralRunsAJobAndAnotherTakesOver(t *testing.T) {
	each(t, func(t *testing.T, p *pods) {
		const lease = 600 * time.Millisecond
		const count = 4
		var dead [count]atomic.Bool
		var proxies [count]*storetest.Proxy
		for i := range count {
			st, proxy := p.open(t)
			proxies[i] = proxy
			start(t, st, lease, worker.Job{Name: p.job, Every: 10 * time.Millisecond, Run: func(ctx context.Context, l store.Lease) (bool, error) {
				defer p.enter(ctx, t, i, l)()
				if dead[i].Load() {
					<-ctx.Done() // it knows of nothing, but that its time is over
				}
				return false, nil
			}})
		}
		for range count - 1 {
			_, runs := p.last()
			eventually(t, "the job runs", func() bool { _, now := p.last(); return now > runs+5 })
			victim, _ := p.last()
			dead[victim].Store(true)
			proxies[victim].Refuse(true)
			proxies[victim].Cut()
			eventually(t, "another pod takes over", func() bool { now, _ := p.last(); return now != victim })
		}
		if p.token != count {
			t.Errorf("%d holders came to token %d", count, p.token)
		}
	})
}

func TestPodThatStopsGivesItsLeasesBack(t *testing.T) {
	each(t, func(t *testing.T, p *pods) {
		for i := range 3 {
			st, _ := p.open(t)
			stop := start(t, st, time.Hour, worker.Job{Name: p.job, Every: time.Hour, Run: func(ctx context.Context, l store.Lease) (bool, error) {
				p.enter(ctx, t, i, l)()
				return false, nil
			}})
			eventually(t, "the next pod runs the job", func() bool { last, _ := p.last(); return last == i })
			stop()
		}
	})
}

func TestJobWithMoreToDoRunsAgainAtOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pods) {
		st, _ := p.open(t)
		var busy, failing atomic.Int64
		start(t, st, time.Minute,
			worker.Job{Name: p.job, Every: time.Hour, Run: func(context.Context, store.Lease) (bool, error) {
				return busy.Add(1) < 5, nil
			}},
			worker.Job{Name: p.job + "-fails", Every: 10 * time.Millisecond, Run: func(context.Context, store.Lease) (bool, error) {
				failing.Add(1)
				return true, errors.New("no luck")
			}})
		eventually(t, "both jobs run on", func() bool { return busy.Load() == 5 && failing.Load() > 3 })
	})
}

// A job's context ends with the lease, and the lease is renewed between runs, not during one.
func TestRunEndsWithItsLease(t *testing.T) {
	each(t, func(t *testing.T, p *pods) {
		const lease = 300 * time.Millisecond
		st, _ := p.open(t)
		var ran atomic.Int64
		start(t, st, lease, worker.Job{Name: p.job, Every: time.Millisecond, Run: func(ctx context.Context, _ store.Lease) (bool, error) {
			deadline, ok := ctx.Deadline()
			if left := time.Until(deadline); !ok || left > lease || left < lease/3 {
				t.Errorf("a run may take %s of %s", left, lease)
			}
			ran.Add(1)
			<-ctx.Done()
			return true, ctx.Err()
		}})
		eventually(t, "it runs again after it hung", func() bool { return ran.Load() >= 2 })
	})
}

// Who counts runs learns of those that fail and of those that their lease's end cuts off, but not of one
// that ends because the pod does.
func TestRunsAreTold(t *testing.T) {
	each(t, func(t *testing.T, p *pods) {
		st, _ := p.open(t)
		job := func(name string, run func(context.Context, store.Lease) (bool, error)) worker.Job {
			return worker.Job{Name: p.job + name, Every: time.Millisecond, Run: run}
		}
		const lease = 300 * time.Millisecond
		var mu sync.Mutex
		told := map[string][]error{}
		stop := run(t, worker.Runner{Store: st, Lease: lease, Ran: func(name string, err error) {
			mu.Lock()
			defer mu.Unlock()
			told[name] = append(told[name], err)
		}},
			job("done", func(context.Context, store.Lease) (bool, error) { return false, nil }),
			job("fails", func(context.Context, store.Lease) (bool, error) { return false, errors.New("no luck") }),
			job("hangs", func(ctx context.Context, _ store.Lease) (bool, error) {
				<-ctx.Done()
				return false, ctx.Err()
			}))
		eventually(t, "three jobs have run twice", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(told[p.job+"done"]) > 1 && len(told[p.job+"fails"]) > 1 && len(told[p.job+"hangs"]) > 1
		})
		stop()
		for name, failed := range map[string]bool{"done": false, "fails": true, "hangs": true} {
			for _, err := range told[p.job+name] {
				if (err != nil) != failed || errors.Is(err, context.Canceled) {
					t.Errorf("of %s was told %v", name, err)
				}
			}
		}
	})
}

// A long run keeps its lease from others for as long as it takes, and learns when it is lost.
func TestLongRunKeepsItsLeaseOrEnds(t *testing.T) {
	each(t, func(t *testing.T, p *pods) {
		const lease = 2 * time.Second
		st, proxy := p.open(t)
		began, ended := make(chan struct{}, 9), make(chan struct{}, 9)
		start(t, st, lease, worker.Job{Name: p.job, Every: time.Hour, Long: true, Run: func(ctx context.Context, _ store.Lease) (bool, error) {
			began <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
			return false, ctx.Err()
		}})
		<-began
		other := func() bool {
			_, ok, err := p.TakeLease(t.Context(), region, p.job, "other", lease)
			return err == nil && ok
		}
		for until := time.Now().Add(5 * lease / 2); time.Now().Before(until); time.Sleep(lease / 10) {
			if other() {
				t.Fatal("the lease went to another in the middle of a run")
			}
		}
		proxy.Refuse(true)
		proxy.Cut()
		eventually(t, "another gets the lease", other)
		<-ended
	})
}
