package store_test

import (
	"net/url"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

// What sql/copy.sql writes takes all rows of a database to another one, whose type of regions is its own.
func TestRowsAreCopiedToADatabaseOfOtherRegions(t *testing.T) {
	before, after := storetest.Open(t, devdb.CockroachDB), storetest.Open(t, devdb.CockroachDB)
	before.Exec(t, `INSERT INTO leases (region, name, holder, token, expires_at) VALUES ('asia-southeast1', 'a', 'h', 1, now()), ('us-east1', 'b', 'h', 1, now())`)
	before.Exec(t, `INSERT INTO transfers (region, id, status, from_location, to_region, to_location, version, created_at, updated_at) VALUES ('us-east1', gen_random_uuid(), 'draft', 'a', 'europe-west1', 'b', 1, now(), now())`)
	text, err := os.ReadFile("../../sql/copy.sql")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(before.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), after.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	rows, err := conn.Query(t.Context(), strings.ReplaceAll(string(text), "stockyard_before", path.Base(u.Path)), pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(statements) < 10 {
		t.Fatalf("got %q, %v", statements, err)
	}
	for _, statement := range statements {
		after.Exec(t, statement)
	}
	var leases, transfers int
	if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM leases WHERE region = 'asia-southeast1'), (SELECT count(*) FROM transfers WHERE to_region = 'europe-west1')`).Scan(&leases, &transfers); err != nil || leases != 1 || transfers != 1 {
		t.Errorf("%d of 1 lease and %d of 1 transfer are there, %v", leases, transfers, err)
	}
}
