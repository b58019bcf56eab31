package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service/store"
)

// take takes a lease of the bench for a holder.
func (b *bench) take(t *testing.T, holder string, life time.Duration) (store.Lease, bool) {
	t.Helper()
	lease, ok, err := b.store.TakeLease(t.Context(), "us-east1", b.name, holder, life)
	if err != nil {
		t.Fatal(err)
	}
	return lease, ok
}

// taken waits until a holder gets the lease.
func (b *bench) taken(t *testing.T, holder string, life time.Duration) (lease store.Lease) {
	t.Helper()
	eventually(t, holder+" gets the lease", func() (ok bool) {
		lease, ok = b.take(t, holder, life)
		return ok
	})
	return lease
}

func TestLeaseHasOneHolder(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		var won atomic.Int64
		done := make(chan struct{})
		for _, holder := range []string{"a", "b", "c", "d", "e"} {
			go func() {
				defer func() { done <- struct{}{} }()
				if _, ok := b.take(t, holder, time.Minute); ok {
					won.Add(1)
				}
			}()
		}
		for range 5 {
			<-done
		}
		if won.Load() != 1 {
			t.Errorf("%d of five hold it", won.Load())
		}
	})
}

func TestTokenGrowsWithEachChangeOfHolder(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		first := b.taken(t, "a", time.Minute)
		if again, ok := b.take(t, "a", 100*time.Millisecond); !ok || again != first {
			t.Errorf("renewed, %t: %+v, was %+v", ok, again, first)
		}
		// The holder dies: nobody gives the lease back, it ends by itself.
		second := b.taken(t, "b", time.Minute)
		if second.Token != first.Token+1 {
			t.Errorf("taken over: token %d after %d", second.Token, first.Token)
		}
		if _, ok := b.take(t, "a", time.Minute); ok {
			t.Error("the one before renewed what another holds")
		}
		if err := b.store.ReleaseLease(t.Context(), "us-east1", b.name, "a"); err != nil {
			t.Fatal(err)
		}
		if _, ok := b.take(t, "c", time.Minute); ok {
			t.Error("somebody else gave the lease back")
		}
		if err := b.store.ReleaseLease(t.Context(), "us-east1", b.name, "b"); err != nil {
			t.Fatal(err)
		}
		if third, ok := b.take(t, "c", 1500*time.Millisecond); !ok || third.Token != second.Token+1 {
			t.Errorf("given back and taken, %t: token %d after %d", ok, third.Token, second.Token)
		}
		// A holder of the same name that comes back finds its old token stale.
		if err := b.store.ReleaseLease(t.Context(), "us-east1", b.name, "c"); err != nil {
			t.Fatal(err)
		}
		if fourth := b.taken(t, "a", time.Minute); fourth.Token != first.Token+3 {
			t.Errorf("token %d for the fourth holder", fourth.Token)
		}
	})
}

func TestLeasesOfRegionsAndWorkersAreIndependent(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		for _, region := range b.Topology.Names() {
			for _, worker := range []string{b.name + "x", b.name + "y"} {
				lease, ok, err := b.store.TakeLease(t.Context(), region, worker, region+worker, time.Minute)
				if err != nil || !ok || lease != (store.Lease{Region: region, Name: worker, Token: 1}) {
					t.Errorf("%s in %s: %+v, %t, %v", worker, region, lease, ok, err)
				}
			}
		}
	})
}
