package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stockyard/regions"
	"stockyard/service/devdb"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// Every statement that a plan can hold is one that CockroachDB parses, the oldest version and a new one.
func TestStatementsAreCockroachDBs(t *testing.T) {
	topology := defaultTopology(t)
	grammars := readGrammars(t)
	rapid.Check(t, func(t *rapid.T) {
		step := regions.Step{
			Kind:     regions.StepKind(rapid.IntRange(int(regions.AddRegion), int(regions.DropRegion)).Draw(t, "kind")),
			Region:   rapid.OneOf(rapid.SampledFrom(topology.Names()), rapid.StringMatching(`[a-z][a-z0-9-]{0,39}`)).Draw(t, "region"),
			Goal:     rapid.SampledFrom([]regions.Goal{regions.SurviveZone, regions.SurviveRegion}).Draw(t, "goal"),
			Table:    rapid.SampledFrom(slices.Concat(topology.Tables.ByRow, topology.Tables.Global)).Draw(t, "table"),
			Locality: rapid.SampledFrom([]regions.Locality{regions.ByRow, regions.Global}).Draw(t, "locality"),
		}
		database := rapid.StringMatching(`[a-zA-Z"][a-z"0-9 -]{0,20}`).Draw(t, "database")
		for version, g := range grammars {
			if err := g.check(store.StatementOf(step, database)); err != nil {
				t.Fatalf("%s: %v", version, err)
			}
		}
	})
}

func defaultTopology(t *testing.T) *regions.Topology {
	t.Helper()
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

// A new table is placed in topology.yaml, and rows are kept by region only where the row says which.
func TestEveryTableIsPlaced(t *testing.T) {
	topology := defaultTopology(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		// Held by one pod for a moment at a time, and read by no other region: as CockroachDB has it.
		unplaced := []string{"schema_lock"}
		placed := slices.Concat(topology.Tables.ByRow, topology.Tables.Global, unplaced)
		tables, err := db.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for table, keys := range tables {
			if !slices.Contains(placed, table) {
				t.Errorf("table %s is not in regions/topology.yaml: say where its rows are", table)
			}
			if slices.Contains(topology.Tables.ByRow, table) && keys[0] != "region" {
				t.Errorf("table %s is kept by row, and its primary key begins with %s, not with the region", table, keys[0])
			}
		}
	})
}

// openAt opens a database with a topology of its own.
func openAt(t *testing.T, url string, topology *regions.Topology) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Regions: topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func ignore(string) {}

func TestPostgresHasNothingToReconcile(t *testing.T) {
	topology := defaultTopology(t)
	s := openAt(t, storetest.Fresh(t, devdb.PostgreSQL)[0], topology)
	for range 2 {
		plan, err := s.PlanReconciliation(t.Context(), topology, store.Scope{Schema: true})
		if err != nil || len(plan.Statements) != 0 || !strings.Contains(plan.Note, "no regions") {
			t.Fatalf("planned %+v, %v", plan, err)
		}
		done, err := s.Reconcile(t.Context(), topology, store.Scope{Schema: true}, ignore)
		if err != nil || len(done.Statements) != 0 || !slices.Equal(done.Migrations, plan.Migrations) {
			t.Fatalf("did %+v, %v; planned was %+v", done, err, plan)
		}
	}
}

// Without a licence nothing is done, and it says why; told to, it goes on without regions. A
// database that has been made so is not taken for one with regions later.
func TestWithoutALicence(t *testing.T) {
	topology := defaultTopology(t)
	s := openAt(t, storetest.Fresh(t, devdb.CockroachDB)[0], topology)
	plan, err := s.PlanReconciliation(t.Context(), topology, store.Scope{Schema: true})
	if err != nil || len(plan.Statements) < 3 || !strings.HasSuffix(plan.Statements[0], `PRIMARY REGION "us-east1"`) {
		t.Fatalf("planned %+v, %v", plan, err)
	}
	done, err := s.Reconcile(t.Context(), topology, store.Scope{Schema: true}, ignore)
	if err == nil {
		t.Skip("this CockroachDB has a licence for regions")
	}
	if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "licence") || !strings.Contains(err.Error(), "--unpartitioned") || len(done.Migrations) != 0 {
		t.Fatalf("did %+v, %v", done, err)
	}
	if version, err := s.AppliedSchema(t.Context()); err != nil || version != 0 {
		t.Errorf("refused, and the schema is at %d, %v", version, err)
	}
	for i := range 2 {
		done, err := s.Reconcile(t.Context(), topology, store.Scope{Schema: true, Unpartitioned: true}, ignore)
		if err != nil || (len(done.Migrations) == 0) != (i > 0) || len(done.Statements) != 0 {
			t.Fatalf("unpartitioned it did %+v, %v", done, err)
		}
	}
	if _, err := s.Reconcile(t.Context(), topology, store.Scope{}, ignore); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "made without regions") {
		t.Errorf("tables without regions: %v", err)
	}
}

