package service_test

import (
	_ "embed"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"stockyard/service/devdb"
	"stockyard/service/report"
	"stockyard/service/store/storetest"
)

//go:embed testdata/ledger.sql
var ledgerSQL string

// BenchmarkReports fills a ledger with a year of 10 million events, on CockroachDB with a million, or
// with REPORT_EVENTS, and runs every report on it, over the whole year where it takes a period: the
// median of three runs.
func BenchmarkReports(b *testing.B) {
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		b.Run(string(kind), func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			db := storetest.Open(b, kind)
			events := map[devdb.Kind]int64{devdb.PostgreSQL: 10_000_000, devdb.CockroachDB: 1_000_000}[kind]
			if given, err := strconv.ParseInt(os.Getenv("REPORT_EVENTS"), 10, 64); err == nil {
				events = given
			}
			began := time.Now()
			fillLedger(b, db, events)
			b.Logf("%d events in %s", events, time.Since(began).Round(time.Second))
			reports, err := report.All()
			if err != nil {
				b.Fatal(err)
			}
			table := ""
			for _, r := range reports {
				values := report.Values{}
				for _, p := range r.Params {
					if p.Name == "from" {
						values["from"] = time.Now().AddDate(-1, 0, 0).Format(time.DateOnly)
					}
				}
				var took []float64
				rows := 0
				for range 3 {
					began := time.Now()
					result, err := db.Report(b.Context(), r, values, 10*time.Minute)
					if err != nil {
						b.Fatal(err)
					}
					took, rows = append(took, time.Since(began).Seconds()), len(result.Rows)
				}
				table += fmt.Sprintf("\n%-24s %6.2f s, %5d rows", r.Name, middle(took), rows)
			}
			b.Log(table)
		})
	}
}

func middle(values []float64) float64 {
	return max(min(values[0], values[1]), min(max(values[0], values[1]), values[2]))
}

func fillLedger(b *testing.B, db *storetest.DB, events int64) {
	b.Helper()
	const each, step = 120, 500
	pool, err := pgxpool.New(b.Context(), db.URLs[0])
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	statements := strings.Split(strings.ReplaceAll(ledgerSQL, "{region}", db.Topology.Primary), ";\n")
	for from := int64(1); from <= events/each; from += step {
		to := min(from+step-1, events/each)
		for _, statement := range statements {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			args := []any{pgx.QueryExecModeExec, from, to, int64(each)}
			if !strings.Contains(statement, "$3") {
				args = args[:3]
			}
			if _, err := pool.Exec(b.Context(), statement, args...); err != nil {
				b.Fatalf("%v in %s", err, statement)
			}
		}
	}
	for _, table := range []string{"stock_levels", "stock_events", "reservations"} {
		analyze := "ANALYZE " + table
		if db.Kind == devdb.CockroachDB {
			analyze = "CREATE STATISTICS s FROM " + table
		}
		if _, err := pool.Exec(b.Context(), analyze); err != nil {
			b.Fatal(err)
		}
	}
}
