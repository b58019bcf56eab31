package devdb

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestUnreachableDirGetsItsClusterElsewhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs PostgreSQL as another user")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	place := elsewhere(dir)
	t.Cleanup(func() {
		if err := os.RemoveAll(place); err != nil {
			t.Error(err)
		}
	})
	said := ""
	o := Options{Dir: dir, Kind: PostgreSQL, Regions: testRegions, Log: func(format string, args ...any) { said += format }}
	db, err := Start(testContext(t), o)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, db.URLs[0], makeTable, fillTable)
	mustStop(t, db)
	if info, err := os.Stat(place); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cluster's place: %v, %v", info, err)
	}
	if !strings.Contains(said, "can't enter") {
		t.Errorf("it was not told; only: %s", said)
	}

	// Whether the directory can be entered now does not matter any more: the data are where they are.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	wantRows(t, mustStart(t, Options{Dir: dir, Kind: PostgreSQL}).URLs[0], 100)
}

func TestSecretsAreOnlyOurs(t *testing.T) {
	dir := openDir(t)
	mustStart(t, Options{Dir: dir, Kind: PostgreSQL})
	for _, name := range []string{"postgres.json", "running.json", "postgres.log"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode().Perm())
		}
	}
}

// After a crash of the machine the number in the pid file may belong to any program, here this one.
func TestStalePidFileIsNoObstacle(t *testing.T) {
	dir := openDir(t)
	mustStop(t, mustStart(t, Options{Dir: dir, Kind: PostgreSQL}))
	p := &postgres{dataDir: filepath.Join(dir, "postgres")}
	for _, content := range []string{"1\n", "2147483647\n", "junk", strconv.Itoa(os.Getpid()) + "\n/elsewhere\n"} {
		if err := os.WriteFile(p.pidFile(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := p.evictLeftover(testContext(t)); err != nil {
			t.Fatalf("%q: %v", content, err)
		}
	}
	mustStart(t, Options{Dir: dir, Kind: PostgreSQL})
}

func TestBestInstallIsChosen(t *testing.T) {
	ordered := []string{"15.18", "18.1", "17beta1", "13.2", "12.9"}
	for i := 1; i < len(ordered); i++ {
		better, worse := postgresInstall{version: ordered[i-1]}, postgresInstall{version: ordered[i]}
		if better.rank() <= worse.rank() {
			t.Errorf("%s is not preferred to %s", better.version, worse.version)
		}
	}
	if (postgresInstall{version: "12.9"}).rank() != 0 {
		t.Error("12 is too old")
	}
}

func TestPortsAreRememberedUntilTaken(t *testing.T) {
	dir := t.TempDir()
	first, err := choosePorts(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	second, err := choosePorts(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	if first[1] != second[1] {
		t.Errorf("got %v, then %v", first, second)
	}
	l, err := net.Listen("tcp", loopback(first[1].SQL))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	third, err := choosePorts(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	if third[1].SQL == first[1].SQL {
		t.Error("a taken port was given")
	}
}
