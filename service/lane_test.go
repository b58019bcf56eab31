package service_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
)

// batches is told how many commands each transaction had.
type batches struct {
	mu    sync.Mutex
	sizes []int
}

func (b *batches) Batched(commands int, _ time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sizes = append(b.sizes, commands)
}

func (b *batches) Decided(string, string) {}

// busy is a pod of one lane, which is at work on a command for a SKU that somebody else has locked:
// what is sent now waits in its queue until release.
type busy struct {
	*service.Service
	sku     string
	release func()
	sent    sync.WaitGroup
}

func (y *yard) busy(t *testing.T, o service.Options) *busy {
	t.Helper()
	o.Lanes = 1
	b := &busy{Service: y.pod(t, 0, o), sku: y.product(t, 100, nyc)}
	b.release = y.block(t, nyc, b.sku)
	b.send(t, func() error {
		_, err := b.Move(t.Context(), y.fresh(), move("sell", nyc, b.sku, 1))
		return err
	})
	y.awaitWaiter(t)
	return b
}

// awaitWaiter waits until a command waits for the lock that the test holds.
func (y *yard) awaitWaiter(t *testing.T) {
	t.Helper()
	query := `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	if y.isCockroach() {
		query = `SELECT count(*) > 0 FROM [SHOW CLUSTER QUERIES] WHERE query LIKE '%FOR UPDATE%' AND query NOT LIKE '%SHOW%'`
	}
	eventually(t, "a command waits for the lock", func() bool { return y.ask(t, query) })
}

// send runs a command beside the test, which fails unless it is accepted by the end.
func (b *busy) send(t *testing.T, run func() error) {
	b.sent.Go(func() {
		if err := run(); err != nil {
			t.Error(err)
		}
	})
}

// queued sends commands and returns once they wait.
func (b *busy) queued(t *testing.T, runs ...func() error) {
	t.Helper()
	for _, run := range runs {
		depth := b.QueueDepth()
		b.send(t, run)
		eventually(t, "the command waits in the lane", func() bool { return b.QueueDepth() > depth })
	}
}

func TestFullLaneAnswersOverloadedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		b := y.busy(t, service.Options{QueueSize: 2})
		sell := func() error {
			_, err := b.Move(t.Context(), y.fresh(), move("sell", nyc, b.sku, 1))
			return err
		}
		b.queued(t, sell, sell)
		began := time.Now()
		if err := sell(); !errors.Is(err, service.ErrOverloaded) {
			t.Errorf("answered %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the answer took %s", took)
		}
		b.release()
		b.sent.Wait()
		y.wants(t, nyc, b.sku, 97, 0, 0, 0)
		if err := sell(); err != nil {
			t.Errorf("once there is room: %v", err)
		}
	})
}

func TestCommandWhoseDeadlinePassedIsDroppedUnrun(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		b, late := y.busy(t, service.Options{}), y.fresh()
		ctx, cancel := context.WithCancel(t.Context())
		b.queued(t, func() error {
			_, err := b.Move(ctx, late, move("sell", nyc, b.sku, 50))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the caller who gave up was answered %v", err)
			}
			return nil
		}, func() error {
			_, err := b.Move(t.Context(), y.fresh(), move("sell", nyc, b.sku, 1))
			return err
		})
		cancel()
		b.release()
		b.sent.Wait()
		y.wants(t, nyc, b.sku, 98, 0, 0, 0)
		if o := y.must(t)(y.pods[1].Move(t.Context(), late, move("sell", nyc, b.sku, 50))); o.Replayed {
			t.Error("the dropped command had taken effect")
		}
	})
}

func TestWhatGathersSharesATransaction(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		seen := &batches{}
		b, twice := y.busy(t, service.Options{Observer: seen}), y.fresh()
		var replayed atomic.Int64
		var runs []func() error
		for i := range 12 {
			runs = append(runs, func() error {
				caller := y.fresh()
				if i < 3 { // the same command three times: one effect, one answer
					caller = twice
				}
				o, err := b.Reserve(t.Context(), caller, reserve(b.sku, 2, nyc))
				if o.Replayed {
					replayed.Add(1)
				}
				return err
			})
		}
		b.queued(t, runs...)
		b.release()
		b.sent.Wait()
		if !slices.Equal(seen.sizes, []int{1, 10}) || replayed.Load() != 2 {
			t.Errorf("transactions had %v commands, %d were replayed; want 1 and 10, and 2", seen.sizes, replayed.Load())
		}
		y.wants(t, nyc, b.sku, 99, 20, 0, 0)
	})
}

// Of three commands that came with one key the first is refused for what it names, which uses the
// key up no more than if it had come alone.
func TestMalformedTwinDoesNotUseTheKeyUp(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		b, caller := y.busy(t, service.Options{}), y.fresh()
		b.queued(t, func() error {
			if _, err := b.Move(t.Context(), caller, move("sell", nyc, y.run+"-none", 1)); refusalOf(err) != inventory.NotFound {
				t.Errorf("an unknown SKU: %v", err)
			}
			return nil
		}, func() error {
			_, err := b.Move(t.Context(), caller, move("sell", nyc, b.sku, 1))
			return err
		}, func() error {
			if _, err := b.Move(t.Context(), caller, move("sell", nyc, b.sku, 2)); !errors.Is(err, service.ErrKeyReused) {
				t.Errorf("the key's second use: %v", err)
			}
			return nil
		})
		b.release()
		b.sent.Wait()
		y.wants(t, nyc, b.sku, 98, 0, 0, 0)
	})
}

func TestCloseFinishesWhatIsQueued(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		b := y.busy(t, service.Options{BatchSize: 2})
		var runs []func() error
		for range 7 {
			runs = append(runs, func() error {
				_, err := b.Move(t.Context(), y.fresh(), move("sell", nyc, b.sku, 1))
				return err
			})
		}
		b.queued(t, runs...)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			b.Close()
		}()
		eventually(t, "no more commands are taken", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := b.Move(ctx, y.fresh(), move("sell", nyc, b.sku, 1))
			return errors.Is(err, service.ErrUnavailable)
		})
		b.release()
		b.sent.Wait()
		<-closed
		y.wants(t, nyc, b.sku, 92, 0, 0, 0)
	})
}

// A command that no rule refuses and the database does, which nobody foresaw, shares its batch with
// good ones: they are accepted, it is an internal error, and its key is free.
func TestPoisonInASharedBatchHarmsNoOther(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		word := "poison " + y.run
		drop := sync.OnceFunc(func() { y.Exec(t, `ALTER TABLE stock_events DROP CONSTRAINT poison`) })
		y.Exec(t, `ALTER TABLE stock_events ADD CONSTRAINT poison CHECK (reason IS NULL OR reason <> '`+word+`')`)
		defer drop()
		var internal atomic.Int64
		b := y.busy(t, service.Options{OnInternal: func(error) { internal.Add(1) }})
		poison, caller := move("sell", nyc, b.sku, 1), y.fresh()
		poison.Reason = word
		good := func() error {
			_, err := b.Move(t.Context(), y.fresh(), move("sell", nyc, b.sku, 1))
			return err
		}
		b.queued(t, good, good, func() error {
			if _, err := b.Move(t.Context(), caller, poison); !errors.Is(err, service.ErrInternal) {
				t.Errorf("the poison was answered %v", err)
			}
			return nil
		}, good, func() error {
			if _, err := b.Move(t.Context(), y.fresh(), move("sell", nyc, b.sku, 1000)); !isShort(err) {
				t.Error(err)
			}
			return nil
		})
		b.release()
		b.sent.Wait()
		y.wants(t, nyc, b.sku, 96, 0, 0, 0)
		if internal.Load() != 1 {
			t.Errorf("%d internal errors", internal.Load())
		}
		drop()
		if o := y.must(t)(y.pods[1].Move(t.Context(), caller, poison)); o.Replayed {
			t.Error("the poison had taken effect")
		}
	})
}
