package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"stockyard/sql"
)

// GrantAnalysts makes the role that reads the views, if there is none, and lets it. It may be done
// again, which is how views of a newer schema are granted. Errors: ErrUnavailable, or the database's,
// where the user may not create roles.
func (s *Store) GrantAnalysts(ctx context.Context) error {
	const thereAlready = "42710"
	for _, statement := range splitStatements(sql.Analyst) {
		err := s.patiently(ctx, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, statement.sql, pgx.QueryExecModeSimpleProtocol)
			return err
		})
		if err != nil && sqlState(err) != thereAlready {
			return classify(err)
		}
	}
	return nil
}
