package devdb

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var testRegions = []string{"us-east1", "europe-west1", "asia-southeast1"}

// The test binary is also the process that tests kill: with these set it starts a database, says
// where, and waits for its end.
const (
	helperDirEnv  = "DEVDB_HELPER_DIR"
	helperKindEnv = "DEVDB_HELPER_KIND"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDirEnv); dir != "" {
		db, err := Start(context.Background(), Options{Dir: dir, Kind: Kind(os.Getenv(helperKindEnv)), Regions: testRegions})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(strings.Join(db.URLs, " "))
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// onEach runs a test on PostgreSQL and, where there is a binary, on CockroachDB.
func onEach(t *testing.T, test func(t *testing.T, kind Kind)) {
	t.Run(string(PostgreSQL), func(t *testing.T) { test(t, PostgreSQL) })
	t.Run(string(CockroachDB), func(t *testing.T) {
		if _, found := FindCockroach(); !found {
			t.Skip("NOT RUN ON COCKROACHDB: no COCKROACH_BINARY, no cockroach on PATH")
		}
		test(t, CockroachDB)
	})
}

// openDir is a directory that the user who runs PostgreSQL for root can enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// mustStart starts a database that is stopped when the test ends, if not before.
func mustStart(t *testing.T, o Options) *Database {
	t.Helper()
	o.Regions, o.Log = testRegions, t.Logf
	db, err := Start(testContext(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustStop(t, db) })
	return db
}

func mustStop(t *testing.T, db *Database) {
	t.Helper()
	if err := db.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func mustExec(t *testing.T, url string, statements ...string) {
	t.Helper()
	if err := execute(testContext(t), url, statements...); err != nil {
		t.Fatal(err)
	}
}

// wantRows checks that the table of these tests still holds what was acknowledged.
func wantRows(t *testing.T, url string, want int) {
	t.Helper()
	ctx, got := testContext(t), 0
	err := withConn(ctx, url, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT count(*) FROM kept").Scan(&got)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("%d rows are left of %d", got, want)
	}
}

const (
	makeTable = "CREATE TABLE kept (id INT PRIMARY KEY)"
	fillTable = "INSERT INTO kept SELECT generate_series(1, 100)"
)
