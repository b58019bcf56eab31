package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// decide runs a command the way a lane does, under a key of its own.
func decide(t *testing.T, db *storetest.DB, key string, c inventory.Command, id inventory.ID) (answer inventory.Answer) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.ReadBatch(ctx, store.BatchNeeds{Needs: c.Needs()})
		if err != nil {
			return err
		}
		rows.State.AddProduct("A", inventory.CatalogueEntry{Known: true})
		rows.State.AddProduct("T", inventory.CatalogueEntry{Known: true})
		rows.State.AddLocation("NYC", inventory.CatalogueEntry{Known: true})
		rows.State.AddLocation("LON", inventory.CatalogueEntry{Known: true})
		if answer, err = rows.State.Decide(c, false); err != nil {
			return err
		}
		tx.WriteBatch(rows.State.Changes(), []store.Recorded{{
			CommandKey: store.CommandKey{Region: id.Region, Key: key}, ID: id, Operation: "test", InputHash: []byte("x"),
			Answer: "{}", Events: rows.State.Events(), RecordedAt: rows.State.RecordedAt(),
		}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

var (
	nycA = inventory.LevelKey{Region: "us-east1", SKU: "A", Location: "NYC"}
	lonA = inventory.LevelKey{Region: "europe-west1", SKU: "A", Location: "LON"}
)

// furnish fills a database: ten units at each of two places, a hold over both, and a confirmed
// reservation of which a part has left. NYC is then at version 5 with 9 on hand, 2 held and 2 allocated.
func furnish(t *testing.T, db *storetest.DB) {
	t.Helper()
	one, serial := int64(1), byte(0)
	id := func(level inventory.LevelKey) inventory.ID {
		serial++
		return inventory.NewID(level, [16]byte{8: serial}, false)
	}
	for key, level := range map[string]inventory.LevelKey{"receive-nyc": nycA, "receive-lon": lonA} {
		m := &inventory.Movement{ID: id(level), Kind: inventory.KindReceive, Lines: []inventory.MovementLine{{Level: level, Quantity: 10}}}
		decide(t, db, key, m, m.ID)
	}
	random := [16]byte{9: 1}
	held := inventory.NewID(nycA, random, true)
	decide(t, db, "hold", &inventory.Reserve{
		Random: random, ExpiresIn: time.Hour, Policy: inventory.AllOrNothing,
		Lines: []inventory.ReserveLine{{SKU: "A", Quantity: 2, Level: &nycA}, {SKU: "A", Quantity: 1, Level: &lonA}},
	}, held)
	random = [16]byte{9: 2}
	allocated := inventory.NewID(nycA, random, false)
	decide(t, db, "order", &inventory.Reserve{
		Random: random, ExpiresIn: time.Hour, Policy: inventory.AllOrNothing,
		Lines: []inventory.ReserveLine{{SKU: "A", Quantity: 3, Level: &nycA}},
	}, allocated)
	step := id(nycA)
	decide(t, db, "confirm", &inventory.Confirm{ID: step, Reference: allocated}, step)
	step = id(nycA)
	decide(t, db, "fulfil", &inventory.Fulfil{ID: step, Reference: allocated, Lines: []inventory.LineSelection{{Line: 1, Quantity: &one}}}, step)
	sendLorries(t, db)
	seal(t, db, "NYC", time.Now().Add(time.Hour).Truncate(time.Second))
}

// corruption is something that must not be, and how to undo it.
type corruption struct {
	plant, mend string
	check, key  string // who must name what; in a key, * stands for anything
}

// corruptions lists them for what furnish makes.
func corruptions() []corruption {
	level := func(set string) string {
		return "UPDATE stock_levels SET " + set + " WHERE sku = 'A' AND location = 'NYC'"
	}
	event := func(version int, set string) string {
		return fmt.Sprintf("UPDATE stock_events SET %s WHERE sku = 'A' AND location = 'NYC' AND version = %d", set, version)
	}
	line := func(set string) string {
		return "UPDATE reservation_lines SET " + set + " WHERE location = 'NYC' AND quantity = 2"
	}
	order := func(set string) string {
		return "UPDATE reservation_lines SET " + set + " WHERE location = 'NYC' AND quantity = 3"
	}
	const is = "on_hand = 9, held = 2, allocated = 2, quarantined = 0, incoming = 0, shortfall = 0"
	all := []corruption{
		{level("held = 6, allocated = 4"), level(is), "quantities", "NYC/A"},
		{level("held = 9223372036854775807, allocated = 9223372036854775807"), level(is), "quantities", "NYC/A"},
		{level("version = version + 1"), level("version = version - 1"), "levels", "NYC/A"},
		{level("version = version - 1"), level("version = version + 1"), "levels", "NYC/A"},
		{level("location = 'GONE'"), "UPDATE stock_levels SET location = 'NYC' WHERE location = 'GONE'", "levels", "NYC/A"},
		{level("location = 'GONE'"), "UPDATE stock_levels SET location = 'NYC' WHERE location = 'GONE'", "levels", "GONE/A"},
		{event(2, "version = 99"), event(99, "version = 2"), "events", "NYC/A version 3"},
		{event(5, "version = 99"), event(99, "version = 5"), "events", "NYC/A version 99"},
		{event(1, "version = 0"), event(0, "version = 1"), "events", "NYC/A version 0"},
		{event(1, "on_hand_delta = 9223372036854775807, on_hand = 9223372036854775807"), event(1, "on_hand_delta = 10, on_hand = 10"), "events", "NYC/A version 2"},
		{ // a sum that no int64 holds
			event(1, "on_hand_delta = 9223372036854775807, on_hand = 9223372036854775807") + ";" + event(2, "on_hand_delta = 9"),
			event(1, "on_hand_delta = 10, on_hand = 10") + ";" + event(2, "on_hand_delta = 0"), "events", "NYC/A version 2",
		},
		{event(5, "on_hand_delta = 0, on_hand = 10"), event(5, "on_hand_delta = -1, on_hand = 9"), "levels", "NYC/A"},
		{line("held = 1, released = 1"), line("held = 2, released = 0"), "promises", "NYC/A"},
		{order("allocated = 1, fulfilled = 2"), order("allocated = 2, fulfilled = 1"), "promises", "NYC/A"},
		{line("sku = 'B'"), line("sku = 'A'"), "promises", "NYC/B"},
		{line("released = 1"), line("released = 0"), "lines", "* line 1"},
		{"UPDATE reservations SET status = 'released' WHERE status = 'held'", "UPDATE reservations SET status = 'held' WHERE status = 'released'", "lines", "* line 2"},
		{"UPDATE reservations SET status = 'held' WHERE status = 'allocated'", "UPDATE reservations SET status = 'allocated' WHERE status = 'held' AND version > 1", "lines", "* line 1"},
		{"UPDATE reservations SET version = 77, region = 'asia-southeast1' WHERE status = 'held'", "UPDATE reservations SET version = 1, region = 'us-east1' WHERE version = 77", "lines", "* line 1"},
		{"UPDATE commands SET events = 2 WHERE key = 'confirm'", "UPDATE commands SET events = 1 WHERE key = 'confirm'", "commands", "confirm"},
		{event(1, "movement_id = gen_random_uuid()"), event(1, "movement_id = (SELECT id FROM commands WHERE key = 'receive-nyc')"), "commands", "receive-nyc"},
		{line("expires_at = expires_at + '1s'::interval"), line("expires_at = expires_at - '1s'::interval"), "holds", "* line 1"},
	}
	all = append(all, transferCorruptions()...)
	all = append(all, chainCorruptions(event, level)...)
	for _, column := range []string{"on_hand", "held", "allocated", "quarantined", "incoming", "shortfall"} {
		all = append(all,
			corruption{level(column + " = -1"), level(is), "quantities", "NYC/A"},
			corruption{level(column + " = " + column + " + 1"), level(is), "levels", "NYC/A"},
			corruption{event(3, column+" = "+column+" + 1"), event(3, column+" = "+column+" - 1"), "events", "NYC/A version 3"},
			corruption{event(3, column+"_delta = "+column+"_delta + 1"), event(3, column+"_delta = "+column+"_delta - 1"), "events", "NYC/A version 3"},
		)
	}
	return all
}

func TestVerify(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		furnish(t, db)
		db.Verify(t)
		t.Run("makes nobody wait", func(t *testing.T) { verifyMakesNobodyWait(t, db) })
		if db.Kind == devdb.PostgreSQL { // on CockroachDB it waits for the two round trips that a lane holds a row
			t.Run("waits for no lock", func(t *testing.T) { verifyBesideLocks(t, db) })
		}
		dropConstraints(t, db)
		t.Run("finds every corruption", func(t *testing.T) { verifyFindsEveryCorruption(t, db) })
	})
}

