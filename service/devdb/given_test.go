package devdb

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestGivenURLIsUsedAsItIs(t *testing.T) {
	onEach(t, func(t *testing.T, kind Kind) {
		theirs := mustStart(t, Options{Dir: openDir(t), Kind: kind, Ephemeral: true})
		url := theirs.URLs[0]
		dir := t.TempDir()
		db := mustStart(t, Options{Dir: dir, URL: url})
		if db.Kind != kind || db.Version != theirs.Version {
			t.Errorf("taken for %s %s", db.Kind, db.Version)
		}
		if !slices.Equal(db.URLs, []string{url, url, url}) || len(db.Nodes()) != 0 {
			t.Errorf("URLs %v, %d nodes", db.URLs, len(db.Nodes()))
		}
		if got, ok := Running(dir); !ok || got != url {
			t.Errorf("Running gives %q, %v", got, ok)
		}
		mustStop(t, db)
		if err := ping(testContext(t), url); err != nil {
			t.Errorf("stopped somebody else's database: %v", err)
		}
		if _, err := Start(testContext(t), Options{URL: url, Kind: "other", Regions: testRegions}); err == nil {
			t.Error("another kind was forced, and it was taken all the same")
		}
	})
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		want    string
	}{
		"nobody there":   {Options{URL: "postgres://127.0.0.1:1/x", Regions: testRegions}, "the given URL"},
		"no regions":     {Options{Dir: "x"}, "no regions"},
		"no directory":   {Options{Regions: testRegions}, "no directory"},
		"missing binary": {Options{Dir: t.TempDir(), Regions: testRegions}, "COCKROACH_BINARY=/does/not/exist"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("COCKROACH_BINARY", "/does/not/exist")
			_, err := Start(testContext(t), c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("want an error with %q, got %v", c.want, err)
			}
		})
	}
}

func TestFailedStartShowsWhyAndLetsGo(t *testing.T) {
	onEach(t, func(t *testing.T, kind Kind) {
		dir := openDir(t)
		mustStop(t, mustStart(t, Options{Dir: dir, Kind: kind}))
		breakage := map[Kind]struct{ file, want string }{
			PostgreSQL:  {"postgres/postgresql.conf", "no_such_setting"},
			CockroachDB: {"cockroach/n1/CURRENT", "its log ends"},
		}[kind]
		path := filepath.Join(dir, breakage.file)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("no_such_setting = 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = Start(testContext(t), Options{Dir: dir, Kind: kind, Regions: testRegions})
		if err == nil || !strings.Contains(err.Error(), breakage.want) {
			t.Fatalf("want an error with the log's %q, got %v", breakage.want, err)
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		mustStart(t, Options{Dir: dir, Kind: kind})
	})
}

func TestInterruptedStartLeavesNothingBehind(t *testing.T) {
	onEach(t, func(t *testing.T, kind Kind) {
		dir := openDir(t)
		ctx, interrupt := context.WithCancel(testContext(t))
		// The line comes right before the servers are started.
		log := func(string, ...any) { interrupt() }
		if _, err := Start(ctx, Options{Dir: dir, Kind: kind, Regions: testRegions, Log: log}); err == nil {
			t.Fatal("it started")
		}
		mustStart(t, Options{Dir: dir, Kind: kind})
	})
}
