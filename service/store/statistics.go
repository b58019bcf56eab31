package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// lookedUp are the tables of which statements name rows by many keys at once.
var lookedUp = []string{
	"stock_levels", "stock_events", "reservations", "reservation_lines", "commands", "transfers", "transfer_lines", "webhook_deliveries",
}

// Rows by which a table's statistics are judged.
const (
	// fewRows look cheaper to read from end to end than to look maxKeys up among; more don't.
	fewRows = 1000
	// anyway is how many are read from end to end whatever the statistics say, and rightly.
	anyway = 50
)

// outgrown says whether a table of which statistics know some rows has so many that plans by them are wrong.
func outgrown(known, actual int64) bool {
	return known < fewRows && actual > anyway && actual >= 2*known
}

// RefreshStatistics has CockroachDB take statistics of the tables that have outgrown theirs, and names
// these tables. It does nothing on PostgreSQL, which looks at a table's size whenever it plans.
//
// CockroachDB takes statistics by itself, now and then, of what there was half a minute before. Of a
// shop that has just begun, or imported its stock, they are of no rows or of some dozens, and so many look
// cheaper to read from end to end than to look up: until there are newer ones each statement reads, and
// locks, the whole table instead of the rows that it names.
func (s *Store) RefreshStatistics(ctx context.Context) (refreshed []string, err error) {
	if !s.dialect.cockroach {
		return nil, nil
	}
	err = s.patiently(ctx, func(conn *pgx.Conn) error {
		known, err := knownRows(ctx, conn)
		for table, rows := range known {
			grown, failed := refreshOutgrown(ctx, conn, table, rows)
			if grown {
				refreshed = append(refreshed, table)
			}
			err = errors.Join(err, failed)
		}
		return err
	})
	slices.Sort(refreshed)
	return refreshed, classify(err)
}

func refreshOutgrown(ctx context.Context, conn *pgx.Conn, table string, known int64) (refreshed bool, err error) {
	if known >= fewRows {
		return false, nil
	}
	// A second back nothing is locked, neither for this nor by it.
	actual, err := readColumn[int64](ctx, conn, fmt.Sprintf(
		`SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d) AS OF SYSTEM TIME '-1s'`, table, 2*fewRows))
	if err != nil || !outgrown(known, actual[0]) {
		return false, err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf(`CREATE STATISTICS grown FROM %s AS OF SYSTEM TIME '-1s'`, table), pgx.QueryExecModeSimpleProtocol)
	return err == nil, err
}

// knownRows gives the rows that the newest statistics of each table have counted. A table without any
// isn't in it: it passes for one of fewRows.
func knownRows(ctx context.Context, conn *pgx.Conn) (map[string]int64, error) {
	var newest []string
	for _, table := range lookedUp {
		newest = append(newest, fmt.Sprintf(`(SELECT '%[1]s' AS table_name, row_count FROM [SHOW STATISTICS FOR TABLE %[1]s] ORDER BY created DESC LIMIT 1)`, table))
	}
	known := map[string]int64{}
	var table string
	var rows int64
	err := eachRow(ctx, conn, strings.Join(newest, " UNION ALL "), []any{&table, &rows}, func() { known[table] = rows })
	return known, err
}