func verifyFindsEveryCorruption(t *testing.T, db *storetest.DB) {
	named := map[string]bool{}
	for _, c := range corruptions() {
		db.Exec(t, c.plant)
		v, err := db.Store.Verify(t.Context())
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.plant, err)
		case v.Clean || !names(v, c.check, c.key):
			t.Errorf("%s: %s doesn't name %q: %+v", c.plant, c.check, c.key, v)
		default:
			named[c.check] = true
		}
		db.Exec(t, c.mend)
	}
	v, err := db.Store.Verify(t.Context())
	if err != nil || !v.Clean {
		t.Errorf("mended: %+v, %v", v, err)
	}
	for _, c := range v.Checks {
		if !named[c.Name] {
			t.Errorf("nothing was planted for check %s", c.Name)
		}
		if c.Checked == 0 {
			t.Errorf("check %s looked at nothing", c.Name)
		}
	}
}

func names(v store.Verification, check, key string) bool {
	for _, c := range v.Checks {
		if c.Name == check {
			return slices.ContainsFunc(c.Violations, func(found store.Violation) bool {
				begin, end, any := strings.Cut(key, "*")
				return found.Detail != "" && (found.Key == key || any && strings.HasPrefix(found.Key, begin) && strings.HasSuffix(found.Key, end))
			})
		}
	}
	return false
}

