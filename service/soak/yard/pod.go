package yard

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// stopPatience is how long a pod may take to stop before it is killed; Kubernetes gives 30 s.
const stopPatience = 30 * time.Second

// Pod is a `stockyard serve` that is kept running, as Kubernetes would: one that ends is started again.
type Pod struct {
	Region string

	name, address, grpc, database string
	options                       Options
	tell                          func(format string, args ...any)

	mu     sync.Mutex
	wanted bool
	proc   *process
	kept   chan struct{} // closed once nobody starts it again
}

// process is one life of a pod.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	exited chan struct{}
}

// URL is the base of its REST API.
func (p *Pod) URL() string { return "http://" + p.address }

// GRPC is the address of its gRPC API.
func (p *Pod) GRPC() string { return p.grpc }

// Name is a slot's and its region's.
func (p *Pod) Name() string { return p.name }

func (p *Pod) isWanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wanted
}

// Start starts the pod, unless it is meant to run already, and waits until it is ready.
func (p *Pod) Start(ctx context.Context) error {
	p.mu.Lock()
	begin := !p.wanted
	if begin {
		p.wanted, p.kept = true, make(chan struct{})
		go p.keep(p.kept)
	}
	p.mu.Unlock()
	if !begin {
		return nil
	}
	return p.AwaitReady(ctx)
}

// keep starts the pod again and again, as long as it is wanted.
func (p *Pod) keep(kept chan struct{}) {
	defer close(kept)
	for p.isWanted() {
		if err := p.live(); err != nil {
			p.tell("%s: %v", p.name, err)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// live is one life: from its start to its end, whoever brings that about.
func (p *Pod) live() error {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	watch := &watched{to: log, pod: p.name, tell: p.tell}
	cmd := exec.Command(p.options.Binary, "serve", "--region", p.Region, "--listen", p.address, "--ops-listen", p.address,
		"--grpc-listen", p.grpc, "--anonymous", "--allow-postgres", "--drain-delay", p.options.DrainDelay.String(),
		"--log-format", "text", "--rate-limit", "0", "--expiry-every", "250ms", "--stop-with-stdin")
	cmd.Env = append(os.Environ(), "STOCKYARD_DATABASE_URL="+p.database)
	cmd.Stdout, cmd.Stderr = watch, watch
	// A terminal's Ctrl-C is for this process, which then stops the pods in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	proc := &process{cmd: cmd, exited: make(chan struct{})}
	if proc.stdin, err = cmd.StdinPipe(); err != nil { // ends with this process, however that ends
		return err
	}
	p.mu.Lock()
	if !p.wanted {
		p.mu.Unlock()
		return nil
	}
	if err := cmd.Start(); err != nil {
		p.mu.Unlock()
		return err
	}
	p.proc = proc
	p.mu.Unlock()
	_ = cmd.Wait() // why it ended is in its log
	close(proc.exited)
	return nil
}

func (p *Pod) logPath() string { return filepath.Join(p.options.Dir, p.name+".log") }

// AwaitReady waits until the pod takes requests.
func (p *Pod) AwaitReady(ctx context.Context) error {
	const patience = time.Minute
	for deadline := time.Now().Add(patience); !p.IsReady(ctx); rest(ctx, 25*time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready after %s: see %s", p.name, patience, p.logPath())
		}
	}
	return nil
}

// IsReady asks the pod.
func (p *Pod) IsReady(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL()+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Kill ends the pod as a power cut would. It is started again at once.
func (p *Pod) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proc != nil {
		_ = p.proc.cmd.Process.Kill() // it may be gone already
	}
}

// Stop asks the pod to stop, as Kubernetes does, and says how long that took.
func (p *Pod) Stop() (took time.Duration, err error) {
	p.mu.Lock()
	kept, proc, wanted := p.kept, p.proc, p.wanted
	p.wanted = false
	p.mu.Unlock()
	if !wanted {
		return 0, nil
	}
	began := time.Now()
	if proc != nil {
		_ = proc.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	}
	select {
	case <-kept:
		return time.Since(began), nil
	case <-time.After(stopPatience):
		p.tell("%s did not stop within %s of SIGTERM", p.name, stopPatience)
		p.Kill()
		<-kept
		return time.Since(began), nil
	}
}

// end ends the pod, however.
func (p *Pod) end() {
	p.mu.Lock()
	kept := p.kept
	p.wanted = false
	p.mu.Unlock()
	if kept == nil {
		return
	}
	p.Kill()
	<-kept
}

// watched passes a pod's log on and tells of what must never be in it.
type watched struct {
	to   io.Writer
	pod  string
	tell func(format string, args ...any)
}

func (w *watched) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		for _, bad := range []string{"panic:", "fatal error:", "internal error"} {
			if bytes.Contains(line, []byte(bad)) {
				w.tell("%s: %.300s", w.pod, bytes.TrimSpace(line))
			}
		}
	}
	return w.to.Write(b)
}
