package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// StatementOf is a step of a plan as SQL.
var StatementOf = statementOf

// CodeOf runs a statement and gives the SQLSTATE of what comes of it.
func (s *Store) CodeOf(ctx context.Context, statement string) string {
	return sqlState(s.patiently(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
		return err
	}))
}

// Tables are the tables there are, each with the columns of its primary key.
func (s *Store) Tables(ctx context.Context) (tables map[string][]string, err error) {
	tables = map[string][]string{}
	var table, column string
	err = s.patiently(ctx, func(conn *pgx.Conn) error {
		return eachRow(ctx, conn, `
			SELECT k.table_name::text, k.column_name::text
			  FROM information_schema.key_column_usage AS k
			  JOIN information_schema.table_constraints AS c ON c.constraint_name = k.constraint_name AND c.table_name = k.table_name
			 WHERE c.constraint_type = 'PRIMARY KEY' AND k.table_schema = 'public' AND c.table_schema = 'public'
			 ORDER BY k.table_name, k.ordinal_position`, []any{&table, &column},
			func() { tables[table] = append(tables[table], column) })
	})
	return tables, err
}
