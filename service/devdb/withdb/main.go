// Command withdb runs a command, such as `go test ./...`, beside databases that exist only for it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

const (
	postgresEnv  = "STOCKYARD_TEST_POSTGRES_URL"   // one connection string
	cockroachEnv = "STOCKYARD_TEST_COCKROACH_URLS" // one a region, with commas between; unset where there is none
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withdb -- command [argument ...]")
		os.Exit(2)
	}
	status, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "withdb:", err)
		status = max(status, 1)
	}
	os.Exit(status)
}

// run gives the command's exit status. Its error is about the databases, or the command not starting.
func run(args []string) (status int, err error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	dbs := &databases{}
	defer func() { err = errors.Join(err, dbs.stop()) }()
	started := make(chan error, 1)
	go func() { started <- dbs.start(ctx) }()
	select {
	case err := <-started:
		if err != nil {
			return 1, err
		}
	case s := <-signals:
		cancel()
		return 1, errors.Join(fmt.Errorf("%v while starting", s), <-started)
	}
	status, err = command(args, dbs.env, signals)
	fmt.Fprintln(os.Stderr, "\n== "+dbs.summary()+" ==")
	return status, err
}

// command runs in a process group of its own, so that a signal reaches all it has started: go test
// would leave its test programs behind. It has no terminal to read from for the same reason.
func command(args, env []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 127, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if n, ok := s.(syscall.Signal); ok {
				_ = syscall.Kill(-cmd.Process.Pid, n) // fails if it has just ended
			}
		case err := <-ended:
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return 1, err
			}
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
				return 128 + int(ws.Signal()), nil // as a shell says it
			}
			return cmd.ProcessState.ExitCode(), nil
		}
	}
}
