package pod_test

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// build builds stockyard.
func build(t testing.TB) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "stockyard")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "stockyard/cmd/stockyard").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// process is a pod of a region as it runs in production: a process of its own.
type process struct {
	region, address, grpc, database, binary string
	log                                     string
	more                                    []string // flags; "--anonymous" where none are given
	ops                                     string   // address of /readyz; "" is the API's

	mu    sync.Mutex
	cmd   *exec.Cmd
	stdin io.Closer
}

// start starts the pod and waits until it is ready.
func (p *process) start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(p.binary, "serve", "--region", p.region, "--listen", p.address, "--ops-listen", cmp.Or(p.ops, p.address), "--grpc-listen", p.grpc,
		"--allow-postgres", "--drain-delay", "0s", "--log-format", "text", "--expiry-every", "100ms", "--stop-with-stdin")
	cmd.Args = append(cmd.Args, p.more...)
	if p.more == nil {
		cmd.Args = append(cmd.Args, "--anonymous")
	}
	cmd.Env = append(os.Environ(), "STOCKYARD_DATABASE_URL="+p.database)
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe() // ends with this test's process, however that ends
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.cmd, p.stdin = cmd, stdin
	p.mu.Unlock()
	for deadline := time.Now().Add(30 * time.Second); !p.ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(p.log)
			return fmt.Errorf("the pod of %s does not get ready; it said:\n%s", p.region, said)
		}
	}
	return nil
}

func (p *process) ready() bool {
	answer, err := http.Get("http://" + cmp.Or(p.ops, p.address) + "/readyz")
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode == http.StatusOK
}

func (p *process) url() string { return "http://" + p.address }

// kill ends the pod as a power cut would.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = p.stdin.Close()
}

// stop ends the pod as Kubernetes would, and says how it ended.
func (p *process) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	defer func() { _ = p.stdin.Close() }()
	return p.cmd.Wait()
}

// freeAddress is one that nobody listens on, a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

// startPods starts a pod a region on the database.
func startPods(t *testing.T, binary string, db *storetest.DB, more ...string) (pods []*process, targets []string) {
	t.Helper()
	dir := t.TempDir()
	for i, region := range db.Topology.Regions {
		p := &process{
			region: region.Name, address: freeAddress(t), grpc: freeAddress(t), database: db.URLs[i],
			binary: binary, log: filepath.Join(dir, region.Name+".log"), more: more,
		}
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		pods, targets = append(pods, p), append(targets, p.url())
	}
	return pods, targets
}
