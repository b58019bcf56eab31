package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/regions"
)

// Scope is how much of a database is brought up to date.
type Scope struct {
	// Schema: its tables, too, not only where they are.
	Schema bool
	// Unpartitioned: regions and localities stay as they are.
	Unpartitioned bool
}

// Reconciliation is what was done, or would be, to bring a database to its schema and topology.
type Reconciliation struct {
	Migrations []string `json:"migrations"`
	// Statements bring regions and tables to where the topology wants them.
	Statements []string `json:"topology"`
	// Note says, for people, what is special about this database; it may be empty.
	Note string `json:"note,omitempty"`
}

const (
	noteUnpartitioned = "Regions and localities are left as they are (--unpartitioned)."
	notePostgres      = "PostgreSQL has no regions: all rows are in one place, and the topology asks nothing of the database."
)

// PlanReconciliation says what Reconcile would do. Errors: ErrRefused with every reason.
func (s *Store) PlanReconciliation(ctx context.Context, want *regions.Topology, scope Scope) (r Reconciliation, err error) {
	r = Reconciliation{Migrations: []string{}, Statements: []string{}, Note: s.note(scope)}
	if scope.Schema {
		all, err := s.PlanMigrations(ctx)
		if err != nil {
			return r, err
		}
		for _, m := range all {
			if !m.Applied {
				r.Migrations = append(r.Migrations, m.Name)
			}
		}
	}
	have, err := s.TopologyState(ctx, want)
	if err != nil {
		return r, err
	}
	if scope.Schema { // by then every table is there
		tables := map[string]regions.Locality{}
		for _, table := range slices.Concat(want.Tables.ByRow, want.Tables.Global) {
			tables[table] = regions.Elsewhere
		}
		maps.Copy(tables, have.Tables)
		have.Tables = tables
	}
	r.Statements, err = s.statements(ctx, have, want, scope, regions.DropRegion)
	return r, err
}

// Reconcile brings the database to its schema and topology and says what it did, also where it
// failed half-way. Run again, it goes on from there; safe from many places at once, and to kill.
// Before is told of each statement that moves data, which may take long. Errors: ErrRefused.
func (s *Store) Reconcile(ctx context.Context, want *regions.Topology, scope Scope, before func(statement string)) (r Reconciliation, err error) {
	r = Reconciliation{Migrations: []string{}, Statements: []string{}, Note: s.note(scope)}
	release, err := s.openSchema(ctx)
	if err != nil {
		return r, err
	}
	defer release()
	apply := func(last regions.StepKind) error {
		have, err := s.TopologyState(ctx, want)
		if err != nil {
			return err
		}
		statements, err := s.statements(ctx, have, want, scope, last)
		if err == nil {
			err = s.forgetLeases(ctx, goneFrom(have, want))
		}
		if err != nil {
			return err
		}
		for _, statement := range statements {
			before(statement)
			if err := s.alter(ctx, statement); err != nil {
				return err
			}
			r.Statements = append(r.Statements, statement)
		}
		return nil
	}
	// The database's regions come before its tables: the type of their column `region` comes with the
	// primary one, and can't be made later.
	if err := apply(regions.SetGoal); err != nil {
		return r, err
	}
	if scope.Schema {
		applied, err := s.applyMigrations(ctx)
		r.Migrations = append(r.Migrations, applied...)
		if err != nil {
			return r, err
		}
	}
	return r, apply(regions.DropRegion)
}

func (s *Store) note(scope Scope) string {
	switch {
	case !s.dialect.cockroach:
		return notePostgres
	case scope.Unpartitioned:
		return noteUnpartitioned
	}
	return ""
}

// statements are the plan's, up to the last kind.
func (s *Store) statements(ctx context.Context, have regions.State, want *regions.Topology, scope Scope, last regions.StepKind) (statements []string, err error) {
	plan := regions.Decide(have, want, scope.Unpartitioned)
	if len(plan.Refusals) > 0 {
		reasons := make([]string, len(plan.Refusals))
		for i, refusal := range plan.Refusals {
			reasons[i] = refusal.String()
		}
		return nil, fmt.Errorf("%w: %s", ErrRefused, strings.Join(reasons, "\n"))
	}
	var database string
	if err := s.pool.QueryRow(ctx, `SELECT current_database()`, pgx.QueryExecModeSimpleProtocol).Scan(&database); err != nil {
		return nil, classify(err)
	}
	statements = []string{}
	for _, step := range plan.Steps {
		if step.Kind <= last {
			statements = append(statements, statementOf(step, database))
		}
	}
	return statements, nil
}

// forgetLeases deletes what pods have left in regions that are gone: all that stays where none ever
// kept any stock.
func (s *Store) forgetLeases(ctx context.Context, gone []string) error {
	if len(gone) == 0 {
		return nil
	}
	err := s.alter(ctx, `DELETE FROM leases WHERE region IN (`+strings.Join(gone, ", ")+`) AND expires_at < now()`)
	if sqlState(err) == undefinedTable { // a database without tables has none
		return nil
	}
	return err
}

// alter runs a statement that may rewrite a table. What other changes of the schema are in the way
// of is tried again.
func (s *Store) alter(ctx context.Context, statement string) (err error) {
	for attempt := range 10 {
		err = s.ddlOnce(ctx, statement)
		if err == nil || !raced(err) {
			break
		}
		if err := pause(ctx, attempt+5); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("%w in: %s", explain(err), statement)
	}
	return nil
}

// patiently gives a connection whose statements take as long as they take, as building an index of a
// large table does.
func (s *Store) patiently(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, s.dialect.session, pgx.QueryExecModeSimpleProtocol); err != nil {
			_ = conn.Conn().Close(ctx) // nobody else may get it as it is
		}
	}()
	if _, err := conn.Exec(ctx, `SET statement_timeout = 0`, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	return fn(conn.Conn())
}

// ErrRefused is of a database that can't be brought to its topology; the error says why and what to do.
var ErrRefused = errors.New("refused")

// explain says what an operator can do about what CockroachDB refuses.
func explain(err error) error {
	const licenceMissing, binaryWithout = "XXC02", "XXC01"
	switch code := sqlState(err); code {
	case licenceMissing, binaryWithout:
		return fmt.Errorf("%w: this CockroachDB has no licence for regions (%s). Up to v24.2 they want an Enterprise licence "+
			"(SET CLUSTER SETTING cluster.organization = '...'; SET CLUSTER SETTING enterprise.license = '...'); from v24.3 on every licence has them, the free one too. "+
			"Or go on without regions: --unpartitioned. Rows are then where CockroachDB's defaults put them, and a database that is made so can't be given regions in place: %w", ErrRefused, code, err)
	case privilegeMissing:
		return fmt.Errorf("%w: the database's user may not change regions (%s): it wants CREATE on the database and its tables, or to own them, and a member of admin for the first region: %w", ErrRefused, code, err)
	}
	return classify(err)
}
