package devdb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopPatience is how long each signal may take to work before a harder one follows.
const stopPatience = 20 * time.Second

// process is a server we have started.
type process struct {
	cmd     *exec.Cmd
	logPath string
	exited  chan struct{} // closed once it is gone
}

// launch starts a server with its output in a fresh log file (the one before is kept as .old). The
// server gets lastWill when this process dies without stopping it, where the system can do that.
func launch(cmd *exec.Cmd, logPath string, lastWill syscall.Signal) (*process, error) {
	if err := os.Rename(logPath, logPath+".old"); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	bequeath(cmd, lastWill)
	p := &process{cmd: cmd, logPath: logPath, exited: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run keeps the thread that started the server for as long as the server lives: Linux sends the
// last will when that thread ends, not when the process does.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.exited)
	}
}

// end sends one signal after the other until the server is gone. The first may take until ctx ends.
func (p *process) end(ctx context.Context, signals ...syscall.Signal) error {
	for _, s := range signals {
		// A failure to signal means that it is gone already, which the wait finds out.
		_ = p.cmd.Process.Signal(s)
		select {
		case <-p.exited:
			return nil
		case <-ctx.Done():
		case <-time.After(stopPatience):
		}
		ctx = context.WithoutCancel(ctx)
	}
	return fmt.Errorf("%s (process %d) does not stop", filepath.Base(p.cmd.Path), p.cmd.Process.Pid)
}

// answers waits until the server answers a query at url.
func (p *process) answers(ctx context.Context, url string) error {
	for {
		err := ping(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("%s gives no answer (%w); its log ends:\n%s",
				filepath.Base(p.cmd.Path), err, tail(p.logPath))
		case <-time.After(pollPause):
		}
	}
}

// whileAlive gives a context that ends with the server, which is its cause then.
func (p *process) whileAlive(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-p.exited:
			cancel(p.failure())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// failure says why a server that has ended did so.
func (p *process) failure() error {
	return fmt.Errorf("%s ended while starting (%s); its log ends:\n%s",
		filepath.Base(p.cmd.Path), p.cmd.ProcessState, tail(p.logPath))
}

// tail gives the last lines of a log, as much as reads well in an error.
func tail(path string) string {
	const lines = 15
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
