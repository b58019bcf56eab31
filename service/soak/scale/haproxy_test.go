package scale_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stockyard/service/devdb"
)

// settings are those of docker-compose.yml.
const settings = "../../../k8s/compose/haproxy.cfg"

func findHAProxy(t *testing.T) string {
	t.Helper()
	program, err := devdb.FindOrInstall(t.Context(), "haproxy", t.Logf)
	if err != nil {
		t.Skipf("NOT TESTED BEHIND HAPROXY: %v", err)
	}
	return program
}

// haproxy is a running one before pods that may or may not run.
type haproxy struct {
	url   string // of the pods
	grpc  string // address of the same
	stats string
}

// startHAProxy starts one before pods at these addresses, with the settings that docker-compose.yml has.
func startHAProxy(t *testing.T, dir string, targets, grpcTargets []string) *haproxy {
	t.Helper()
	program := findHAProxy(t)
	ports, err := devdb.FreePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	h := &haproxy{url: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), grpc: fmt.Sprintf("127.0.0.1:%d", ports[2]), stats: fmt.Sprintf("http://127.0.0.1:%d/", ports[1])}
	var b strings.Builder
	fmt.Fprintf(&b, "frontend stats\n    bind 127.0.0.1:%d\n    stats enable\n    stats uri /\n    no log\n", ports[1])
	rest := fmt.Sprintf("listen rest\n    bind 127.0.0.1:%d\n", ports[0])
	calls := fmt.Sprintf("listen grpc\n    bind %s proto h2\n", h.grpc)
	for i, target := range targets {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		rest += fmt.Sprintf("    server pod%d %s\n", i+1, u.Host)
		calls += fmt.Sprintf("    server pod%d %s proto h2 check port %s check-proto h1\n", i+1, grpcTargets[i], u.Port())
	}
	b.WriteString(rest + calls)
	pods := filepath.Join(dir, "pods.cfg")
	if err := os.WriteFile(pods, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "-f", settings, "-f", pods)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	log, err := os.Create(filepath.Join(dir, "haproxy.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("haproxy said: %s", text)
		}
	})
	return h
}

// awaitUp waits until HAProxy sends requests and calls to n pods and no others.
func (h *haproxy) awaitUp(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		up, err := h.up(ctx)
		if err == nil && up == 2*n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d doors of pods are up for HAProxy, not %d: %w", up, 2*n, errors.Join(err, ctx.Err()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (h *haproxy) up(ctx context.Context) (up int, err error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, h.stats+";csv", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	rows, err := csv.NewReader(answer.Body).ReadAll()
	for _, row := range rows {
		const name, status, check = 1, 17, 36
		if strings.HasPrefix(row[name], "pod") && strings.HasPrefix(row[status], "UP") {
			up++
			if row[check] != "L7OK" { // it starts with all of them, and has not found out yet
				return 0, err
			}
		}
	}
	return up, err
}

func TestTheSettingsOfComposeAreHAProxys(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), findHAProxy(t), "-c", "-f", settings, "-f", filepath.Join(filepath.Dir(settings), "pods.cfg")).CombinedOutput()
	if err != nil || strings.Contains(string(out), "WARNING") {
		t.Errorf("%v: %s", err, out)
	}
}
