package service_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stockyard/service"
	"stockyard/service/store"
)

// What a pod reads in the background ends with it, however far it got: a bubble of synctest panics
// about goroutines that wait when it ends.
func TestCloseLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		const tries, renewed = 40, 3 * time.Second // memory of places is older then than a pod likes
		sku, topology, url := y.product(t, 2, nyc), y.Topology, y.URLs[0]
		for range y.size(tries, 4) {
			synctest.Test(t, func(t *testing.T) {
				st, err := store.Open(t.Context(), store.Options{URL: url, Regions: topology.Names()})
				if err != nil {
					t.Error(err)
					return
				}
				defer st.Close()
				pod := service.New(st, service.Options{Region: topology.Regions[0].Name, Topology: topology})
				defer pod.Close()
				look := func() {
					if _, _, err := pod.Level(t.Context(), tester, nyc, sku, service.Freshness{}); err != nil {
						t.Error(err)
					}
				}
				look()
				time.Sleep(renewed) // of the bubble's time: it takes none
				var looks sync.WaitGroup
				for range 8 {
					looks.Go(look)
				}
				looks.Wait()
			})
		}
	})
}
