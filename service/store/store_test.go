package store_test

import (
	"sync"
	"testing"

	"stockyard/service/devdb"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestManyPodsMigrateAnEmptyDatabaseAtOnce(t *testing.T) {
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) {
			urls := storetest.Fresh(t, kind)
			var wg sync.WaitGroup
			for i := range 5 {
				wg.Go(func() {
					s, err := store.Open(t.Context(), store.Options{URL: urls[i%len(urls)], Regions: []string{"us-east1", "europe-west1"}})
					if err != nil {
						t.Error(err)
						return
					}
					defer s.Close()
					if _, err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
					if v, err := s.AppliedSchema(t.Context()); err != nil || v != store.SchemaVersion() {
						t.Errorf("after its migration a pod sees version %d (%v), not %d", v, err, store.SchemaVersion())
					}
				})
			}
			wg.Wait()
		})
	}
}
