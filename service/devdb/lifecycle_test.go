package devdb

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestDataOutliveStopAndStart(t *testing.T) {
	onEach(t, func(t *testing.T, kind Kind) {
		dir := openDir(t)
		db := mustStart(t, Options{Dir: dir, Kind: kind})
		if len(db.URLs) != len(testRegions) || db.Kind != kind || db.Version == "" {
			t.Fatalf("got %q %q with %d URLs", db.Kind, db.Version, len(db.URLs))
		}
		mustExec(t, db.URLs[0], makeTable, fillTable)
		if url, ok := Running(dir); !ok || url != db.URLs[0] {
			t.Errorf("Running gives %q, %v", url, ok)
		}
		mustStop(t, db)
		awaitSilence(t, db.URLs...)
		if url, ok := Running(dir); ok {
			t.Errorf("stopped, and Running gives %q", url)
		}

		again := mustStart(t, Options{Dir: dir, Kind: kind})
		for _, url := range again.URLs {
			wantRows(t, url, 100)
		}
	})
}

func TestDataOutliveKilledParent(t *testing.T) {
	onEach(t, func(t *testing.T, kind Kind) {
		dir := openDir(t)
		kill, urls := startInChild(t, dir, kind)
		mustExec(t, urls[0], makeTable, fillTable)
		kill()
		// No pause: the servers may still be on their way down.
		db := mustStart(t, Options{Dir: dir, Kind: kind})
		wantRows(t, db.URLs[0], 100)
	})
}

func TestNoServerOutlivesKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system can't end the servers of a killed process: the next start does")
	}
	onEach(t, func(t *testing.T, kind Kind) {
		kill, urls := startInChild(t, openDir(t), kind)
		kill()
		awaitSilence(t, urls...)
	})
}

// startInChild starts a database in a process of its own, which kill ends as kill -9 does.
func startInChild(t *testing.T, dir string, kind Kind) (kill func(), urls []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), helperDirEnv+"="+dir, helperKindEnv+"="+string(kind))
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close() }) // not before: its end would end the child
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal("no database in the child: ", err, child.Wait())
	}
	kill = func() {
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // says that it was killed
	}
	return kill, strings.Fields(line)
}

func TestSecondStartIsRefused(t *testing.T) {
	dir := openDir(t)
	mustStart(t, Options{Dir: dir, Kind: PostgreSQL})
	_, err := Start(testContext(t), Options{Dir: dir, Kind: PostgreSQL, Regions: testRegions})
	if err == nil || !strings.Contains(err.Error(), "is in use by process") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("want one line that says who uses the directory, got %v", err)
	}
}

func TestKilledNodeComesBack(t *testing.T) {
	onEach(t, func(t *testing.T, kind Kind) {
		db := mustStart(t, Options{Dir: openDir(t), Kind: kind})
		mustExec(t, db.URLs[0], makeTable, fillTable)
		nodes := db.Nodes()
		last := nodes[len(nodes)-1]
		if err := last.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := ping(testContext(t), last.URL); err == nil {
			t.Fatal("a killed node answers")
		}
		rows := 100
		if len(nodes) > 1 {
			mustExec(t, nodes[0].URL, "INSERT INTO kept VALUES (101)")
			rows++
		}
		if err := last.Restart(testContext(t)); err != nil {
			t.Fatal(err)
		}
		wantRows(t, last.URL, rows)
		if err := last.Restart(testContext(t)); err != nil {
			t.Fatal("restart of a running node: ", err)
		}
		wantRows(t, last.URL, rows)
	})
}

func TestEphemeralLeavesNoData(t *testing.T) {
	onEach(t, func(t *testing.T, kind Kind) {
		dir := openDir(t)
		db := mustStart(t, Options{Dir: dir, Kind: kind, Ephemeral: true})
		mustExec(t, db.URLs[0], makeTable, fillTable)
		wantRows(t, db.URLs[len(db.URLs)-1], 100)
		mustStop(t, db)
		again := mustStart(t, Options{Dir: dir, Kind: kind, Ephemeral: true})
		mustExec(t, again.URLs[0], makeTable)
	})
}

// awaitSilence waits until nobody listens at any of the URLs.
func awaitSilence(t *testing.T, urls ...string) {
	t.Helper()
	ctx := testContext(t)
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for _, url := range urls {
		config, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		for {
			c, err := net.Dial("tcp", loopback(int(config.Port)))
			if err != nil {
				break
			}
			c.Close()
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Fatalf("somebody still listens at %s", url)
			}
		}
	}
}
