package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"stockyard/regions"
)

// system is a database with a pod on it: what the ways are tried on.
type system struct {
	server   *server
	binary   string
	pgbench  string // "" where there is none
	dir      string
	database string // connection string
	rest     string // base URL
	grpc     string // address
	ops      string // address
	token    string
	ends     []func() error // in reverse order

	// connecting is how long pgbench took until so many clients could begin.
	connecting map[int]time.Duration
}

// build builds Stockyard as it is in this module.
func build(ctx context.Context, o *options, dir string) (string, error) {
	if o.Binary != "" {
		return filepath.Abs(o.Binary)
	}
	say("building stockyard")
	binary := filepath.Join(dir, "stockyard")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "stockyard/cmd/stockyard").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build (bench runs inside of the repository): %w\n%s", err, out)
	}
	return binary, nil
}

// newSystem makes a database, migrates it and starts a pod with a key of its own on it.
func newSystem(ctx context.Context, s *server, binary, pgbench, dir string) (sys *system, err error) {
	sys = &system{server: s, binary: binary, pgbench: pgbench, dir: dir, connecting: map[int]time.Duration{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, sys.close())
		}
	}()
	var drop func() error
	if sys.database, drop, err = s.create(ctx); err != nil {
		return sys, err
	}
	sys.ends = append(sys.ends, drop)
	// All nodes are on this machine, and what it is compared with has no regions either.
	if _, err = sys.stockyard(ctx, "migrate", "--unpartitioned"); err != nil {
		return sys, err
	}
	key, err := sys.stockyard(ctx, "key", "create", "--name", "bench", "--grant", "admin")
	if err != nil {
		return sys, err
	}
	sys.token = strings.TrimSpace(string(key))
	return sys, sys.serve(ctx)
}

// stockyard runs a command of the binary on the system, and gives what it prints.
func (s *system) stockyard(ctx context.Context, args ...string) ([]byte, error) {
	cmd := child(ctx, s.binary, args...)
	cmd.Env = s.environment()
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("stockyard %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return out, err
}

// environment is the caller's, but for what it says about other databases and pods.
func (s *system) environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "STOCKYARD_") && !strings.HasPrefix(v, "DATABASE_URL=") && !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return append(env, "STOCKYARD_DATABASE_URL="+s.database, "STOCKYARD_TOKEN="+s.token)
}

// child is a command in a process group of its own, so that a terminal's Ctrl-C is ours to pass on.
func child(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// serve starts the pod. It ends when its standard input does, however this process dies.
func (s *system) serve(ctx context.Context) error {
	topology, err := regions.Default()
	if err != nil {
		return err
	}
	var addresses []string
	for range 3 {
		at, err := freeAddress()
		if err != nil {
			return err
		}
		addresses = append(addresses, at)
	}
	log, err := os.CreateTemp(s.dir, "pod-*.log")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(s.binary, "serve", "--region", topology.Primary, "--listen", addresses[0], "--grpc-listen", addresses[1], "--ops-listen", addresses[2],
		"--allow-postgres", "--allow-unverified-database", "--rate-limit", "0", "--drain-delay", "0s", "--log-format", "text", "--log-level", "warn", "--stop-with-stdin")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env, cmd.Stdout, cmd.Stderr = s.environment(), log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is told by whoever asked it to
		close(exited)
	}()
	s.ends = append(s.ends, func() error { return endPod(cmd, stdin, exited) })
	s.rest, s.grpc, s.ops = "http://"+addresses[0], addresses[1], addresses[2]
	return untilReady(ctx, "http://"+addresses[2]+"/readyz", exited, log.Name())
}

func endPod(cmd *exec.Cmd, stdin io.Closer, exited <-chan struct{}) error {
	_ = stdin.Close()
	select {
	case <-exited:
		return nil
	case <-time.After(30 * time.Second):
	}
	_ = cmd.Process.Kill() // it may have gone by itself meanwhile
	<-exited
	return errors.New("the pod did not stop within 30s and was killed")
}

func untilReady(ctx context.Context, url string, exited <-chan struct{}, log string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil); err == nil {
			if answer, err := http.DefaultClient.Do(q); err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
		select {
		case <-exited:
			said, _ := os.ReadFile(log)
			return fmt.Errorf("the pod ended while starting:\n%s", said)
		case <-ctx.Done():
			return fmt.Errorf("the pod is not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// verify has the books checked.
func (s *system) verify(ctx context.Context) (clean bool, err error) {
	out, err := s.stockyard(ctx, "verify", "--json")
	var v struct {
		Clean bool `json:"clean"`
	}
	if jsonErr := json.Unmarshal(out, &v); jsonErr != nil {
		return false, errors.Join(err, jsonErr)
	}
	return v.Clean, nil
}

func (s *system) close() error {
	var errs []error
	for i := len(s.ends) - 1; i >= 0; i-- {
		errs = append(errs, s.ends[i]())
	}
	s.ends = nil
	return errors.Join(errs...)
}
