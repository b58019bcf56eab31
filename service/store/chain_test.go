package store_test

import (
	"testing"
	"time"

	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// seal seals the ledger of a location as the worker does.
func seal(t *testing.T, db *storetest.DB, location string, upTo time.Time) inventory.Seal {
	t.Helper()
	const region = "us-east1"
	last, err := db.LastSeals(t.Context(), region)
	if err != nil {
		t.Fatal(err)
	}
	lease, ok, err := db.TakeLease(t.Context(), region, "sealing", "test", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	heads, _, err := db.HeadsBefore(t.Context(), region, location, "", last[location].UpTo, upTo, 1000)
	if err != nil {
		t.Fatal(err)
	}
	sealer := inventory.NewSealer(location, upTo, last[location].Root)
	for _, h := range heads {
		sealer.Add(h.SKU, h.Version, h.Hash)
	}
	made := inventory.Seal{Location: location, Region: region, UpTo: upTo}
	made.Root, made.Levels = sealer.Root()
	if ok, err := db.PutSeal(t.Context(), lease, made); err != nil || !ok {
		t.Fatal(ok, err)
	}
	return made
}

// chainCorruptions are what only the hashes show: balances and versions stay right.
func chainCorruptions(event func(int, string) string, level func(string) string) []corruption {
	return []corruption{
		{event(2, "reason = 'who knows'"), event(2, "reason = NULL"), "chain", "NYC/A version 2"},
		{event(1, "actor = 'mallory'"), event(1, "actor = ''"), "chain", "NYC/A version 1"},
		{event(4, "recorded_at = recorded_at + '1us'::interval"), event(4, "recorded_at = recorded_at - '1us'::interval"), "chain", "NYC/A version 4"},
		{ // a middle event is taken out and those after it move up, as if it had never been
			event(3, "version = -3") + ";" + event(4, "version = 3") + ";" + event(5, "version = 4"),
			event(4, "version = 5") + ";" + event(3, "version = 4") + ";" + event(-3, "version = 3"), "chain", "NYC/A version 3",
		},
		{
			level("head = substring(head from 2 for 31)"), "UPDATE stock_levels SET head = e.hash FROM stock_events AS e" +
				" WHERE stock_levels.sku = 'A' AND stock_levels.location = 'NYC' AND e.region = stock_levels.region AND e.sku = 'A' AND e.location = 'NYC' AND e.version = stock_levels.version",
			"chain", "NYC/A version 5",
		},
		{"UPDATE seals SET up_to = up_to + '1s'::interval", "UPDATE seals SET up_to = up_to - '1s'::interval", "seals", "NYC up to *"},
	}
}

func TestSealsFollowEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		furnish(t, db)
		first, err := db.LastSeals(t.Context(), "us-east1")
		if err != nil || first["NYC"].Levels == 0 {
			t.Fatalf("%+v, %v", first, err)
		}
		second := seal(t, db, "NYC", first["NYC"].UpTo.Add(time.Hour))
		if second.Levels != 0 || second.Root == first["NYC"].Root {
			t.Errorf("nothing changed since the first seal: %+v", second)
		}
		db.Verify(t)
		db.Exec(t, "DELETE FROM seals WHERE levels > 0") // the first one
		v, err := db.Store.Verify(t.Context())
		if err != nil || v.Clean || !names(v, "seals", "NYC up to "+second.UpTo.UTC().Format(time.RFC3339)) {
			t.Errorf("a seal was taken out: %+v, %v", v, err)
		}
	})
}

func TestSealNeedsItsLease(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		stale := store.Lease{Region: "us-east1", Name: "sealing", Token: 7}
		ok, err := db.PutSeal(t.Context(), stale, inventory.Seal{Location: "NYC", Region: "us-east1", UpTo: time.Now()})
		if ok || err != nil {
			t.Errorf("sealed without a lease: %t, %v", ok, err)
		}
	})
}
