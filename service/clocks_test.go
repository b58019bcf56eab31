package service_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// clocked is a pod on a machine whose clock is wrong: all of its code, lanes, timeouts and database
// pool included, runs in a bubble of synctest, whose clock is set before each call.
type clocked struct {
	offset time.Duration
	calls  chan call
}

type call struct {
	now  time.Time
	run  func(context.Context, *service.Service)
	done chan struct{}
}

// clocked starts a pod whose clock is off by so much.
func (y *yard) clocked(t *testing.T, region int, offset time.Duration) *clocked {
	t.Helper()
	c := &clocked{offset: offset, calls: make(chan call)}
	// What comes from outside is made outside: a bubble's channels are its own.
	topology, url := y.Topology, y.URLs[region]
	var ended sync.WaitGroup
	ended.Go(func() {
		synctest.Test(t, func(t *testing.T) {
			first := <-c.calls
			time.Sleep(time.Until(first.now.Add(offset)))
			st, err := store.Open(t.Context(), store.Options{URL: url, Regions: topology.Names()})
			if err != nil {
				t.Error(err)
				close(first.done)
				return
			}
			defer st.Close()
			pod := service.New(st, service.Options{
				Region: topology.Regions[region].Name, Topology: topology,
				OnInternal: func(err error) { t.Errorf("internal error: %v", err) },
			})
			defer pod.Close()
			close(first.done)
			for call := range c.calls {
				time.Sleep(time.Until(call.now.Add(offset)))
				if off := time.Since(call.now); off < offset || off > offset+time.Minute {
					t.Errorf("the pod's clock is %s off, not %s: the test proves nothing", off, offset)
				}
				call.run(t.Context(), pod)
				close(call.done)
			}
		})
	})
	t.Cleanup(func() {
		close(c.calls)
		ended.Wait()
	})
	c.do(func(context.Context, *service.Service) {})
	return c
}

// do runs something in the pod. The context is the bubble's: with one from outside, whoever waits for
// a call would keep the bubble's time from passing.
func (c *clocked) do(run func(context.Context, *service.Service)) {
	done := make(chan struct{})
	c.calls <- call{time.Now(), run, done}
	<-done
}

// reserve holds units for a while at the pod.
func (c *clocked) reserve(t *testing.T, y *yard, sku string, units int64, lasts string) inventory.ReservationAnswer {
	t.Helper()
	var held inventory.ReservationAnswer
	caller, in := y.fresh(), reserve(sku, units, nyc)
	in.ExpiresIn = lasts
	c.do(func(ctx context.Context, pod *service.Service) {
		o, err := pod.Reserve(ctx, caller, in)
		if err != nil {
			t.Error(err)
			return
		}
		held = *o.Reservation
	})
	return held
}

// databaseTime is what counts.
func (y *yard) databaseTime(t *testing.T) (now time.Time) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), y.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), "SELECT now()").Scan(&now); err != nil {
		t.Fatal(err)
	}
	return now
}

// One pod's clock is half a minute behind, another's half a minute ahead, and a hold lasts seconds.
// Whichever pod made it, whichever is asked: it ends when the database's clock says so, once, and not
// before.
func TestHoldsEndByTheDatabasesClockWhateverThePodsSay(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		pods := []*clocked{y.clocked(t, 0, -30*time.Second), y.clocked(t, 1, 30*time.Second)}
		lease := y.lease(t, 0, "clock", time.Minute)
		for i, maker := range pods {
			other := pods[1-i]
			sku := y.product(t, 2, nyc)
			before := y.databaseTime(t)
			r, lasted := y.heldHold(t, maker, pods, lease, sku)
			if r.ExpiresAt.Sub(r.CreatedAt) != lasted || r.CreatedAt.Before(before.Add(-time.Second)) || r.CreatedAt.After(y.databaseTime(t).Add(time.Second)) {
				t.Errorf("made by a clock %s off: from %s to %s; the database had %s", maker.offset, r.CreatedAt, r.ExpiresAt, before)
			}
			y.lapsed(t, r.ID)
			atOnce(2, func(n int) {
				pods[n].do(func(ctx context.Context, s *service.Service) {
					if _, _, err := s.ExpireLapsed(ctx, lease, 1000); err != nil {
						t.Error(err)
					}
				})
			})
			y.wants(t, nyc, sku, 2, 0, 0, 0)
			y.endedOnce(t, sku, r)
			y.tooLate(t, other, maker, sku, r)
		}
	})
}

