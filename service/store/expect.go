package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// CockroachDB plans by a table's statistics, which it takes by itself, now and then, of what there was
// half a minute before. Of a shop that has just begun, or imported its stock, they are of some dozens of
// rows, and so many look cheaper to read from end to end than to look up: until there are newer ones
// each statement reads, and locks, the whole table instead of the rows that it names, however many there
// are by then. And a table of a few hundred rows is better not locked whole, either. So what the database
// knows of a small table is replaced: that it is large.
const (
	expectedRows = 1_000_000
	smallTable   = 100_000
)

// lookedUp are the tables of which statements name rows by many keys at once.
var lookedUp = []string{
	"stock_levels", "stock_events", "reservations", "reservation_lines", "commands", "transfers", "transfer_lines", "webhook_deliveries",
}

// ExpectMany has the database expect that tables are large that it takes for small, and names them. It
// does nothing on PostgreSQL, which looks rows up all the same.
func (s *Store) ExpectMany(ctx context.Context) (expected []string, err error) {
	if !s.dialect.cockroach {
		return nil, nil
	}
	for _, table := range lookedUp {
		var rows int64
		known := s.pool.QueryRow(ctx, fmt.Sprintf(`SELECT coalesce((SELECT row_count FROM [SHOW STATISTICS FOR TABLE %s] ORDER BY created DESC LIMIT 1), 0)`, table),
			pgx.QueryExecModeSimpleProtocol)
		if err := known.Scan(&rows); err != nil {
			return expected, classify(err)
		}
		if rows >= smallTable {
			continue
		}
		var at string
		if err := s.pool.QueryRow(ctx, `SELECT now()::timestamp::text`, pgx.QueryExecModeSimpleProtocol).Scan(&at); err != nil {
			return expected, classify(err)
		}
		_, err := s.pool.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s INJECT STATISTICS '[{"columns": ["region"], "created_at": "%s", "row_count": %d, "distinct_count": %d}]'`,
			table, at, expectedRows, len(s.regions)), pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return expected, classify(err)
		}
		expected = append(expected, table)
	}
	return expected, nil
}
