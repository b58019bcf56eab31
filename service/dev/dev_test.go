package dev_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stockyard/regions"
	"stockyard/service/client"
	"stockyard/service/dev"
	"stockyard/service/devdb"
	"stockyard/service/replay"
)

// A newcomer's first minutes: start, paste the five lines, replay a shop's sales, cut a region off,
// kill everything, and find it all again.
func TestANewcomersFirstMinutes(t *testing.T) {
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) {
			binary := build(t)
			dir := dataDir(t)
			port := freePorts(t)
			system := start(t, binary, kind, dir, port)
			answers := paste(t, system.output.String())
			if len(answers) != 5 {
				t.Fatalf("%d lines to paste, not five:\n%s", len(answers), system.output)
			}
			for i, want := range []string{`"available":40`, `"location":"rotterdam"`, "Idempotency-Replayed: true", "insufficient-stock", `"sku":"cap-sand"`} {
				if !strings.Contains(answers[i], want) {
					t.Errorf("line %d answers without %s:\n%s", i+1, want, answers[i])
				}
			}
			tryExamples(t, port)
			first := replaySample(t, port, kind)
			system.kill(t)

			system = start(t, binary, kind, dir, port)
			again := replaySample(t, port, kind)
			if again.Total.Replays != again.Total.Commands-again.Catalogue.Commands || again.Total.Commands != first.Total.Commands {
				t.Errorf("a second replay of %d commands found %d done already; the first had %d", again.Total.Commands, again.Total.Replays, first.Total.Commands)
			}
			system.interrupt(t)
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stockyard")
	if out, err := exec.Command("go", "build", "-o", binary, "stockyard/cmd/stockyard").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// dataDir is one that the user who runs PostgreSQL for root can reach.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "stockyard-dev-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// freePorts finds three ports in a row, for REST, whose like for gRPC are free too.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if port < 64000 && allFree(port, port+1, port+2, port+1000, port+1001, port+1002) {
			return port
		}
	}
	t.Fatal("no three free ports in a row")
	return 0
}

func allFree(ports ...int) bool {
	for _, port := range ports {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil || l.Close() != nil {
			return false
		}
	}
	return true
}

// system is a running `stockyard dev`.
type system struct {
	cmd    *exec.Cmd
	output *output
	exited chan struct{}
	err    error
}

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func start(t *testing.T, binary string, kind devdb.Kind, dir string, port int) *system {
	t.Helper()
	s := &system{output: &output{}, exited: make(chan struct{})}
	s.cmd = exec.Command(binary, "dev", "--data-dir", dir, "--port", strconv.Itoa(port))
	s.cmd.Env = environment(t, kind)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.err = s.cmd.Wait(); close(s.exited) }()
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.exited })
	until(t, "the system runs", s.output, func() bool {
		select {
		case <-s.exited:
			t.Fatalf("dev ended: %v\n%s", s.err, s.output)
		default:
		}
		return strings.Contains(s.output.String(), "Ctrl-C stops everything")
	})
	return s
}

// environment makes dev find just the database that the test is for.
func environment(t *testing.T, kind devdb.Kind) (env []string) {
	t.Helper()
	path, found := devdb.FindCockroach()
	if kind == devdb.CockroachDB && !found {
		t.Skip("NOT TESTED ON COCKROACHDB: there is no binary (COCKROACH_BINARY, or cockroach on PATH)")
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if name != "COCKROACH_BINARY" && name != "DATABASE_URL" && !strings.HasPrefix(name, "STOCKYARD_") {
			env = append(env, v)
		}
	}
	if kind == devdb.CockroachDB {
		return append(env, "COCKROACH_BINARY="+path)
	}
	if found && os.Getenv("COCKROACH_BINARY") == "" {
		t.Skip("NOT TESTED ON POSTGRESQL: dev prefers the cockroach that is on PATH")
	}
	return env
}

// kill ends dev as hard as it goes; pods and database must not outlive it.
func (s *system) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.exited
}

func (s *system) interrupt(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-s.exited
	if s.err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", s.err, s.output)
	}
}

// paste runs the curl lines that dev prints, as a shell would.
func paste(t *testing.T, printed string) (answers []string) {
	t.Helper()
	for line := range strings.Lines(printed) {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		out, err := exec.Command("sh", "-c", line).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		answers = append(answers, string(out))
	}
	return answers
}

// replaySample puts the real sales through; on CockroachDB a tenth of them, for it takes its time.
func replaySample(t *testing.T, port int, kind devdb.Kind) *replay.Summary {
	t.Helper()
	raw, err := os.ReadFile("../replay/testdata/online-retail/sales.csv")
	if err != nil {
		t.Fatal(err)
	}
	if kind == devdb.CockroachDB {
		lines := bytes.SplitAfterN(raw, []byte("\n"), 801)
		raw = bytes.Join(lines[:800], nil)
	}
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	summary, err := replay.Run(ctx, replay.Options{
		File: bytes.NewReader(raw), FileName: "sales.csv", Targets: dev.Targets(topology, port), OpeningPercent: 100,
		Client: client.Options{MaxElapsed: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := json.Marshal(summary.Proof); summary.Proof == nil || len(summary.Proof.Differences) > 0 {
		t.Fatalf("the proof: %s", s)
	}
	return summary
}

func until(t *testing.T, what string, out *output, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within two minutes: %s\n%s", what, out)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