// heldHold makes a hold that both pods find held while it is: where the machine was too slow to see,
// one that lasts twice as long.
func (y *yard) heldHold(t *testing.T, maker *clocked, pods []*clocked, lease store.Lease, sku string) (r inventory.ReservationAnswer, lasts time.Duration) {
	t.Helper()
	for lasts = 2 * time.Second; lasts < 30*time.Second; lasts *= 2 {
		if r = maker.reserve(t, y, sku, 2, lasts.String()); r.ExpiresAt == nil {
			t.Fatalf("no hold: %+v", r)
		}
		seen := true
		for _, pod := range pods {
			seen = y.staysHeld(t, pod, lease, sku, r) && seen
		}
		if seen {
			return r, lasts
		}
		y.lapsed(t, r.ID)
	}
	t.Fatal("this machine is too slow")
	return r, lasts
}

// staysHeld tries to get at a hold that has not expired: as a worker, and as a buyer. It says whether
// the hold was not over before it was done.
func (y *yard) staysHeld(t *testing.T, pod *clocked, lease store.Lease, sku string, r inventory.ReservationAnswer) (inTime bool) {
	t.Helper()
	pod.do(func(ctx context.Context, s *service.Service) {
		_, _, err := s.ExpireLapsed(ctx, lease, 1000)
		_, sale := s.Move(ctx, y.fresh(), move("sell", nyc, sku, 1))
		now, _, reading := s.Reservation(ctx, tester, r.ID.String())
		level, _, looking := s.Level(ctx, tester, nyc, sku, service.Freshness{})
		if inTime = y.databaseTime(t).Before(*r.ExpiresAt); !inTime {
			return
		}
		if err != nil || !isShort(sale) || reading != nil || now.Status != inventory.StatusHeld || looking != nil || level.Held != 2 {
			t.Errorf("a clock %s off: worker %v, sale %v, reservation %s %v, level %+v %v", pod.offset, err, sale, now.Status, reading, level, looking)
		}
	})
	return inTime
}

// tooLate has one pod sell what a hold has lost, and another try to make something of the hold yet.
func (y *yard) tooLate(t *testing.T, seller, shopper *clocked, sku string, r inventory.ReservationAnswer) {
	t.Helper()
	seller.do(func(ctx context.Context, s *service.Service) {
		if _, err := s.Move(ctx, y.fresh(), move("sell", nyc, sku, 1)); err != nil {
			t.Error(err)
		}
	})
	shopper.do(func(ctx context.Context, s *service.Service) {
		if _, err := s.Confirm(ctx, y.fresh(), r.ID.String(), service.StepInput{}); refusalOf(err) != inventory.ReservationExpired {
			t.Errorf("an expired hold whose units are gone was confirmed: %v", err)
		}
		if _, err := s.Release(ctx, y.fresh(), r.ID.String(), service.StepInput{}); refusalOf(err) != inventory.Conflict {
			t.Errorf("an expired hold was released again: %v", err)
		}
	})
	y.wants(t, nyc, sku, 1, 0, 0, 0)
}

// endedOnce looks at the ledger: the hold ended by one event, and not before its time.
func (y *yard) endedOnce(t *testing.T, sku string, r inventory.ReservationAnswer) {
	t.Helper()
	events, err := y.Events(t.Context(), inventory.LevelKey{Region: y.Topology.Regions[0].Name, SKU: sku, Location: nyc}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	ends := 0
	for _, e := range events {
		if e.Kind != inventory.KindExpire || e.Reservation == nil || *e.Reservation != r.ID {
			continue
		}
		ends++
		if e.RecordedAt.Before(*r.ExpiresAt) {
			t.Errorf("the hold was to last until %s and ended at %s", r.ExpiresAt, e.RecordedAt)
		}
	}
	if ends != 1 {
		t.Errorf("the hold ended %d times", ends)
	}
}