// dropConstraints drops the CHECKs that would refuse what is to be planted.
func dropConstraints(t *testing.T, db *storetest.DB) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), `
		SELECT 'ALTER TABLE ' || table_name || ' DROP CONSTRAINT ' || string_agg(constraint_name, ', DROP CONSTRAINT ')
		  FROM information_schema.table_constraints
		 WHERE constraint_type = 'CHECK' AND table_schema = 'public' AND constraint_name NOT LIKE '%not_null'
		   AND table_name IN ('stock_levels', 'stock_events', 'reservation_lines', 'transfers', 'transfer_lines')
		 GROUP BY table_name`)
	if err != nil {
		t.Fatal(err)
	}
	drops, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(drops) != 5 {
		t.Fatalf("constraints of five tables: %q, %v", drops, err)
	}
	for _, drop := range drops {
		db.Exec(t, drop)
	}
}

func verifyMakesNobodyWait(t *testing.T, db *storetest.DB) {
	stop, verified := make(chan struct{}), 0
	var verifying sync.WaitGroup
	verifying.Go(func() {
		for {
			db.Verify(t)
			verified++
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for i := range 20 {
		began := time.Now()
		m := &inventory.Movement{ID: inventory.NewID(nycA, [16]byte{7: byte(i + 1)}, false), Kind: inventory.KindSell, Lines: []inventory.MovementLine{{Level: lonA, Quantity: 1}}}
		if i%2 == 1 {
			m.Kind = inventory.KindReceive
		}
		decide(t, db, fmt.Sprint("beside-", i), m, m.ID)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a writer waited %s", took)
		}
	}
	close(stop)
	verifying.Wait()
	t.Logf("verified %d times", verified)
}

func verifyBesideLocks(t *testing.T, db *storetest.DB) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, sql := range []string{"BEGIN", "SELECT FROM stock_levels FOR UPDATE", "SELECT FROM reservations FOR UPDATE", "UPDATE stock_levels SET on_hand = 99"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if v, err := db.Store.Verify(ctx); err != nil || !v.Clean {
		t.Errorf("with every row locked: %+v, %v", v, err)
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
}