// CockroachDB v21.1 knows every statement, whether or not it has a licence for it.
func TestCockroachDBParsesTheStatements(t *testing.T) {
	topology := defaultTopology(t)
	s := openAt(t, storetest.Fresh(t, devdb.CockroachDB)[0], topology)
	plan, err := s.PlanReconciliation(t.Context(), topology, store.Scope{Schema: true})
	if err != nil {
		t.Fatal(err)
	}
	plan.Statements = append(plan.Statements, `ALTER DATABASE d SURVIVE REGION FAILURE`, `ALTER DATABASE d DROP REGION "us-east1"`)
	for _, statement := range plan.Statements {
		if code := s.CodeOf(t.Context(), statement); code == "42601" {
			t.Errorf("a syntax error: %s", statement)
		}
	}
}

// A region in which rows live can't be taken out of the topology, on any database; one more can be put in.
func TestRegionsAreKeptWhileRowsLiveThere(t *testing.T) {
	topology := defaultTopology(t)
	smaller, larger := *topology, *topology
	smaller.Regions = topology.Regions[:2]
	larger.Regions = append(slices.Clone(topology.Regions), regions.Region{Name: "africa-south1"})
	scope := store.Scope{Schema: true, Unpartitioned: true}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := openAt(t, db.URLs[0], &smaller)
		if _, err := s.Reconcile(t.Context(), &smaller, scope, ignore); err != nil {
			t.Fatalf("no row lives there: %v", err)
		}
		// What a pod has left is no reason, one that runs is; and so is all that is history.
		db.Exec(t, `INSERT INTO leases (region, name, holder, token, expires_at) VALUES ('asia-southeast1', 'a', 'h', 1, now() - INTERVAL '1 hour'), ('us-east1', 'a', 'h', 1, now())`)
		if _, err := s.Reconcile(t.Context(), &smaller, scope, ignore); err != nil {
			t.Fatalf("only an old lease names it: %v", err)
		}
		db.Exec(t, `INSERT INTO leases (region, name, holder, token, expires_at) VALUES ('asia-southeast1', 'a', 'h', 1, now() + INTERVAL '1 hour')`)
		db.Exec(t, `INSERT INTO transfers (region, id, status, from_location, to_region, to_location, version, created_at, updated_at) VALUES
			('us-east1', gen_random_uuid(), 'draft', 'a', 'asia-southeast1', 'b', 1, now(), now()), ('us-east1', gen_random_uuid(), 'draft', 'a', 'asia-southeast1', 'b', 1, now(), now())`)
		for _, run := range []func() error{
			func() error { _, err := s.Reconcile(t.Context(), &smaller, scope, ignore); return err },
			func() error { _, err := s.PlanReconciliation(t.Context(), &smaller, scope); return err },
		} {
			if err := run(); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "asia-southeast1") || !strings.Contains(err.Error(), "1 in leases (region), 2 in transfers (to_region)") {
				t.Errorf("three rows live there: %v", err)
			}
		}
		if _, err := openAt(t, db.URLs[0], &larger).Reconcile(t.Context(), &larger, scope, ignore); err != nil {
			t.Fatal(err)
		}
		db.Exec(t, `INSERT INTO leases (region, name, holder, token, expires_at) VALUES ('africa-south1', 'a', 'h', 1, now())`)
	})
}
