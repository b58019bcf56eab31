package trial

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"stockyard/service/client"
	"stockyard/service/soak/clients"
)

// Rolling is what rolling restarts cost clients that try once, behind a balancer that sends a request
// that no pod took to the next pod.
type Rolling struct {
	Restarts int
	Requests int64 // commands and reads
	Errors   int64 // of them without an answer
	Moved    int64 // of them that a pod refused the connection of, and another one took
	Broken   int64 // connections that broke under a request
	Stop     time.Duration
	Slowest  time.Duration // the request that took longest
}

// rollingClients ask all the time.
const rollingClients = 16

// rolling restarts one pod after the other in order, again and again, under load.
func (t *Trial) rolling(ctx context.Context) error {
	if err := t.yard.Scale(ctx, t.options.Yard.Pods); err != nil {
		return err
	}
	b, err := t.yard.NewBalancer(ctx, "")
	if err != nil {
		return err
	}
	defer b.Close()
	once, err := client.New([]string{b.URL}, client.Options{MaxElapsed: -1, AttemptTimeout: 30 * time.Second})
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	var people sync.WaitGroup
	var requests, errors, slowest atomic.Int64
	for n := range rollingClients {
		one := clients.NewOneTry(t.book, once, t.wares, t.options.Seed, uint64(n))
		people.Go(func() {
			one.Run(ctx, stop, func(took time.Duration, problem string) {
				requests.Add(1)
				for longest := slowest.Load(); int64(took) > longest && !slowest.CompareAndSwap(longest, int64(took)); longest = slowest.Load() {
				}
				if problem != "" {
					errors.Add(1)
					t.options.Log("a request was lost in a rolling restart: %s", problem)
				}
			})
		})
	}
	r := &t.report.Rolling
	for range t.options.Rounds {
		for _, p := range t.yard.Pods() {
			var took time.Duration
			if took, err = p.Stop(); err == nil {
				err = p.Start(ctx)
			}
			if err != nil {
				break
			}
			r.Restarts++
			r.Stop = max(r.Stop, took)
		}
	}
	close(stop)
	people.Wait()
	r.Requests, r.Errors, r.Slowest = requests.Load(), errors.Load(), time.Duration(slowest.Load())
	r.Moved, r.Broken = b.Refused.Load(), b.Broken.Load()
	if r.Errors > 0 {
		t.report.lie("rolling restarts lost %d of %d requests", r.Errors, r.Requests)
	}
	t.book.Pause()
	if err != nil {
		return fmt.Errorf("rolling restart: %w", err)
	}
	return t.judge(ctx, "rolling restarts")
}
