package store_test

import (
	"context"
	"net/url"
	"path"
	"sync"
	"testing"
	"time"

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

// A pod that starts doesn't wait for those who are changing a schema, be it of another database.
func TestWhichSchemaThereIsIsKnownWhileOthersChangeTheirs(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		storetest.Undecided(t, db.Kind)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if v, err := db.AppliedSchema(ctx); err != nil || v != store.SchemaVersion() {
			t.Errorf("version %d, %v", v, err)
		}
	})
}

// Whoever owns the database may migrate it, where an administrator has set what the cluster needs.
func TestTheOwnerOfADatabaseMigratesIt(t *testing.T) {
	admin := storetest.Open(t, devdb.CockroachDB) // which sets it
	urls := storetest.Fresh(t, devdb.CockroachDB)
	u, err := url.Parse(urls[0])
	if err != nil {
		t.Fatal(err)
	}
	admin.Exec(t, `CREATE USER IF NOT EXISTS owner`)
	admin.Exec(t, `ALTER DATABASE `+path.Base(u.Path)+` OWNER TO owner`)
	u.User = url.User("owner")
	s, err := store.Open(t.Context(), store.Options{URL: u.String(), Regions: []string{"us-east1", "europe-west1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RefreshStatistics(t.Context()); err != nil {
		t.Error("the owner may not take statistics: ", err)
	}
}
