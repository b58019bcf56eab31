package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"stockyard/regions"
)

// TopologyState reads what the database has of a topology, and counts the rows that name a region
// which it has and the topology hasn't: a scan of each table, so only where there is such a region.
func (s *Store) TopologyState(ctx context.Context, want *regions.Topology) (regions.State, error) {
	var have regions.State
	err := s.patiently(ctx, func(conn *pgx.Conn) (err error) {
		have = regions.State{Partitionable: s.dialect.cockroach}
		if have.Partitionable {
			if err := readRegions(ctx, conn, &have); err != nil {
				return err
			}
		}
		if have.Primary == "" {
			have.Regions, err = readColumn[string](ctx, conn, `
				SELECT e.enumlabel FROM pg_catalog.pg_enum AS e JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
				 WHERE t.typname = 'crdb_internal_region' ORDER BY e.enumsortorder`)
			have.StandIn = len(have.Regions) > 0
		}
		if err == nil {
			have.Rows, err = countRows(ctx, conn, have, want)
		}
		return err
	})
	return have, explain(err)
}

// readRegions reads what only CockroachDB has.
func readRegions(ctx context.Context, conn *pgx.Conn, have *regions.State) (err error) {
	if have.Cluster, err = readColumn[string](ctx, conn, `SELECT region FROM [SHOW REGIONS FROM CLUSTER] ORDER BY region`); err != nil {
		return err
	}
	var name string
	var primary bool
	err = eachRow(ctx, conn, `SELECT region, "primary" FROM [SHOW REGIONS FROM DATABASE]`, []any{&name, &primary}, func() {
		have.Regions = append(have.Regions, name)
		if primary {
			have.Primary = name
		}
	})
	if err != nil || have.Primary == "" {
		return err
	}
	goals, err := readColumn[string](ctx, conn, `SELECT coalesce(survival_goal, '') FROM [SHOW SURVIVAL GOAL FROM DATABASE]`)
	if err != nil {
		return err
	}
	have.Survive = regions.Goal(strings.Join(goals, ""))
	have.Tables = map[string]regions.Locality{}
	var table, locality string
	return eachRow(ctx, conn, `SELECT table_name, coalesce(locality, '') FROM [SHOW TABLES] WHERE schema_name = 'public' AND type = 'table'`,
		[]any{&table, &locality}, func() { have.Tables[table] = localityOf(locality) })
}

// byRow and global are the localities as SQL has them.
const (
	byRow  = "REGIONAL BY ROW AS region"
	global = "GLOBAL"
)

func localityOf(shown string) regions.Locality {
	switch strings.ReplaceAll(shown, `"`, "") {
	case byRow:
		return regions.ByRow
	case global:
		return regions.Global
	}
	return regions.Elsewhere
}

// countRows counts, in every column that names a region, the rows that name one that isn't wanted.
func countRows(ctx context.Context, conn *pgx.Conn, have regions.State, want *regions.Topology) (rows []regions.Rows, err error) {
	gone := goneFrom(have, want)
	if len(gone) == 0 {
		return nil, nil
	}
	type place struct{ table, column string }
	var p place
	var places []place
	err = eachRow(ctx, conn, `
		SELECT c.relname::text, a.attname::text
		  FROM pg_catalog.pg_attribute AS a
		  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
		  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
		  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
		 WHERE t.typname = 'crdb_internal_region' AND n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
		 ORDER BY 1, 2`, []any{&p.table, &p.column}, func() { places = append(places, p) })
	for _, p := range places {
		r := regions.Rows{Table: p.table, Column: p.column}
		column, alive := pgx.Identifier{p.column}.Sanitize(), ""
		if p.table == "leases" {
			alive = " AND expires_at >= now()" // others are forgotten with the region
		}
		err = eachRow(ctx, conn, fmt.Sprintf(`SELECT %s::text, count(*) FROM %s WHERE %s IN (%s)%s GROUP BY %s`,
			column, pgx.Identifier{p.table}.Sanitize(), column, strings.Join(gone, ", "), alive, column),
			[]any{&r.Region, &r.Count}, func() { rows = append(rows, r) })
		if err != nil {
			return nil, err
		}
	}
	return rows, err
}

// goneFrom are the regions that the database has and the topology hasn't, as SQL has them.
func goneFrom(have regions.State, want *regions.Topology) (gone []string) {
	for _, name := range have.Regions {
		if !want.Has(name) {
			gone = append(gone, literal(name))
		}
	}
	return gone
}

// statementOf is a step as CockroachDB takes it, from v21.1 on.
func statementOf(s regions.Step, database string) string {
	alter := "ALTER DATABASE " + pgx.Identifier{database}.Sanitize()
	region := pgx.Identifier{s.Region}.Sanitize()
	switch s.Kind {
	case regions.AddRegion:
		return alter + " ADD REGION " + region
	case regions.SetPrimary:
		return alter + " PRIMARY REGION " + region
	case regions.SetGoal:
		return alter + " SURVIVE " + strings.ToUpper(string(s.Goal)) + " FAILURE"
	case regions.DropRegion:
		return alter + " DROP REGION " + region
	case regions.SetLocality:
	}
	locality := map[regions.Locality]string{regions.ByRow: byRow, regions.Global: global}[s.Locality]
	return "ALTER TABLE " + pgx.Identifier{s.Table}.Sanitize() + " SET LOCALITY " + locality
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func readColumn[T any](ctx context.Context, conn *pgx.Conn, sql string) (values []T, err error) {
	var v T
	err = eachRow(ctx, conn, sql, []any{&v}, func() { values = append(values, v) })
	return values, err
}

func eachRow(ctx context.Context, conn *pgx.Conn, sql string, into []any, row func()) error {
	rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		row()
		return nil
	})
	return err
}
