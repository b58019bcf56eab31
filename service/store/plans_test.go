package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

// whole names the statements that read a whole table by intent, and why.
var whole = map[string]string{
	"all_locations": "every pod keeps the few there are in memory",
	"all_channels":  "every pod keeps the few there are in memory",
	"count_levels":  "one pod counts them, as rarely as it verifies them all",
}

// limited names the statements that read just so many rows, whichever they are.
var limited = map[string]bool{"count_some_events": true}

// along names the index that a list goes along, where several would do and one has fewer rows.
// filter is the parameter that it is for.
var along = map[string]struct {
	index  string
	filter int
	value  string
}{
	"list_transfers_of_status":      {"transfers_by_status", 4, "in_transit"},
	"list_transfers_of_reference":   {"transfers_by_reference", 5, "a"},
	"list_transfers_of_origin":      {"transfers_by_origin", 6, "a"},
	"list_transfers_of_destination": {"transfers_by_destination", 7, "a"},
}

// Every statement finds its rows by an index: none reads a whole table that grows.
func TestEveryStatementFindsItsRowsByAnIndex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		conn, err := pgx.Connect(t.Context(), db.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(t.Context()) }()
		if db.Kind == devdb.CockroachDB {
			large(t, db, conn)
		}
		// On empty tables PostgreSQL likes to read them whole; what counts is whether it must.
		if _, err := conn.Exec(t.Context(), db.SessionSetUp(), pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		for name, st := range db.Statements() {
			t.Run(name, func(t *testing.T) {
				plan := explain(t, conn, name, st.SQL, st.Types)
				if _, meant := whole[name]; !limited[name] && readsAll(plan) != meant {
					t.Errorf("reads a whole table: %t; by intent: %t\n%s", !meant, meant, plan)
				}
				if !strings.Contains(plan, along[name].index) {
					t.Errorf("doesn't go along %s\n%s", along[name].index, plan)
				}
			})
		}
	})
}

// What CockroachDB knows of a table is as old as its statistics. Of one that has grown since, they are soon taken
// anew, so that rows which are named are looked up.
func TestATableThatHasGrownIsSoonKnownAsSuch(t *testing.T) {
	db := storetest.Open(t, devdb.CockroachDB)
	conn, err := pgx.Connect(t.Context(), db.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), db.SessionSetUp(), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	const keys = 64
	named := []any{pgx.QueryExecModeSimpleProtocol}
	for i := range keys {
		named = append(named, "us-east1", fmt.Sprintf("tea-%d", i), "NYC")
	}
	looksUp := func() bool {
		t.Helper()
		rows, err := conn.Query(t.Context(), "EXPLAIN "+db.Statements()[fmt.Sprintf("levels_%d", keys)].SQL, named...)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return !readsAll(strings.Join(plan, "\n"))
	}
	refresh := func() []string {
		t.Helper()
		refreshed, err := db.RefreshStatistics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return refreshed
	}
	fill := func(from, to int) {
		t.Helper()
		db.Exec(t, fmt.Sprintf(`
INSERT INTO stock_levels (region, sku, location, on_hand, held, allocated, quarantined, incoming, shortfall, version, updated_at)
SELECT 'us-east1', 'tea-' || i::text, 'NYC', 1, 0, 0, 0, 0, 0, 1, now() FROM generate_series(%d, %d) AS g(i)`, from, to))
	}

	if got := refresh(); len(got) > 0 || !looksUp() {
		t.Errorf("in a new database statistics of %v were taken; rows are looked up: %t, want none, true", got, looksUp())
	}
	fill(1, 20)
	db.Exec(t, "CREATE STATISTICS few FROM stock_levels") // as the database does by itself
	if got := refresh(); len(got) > 0 || looksUp() {
		t.Errorf("of a small table statistics of %v were taken; rows are looked up: %t, want none, false", got, looksUp())
	}
	fill(21, 5000)
	for deadline := time.Now().Add(time.Minute); ; { // what is counted is a second old
		if got := refresh(); slices.Equal(got, []string{"stock_levels"}) {
			break
		} else if len(got) > 0 || time.Now().After(deadline) {
			t.Fatal("statistics were taken of ", got)
		}
	}
	for deadline := time.Now().Add(time.Minute); !looksUp(); { // the nodes hear of it by gossip
		if time.Now().After(deadline) {
			t.Fatal("a table that has grown is still read from end to end")
		}
	}
	if got := refresh(); len(got) > 0 {
		t.Error("statistics were taken once more, of ", got)
	}
}

