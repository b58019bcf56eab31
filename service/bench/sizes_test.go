package main

import (
	"testing"

	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
)

// What is put in behind the service's back must be what verify accepts.
func TestPreloadedStockIsValid(t *testing.T) {
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) {
			db := storetest.Open(t, kind)
			sys := &system{server: &server{kind: kind}, database: db.URLs[0]}
			if err := sys.stock(t.Context(), 29, 4); err != nil {
				t.Fatal(err)
			}
			db.Verify(t)
			level, _, err := db.Level(t.Context(), inventory.LevelKey{Region: db.Topology.Primary, SKU: "bench-29", Location: "bench-" + db.Topology.Primary})
			if err != nil || level.Version != 4 || level.OnHand != 1_000_000_003 {
				t.Errorf("%v; %+v", err, level)
			}
		})
	}
}
