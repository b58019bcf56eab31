package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/sql"
)

// Migrations are few lines of our own: the libraries that apply them safely from several pods at
// once do it with advisory locks, which CockroachDB has not, or inside transactions, where it
// wants no DDL. Here a lease row lets one pod through at a time, each file runs statement by
// statement outside of transactions, and every statement may run again.

// Migration is one file of the schema.
type Migration struct {
	Version int
	Name    string
	Applied bool

	statements []ddlStatement
	checksum   string
}

// ddlStatement is one statement of a migration. A line "--! NAME" before it says that only the
// database of that name takes it.
type ddlStatement struct{ only, sql string }

const migrationTables = `
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    BIGINT      NOT NULL PRIMARY KEY,
    name       TEXT        NOT NULL,
    checksum   TEXT        NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS schema_lock (
    id         BIGINT      NOT NULL PRIMARY KEY,
    holder     TEXT        NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
)`

// SchemaVersion is the version this binary needs.
func SchemaVersion() int {
	all, err := migrations()
	if err != nil || len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Version
}

func migrations() ([]Migration, error) {
	files, err := fs.Glob(sql.Migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	all := make([]Migration, len(files))
	for i, file := range files {
		raw, err := fs.ReadFile(sql.Migrations, file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(path.Base(file), ".sql")
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || i > 0 && version <= all[i-1].Version {
			return nil, fmt.Errorf("migration %s: want a number of its own that is larger than those before", file)
		}
		sum := sha256.Sum256(raw)
		all[i] = Migration{Version: version, Name: name, statements: splitStatements(string(raw)), checksum: hex.EncodeToString(sum[:])}
	}
	return all, nil
}

// splitStatements splits a file of DDL at the semicolons that end a line; comments go.
func splitStatements(file string) (statements []ddlStatement) {
	var b strings.Builder
	var only string
	end := func() {
		if statement := strings.TrimSpace(b.String()); statement != "" {
			statements = append(statements, ddlStatement{only, statement})
		}
		b.Reset()
		only = ""
	}
	for line := range strings.Lines(file) {
		trimmed := strings.TrimSpace(line)
		if name, found := strings.CutPrefix(trimmed, "--!"); found {
			only = strings.TrimSpace(name)
		}
		if strings.HasPrefix(trimmed, "--") {
			continue
		}
		b.WriteString(line)
		if strings.HasSuffix(trimmed, ";") {
			end()
		}
	}
	end()
	return statements
}

// taken are the statements of a migration that this database takes.
func (s *Store) taken(m Migration) (statements []string) {
	for _, st := range m.statements {
		if st.only == "" || st.only == s.dialect.name {
			statements = append(statements, st.sql)
		}
	}
	return statements
}

// AppliedSchema is the schema version the database has; 0 for an empty one. Pods ask for it until it
// fits, so the catalog isn't asked for the table: CockroachDB's is every table of the cluster, and it
// waits for whoever is changing one of them.
func (s *Store) AppliedSchema(ctx context.Context) (version int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM schema_migrations`, pgx.QueryExecModeExec).Scan(&version)
	if sqlState(err) == undefinedTable {
		return 0, nil
	}
	return version, classify(err)
}

// PlanMigrations lists all migrations and which of them the database has.
func (s *Store) PlanMigrations(ctx context.Context) ([]Migration, error) {
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	version, err := s.AppliedSchema(ctx)
	for i := range all {
		all[i].Applied = all[i].Version <= version
	}
	return all, err
}

// Migrate brings the schema up to date and gives the names of what it applied; regions and
// localities stay as they are. It is safe to call from many pods at once, and to kill at any moment.
func (s *Store) Migrate(ctx context.Context) (applied []string, err error) {
	release, err := s.openSchema(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return s.applyMigrations(ctx)
}

// openSchema waits until nobody else changes the schema.
func (s *Store) openSchema(ctx context.Context) (release func(), err error) {
	if err := s.ddl(ctx, strings.Split(migrationTables, ";")...); err != nil {
		return nil, err
	}
	return s.lockSchema(ctx)
}

func (s *Store) applyMigrations(ctx context.Context) (applied []string, err error) {
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	if err := s.ensureRegions(ctx); err != nil {
		return nil, err
	}
	before, err := s.AppliedSchema(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		done, err := s.isApplied(ctx, m)
		if err != nil {
			return applied, err
		}
		if done {
			continue
		}
		if err := s.ddl(ctx, s.taken(m)...); err != nil {
			return applied, fmt.Errorf("migration %s: %w", m.Name, err)
		}
		_, err = s.pool.Exec(ctx, `INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, now()) ON CONFLICT (version) DO NOTHING`,
			pgx.QueryExecModeExec, m.Version, m.Name, m.checksum)
		if err != nil {
			return applied, classify(err)
		}
		applied = append(applied, m.Name)
	}
	return applied, s.dialect.feed.setUp(ctx, s, before == 0)
}

func (s *Store) isApplied(ctx context.Context, m Migration) (bool, error) {
	var checksum string
	err := s.pool.QueryRow(ctx, `SELECT checksum FROM schema_migrations WHERE version = $1`, pgx.QueryExecModeExec, m.Version).Scan(&checksum)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, classify(err)
	case checksum != m.checksum:
		return false, fmt.Errorf("migration %s was applied with another content: what is applied is never edited, add a new file", m.Name)
	}
	return true, nil
}

// ddl runs statements one at a time, each in its own implicit transaction. Two pods may create the
// same thing at the same moment: the loser's error says that it exists, and it tries once more.
func (s *Store) ddl(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		err := s.ddlOnce(ctx, statement)
		for attempt := 1; err != nil && attempt <= 10 && raced(err); attempt++ {
			if err := pause(ctx, attempt+3); err != nil {
				return err
			}
			err = s.ddlOnce(ctx, statement)
		}
		if err != nil {
			return fmt.Errorf("%w in: %s", classify(err), firstLine(statement))
		}
	}
	return nil
}

func (s *Store) ddlOnce(ctx context.Context, statement string) error {
	return s.patiently(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

func raced(err error) bool {
	switch sqlState(err) {
	case serializationFailure, "23505", "42P07", "42701", "42710", "XX000", "55000":
		return true
	}
	return false
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// schemaLease is how long a pod that died while it migrated holds others up.
const schemaLease = time.Minute

// lockSchema waits for the lease on the schema and keeps it until release is called: a single
// statement may take longer than it lasts.
func (s *Store) lockSchema(ctx context.Context) (release func(), err error) {
	holder := rand.Text()
	for attempt := 5; ; attempt++ {
		tag, err := s.pool.Exec(ctx, `
			INSERT INTO schema_lock (id, holder, expires_at) VALUES (1, $1, now() + $2::text::interval)
			    ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
			 WHERE schema_lock.expires_at < now()`, pgx.QueryExecModeExec, holder, schemaLease.String())
		if err != nil && sqlState(err) != serializationFailure {
			return nil, classify(err)
		}
		if err == nil && tag.RowsAffected() == 1 {
			return s.keepSchema(ctx, holder), nil
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, fmt.Errorf("waiting for another pod to finish its migration: %w", err)
		}
	}
}

// keepSchema renews the lease until release is called, which gives it up.
func (s *Store) keepSchema(ctx context.Context, holder string) (release func()) {
	keep := func(ctx context.Context, life time.Duration) {
		ctx, cancel := context.WithTimeout(ctx, schemaLease/4)
		defer cancel()
		// Where it fails, the next time may do better; a lease that is lost all the same costs the
		// other pod a statement that is there already.
		_, _ = s.pool.Exec(ctx, `UPDATE schema_lock SET expires_at = now() + $2::text::interval WHERE id = 1 AND holder = $1`,
			pgx.QueryExecModeExec, holder, life.String())
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(schemaLease / 4)
		defer tick.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-tick.C:
				keep(renewing, schemaLease)
			}
		}
	})
	return func() {
		stop()
		done.Wait()
		keep(context.WithoutCancel(ctx), -time.Second)
	}
}

// ensureRegions makes the type of every region column. A multi-region CockroachDB database has it
// already; elsewhere a stand-in of the same name lets the same DDL run.
func (s *Store) ensureRegions(ctx context.Context) error {
	var there bool
	err := s.pool.QueryRow(ctx, `SELECT count(*) > 0 FROM pg_catalog.pg_type WHERE typname = 'crdb_internal_region'`, pgx.QueryExecModeExec).Scan(&there)
	if err != nil {
		return classify(err)
	}
	if !there {
		quoted := make([]string, len(s.regions))
		for i, r := range s.regions {
			quoted[i] = "'" + r + "'"
		}
		return s.ddl(ctx, "CREATE TYPE crdb_internal_region AS ENUM ("+strings.Join(quoted, ", ")+")")
	}
	rows, err := s.pool.Query(ctx, `
		SELECT e.enumlabel FROM pg_catalog.pg_enum AS e JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
		 WHERE t.typname = 'crdb_internal_region'`, pgx.QueryExecModeExec)
	if err != nil {
		return classify(err)
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return classify(err)
	}
	for _, r := range s.regions {
		if !slices.Contains(known, r) {
			if err := s.ddl(ctx, "ALTER TYPE crdb_internal_region ADD VALUE IF NOT EXISTS '"+r+"'"); err != nil {
				return fmt.Errorf("region %s: the type of a database that has regions gets it by `stockyard regions apply`: %w", r, err)
			}
		}
	}
	return nil
}