// large has CockroachDB believe that its tables are, whatever it finds out by itself meanwhile: of some dozens
// of rows it reads all, which is right.
func large(t *testing.T, db *storetest.DB, conn *pgx.Conn) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
SELECT 'ALTER TABLE ' || t.table_name || e' INJECT STATISTICS \'[{"columns": ["' || c.column_name
       || e'"], "created_at": "2100-01-01", "row_count": 10000000, "distinct_count": 1000}]\''
  FROM information_schema.tables AS t
  JOIN information_schema.columns AS c ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.ordinal_position = 1
 WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE'`, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		db.Exec(t, one)
	}
}

// readsAll finds a table that is read from end to end: FULL SCAN on CockroachDB; on PostgreSQL a
// scan of a table without a condition on an index.
func readsAll(plan string) bool {
	if strings.Contains(plan, "FULL SCAN") || strings.Contains(plan, "Seq Scan") {
		return true
	}
	for _, node := range strings.Split(plan, "->") {
		if strings.Contains(node, "Index Scan using") && !strings.Contains(node, "Index Cond") ||
			strings.Contains(node, "Index Only Scan using") && !strings.Contains(node, "Index Cond") {
			return true
		}
	}
	return false
}

func explain(t *testing.T, conn *pgx.Conn, name, sql string, types []uint32) string {
	t.Helper()
	sd, err := conn.PgConn().Prepare(t.Context(), "explain_"+name, "EXPLAIN "+sql, types)
	if err != nil {
		t.Fatal(err)
	}
	args := make([]any, len(types))
	for i, oid := range types {
		args[i] = sample(oid)
		switch {
		case strings.Contains(sql, fmt.Sprintf("$%d::uuid", i+1)):
			args[i] = "0b9f2c5e-6d1a-4c1e-9b6e-2f4f6d1b7a10"
		case along[name].filter == i+1:
			args[i] = along[name].value
		case along[name].filter > 0 && strings.Contains(sql, fmt.Sprintf("$%d = ''", i+1)):
			args[i] = "" // a filter that is left open
		}
	}
	result := run(t, conn, sd, args)
	if result.Err != nil { // where a duration or JSON is wanted, NULL must do
		for i, oid := range types {
			if oid == pgtype.TextOID {
				args[i] = nil
			}
		}
		result = run(t, conn, sd, args)
	}
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	var plan strings.Builder
	for _, row := range result.Rows {
		for _, column := range row {
			plan.Write(column)
			plan.WriteByte(' ')
		}
		plan.WriteByte('\n')
	}
	return plan.String()
}

func run(t *testing.T, conn *pgx.Conn, sd *pgconn.StatementDescription, args []any) *pgconn.Result {
	t.Helper()
	var b pgx.ExtendedQueryBuilder
	if err := b.Build(conn.TypeMap(), sd, args); err != nil {
		t.Fatal(err)
	}
	return conn.PgConn().ExecPrepared(t.Context(), sd.Name, b.ParamValues, b.ParamFormats, nil).Read()
}

// sample gives a value of a parameter's type. A region's name also passes for a name.
func sample(oid uint32) any {
	switch oid {
	case pgtype.TextArrayOID:
		return []string{"us-east1", "europe-west1"}
	case pgtype.Int8ArrayOID:
		return []int64{1, 2}
	case pgtype.BoolArrayOID:
		return []bool{true, false}
	case pgtype.Int8OID:
		return int64(10)
	case pgtype.Float8OID:
		return 1.5
	case pgtype.BoolOID:
		return true
	case pgtype.TextOID:
		return "us-east1"
	case pgtype.TimestamptzOID:
		return time.Unix(1_800_000_000, 0)
	}
	return nil
}
