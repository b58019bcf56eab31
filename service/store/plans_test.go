package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// whole names the statements that read a whole table by intent, and why.
var whole = map[string]string{
	"all_locations": "every pod keeps the few there are in memory",
	"all_channels":  "every pod keeps the few there are in memory",
}

// Every statement finds its rows by an index: none reads a whole table that grows.
func TestEveryStatementFindsItsRowsByAnIndex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		conn, err := pgx.Connect(t.Context(), db.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(t.Context()) }()
		// On empty tables PostgreSQL likes to read them whole; what counts is whether it must.
		if _, err := conn.Exec(t.Context(), db.SessionSetUp(), pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		for name, st := range store.Statements() {
			t.Run(name, func(t *testing.T) {
				plan := explain(t, conn, name, st.SQL, st.Types)
				if _, meant := whole[name]; readsAll(plan) != meant {
					t.Errorf("reads a whole table: %t; by intent: %t\n%s", !meant, meant, plan)
				}
			})
		}
	})
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
	// A region's name also passes for a name; where an id, a duration or JSON is wanted, NULL must do.
	result := run(t, conn, sd, types, "us-east1")
	if result.Err != nil {
		result = run(t, conn, sd, types, nil)
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

func run(t *testing.T, conn *pgx.Conn, sd *pgconn.StatementDescription, types []uint32, text any) *pgconn.Result {
	t.Helper()
	var b pgx.ExtendedQueryBuilder
	args := make([]any, len(types))
	for i, oid := range types {
		args[i] = sample(oid, text)
	}
	if err := b.Build(conn.TypeMap(), sd, args); err != nil {
		t.Fatal(err)
	}
	return conn.PgConn().ExecPrepared(t.Context(), sd.Name, b.ParamValues, b.ParamFormats, nil).Read()
}

// sample gives a value of a parameter's type.
func sample(oid uint32, text any) any {
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
		return text
	}
	return nil
}
