package dev

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// podProcess is a running `stockyard serve`.
type podProcess struct {
	region, url, log string

	cmd    *exec.Cmd
	stdin  io.Closer
	exited chan struct{} // closed once it is gone; err is set before
	err    error
}

type podOptions struct {
	region, address, grpc, databaseURL, topology, secretKeys, logDir string
}

// startPod starts this very binary as a pod. The connection string goes into its environment, which
// process lists don't show. The pod ends when its standard input does, however this process dies.
func startPod(o podOptions) (*podProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &podProcess{
		region: o.region, url: "http://" + o.address,
		log: filepath.Join(o.logDir, "pod-"+o.region+".log"), exited: make(chan struct{}),
	}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	p.cmd = exec.Command(self, "serve", "--region", o.region, "--listen", o.address, "--ops-listen", o.address, "--grpc-listen", o.grpc,
		"--anonymous", "--allow-postgres", "--allow-private-webhooks", "--secret-keys-file", o.secretKeys, "--drain-delay", "0s", "--log-format", "text", "--stop-with-stdin")
	if o.topology != "" {
		p.cmd.Args = append(p.cmd.Args, "--topology", o.topology)
	}
	p.cmd.Env = append(os.Environ(), "STOCKYARD_DATABASE_URL="+o.databaseURL, "STOCKYARD_SECRET_KEYS=")
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// A terminal's Ctrl-C is for this process, which then stops the pods in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("pod of %s: %w", o.region, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// stop asks the pod to drain and makes sure that it is gone.
func (p *podProcess) stop() error {
	const patience = 25 * time.Second
	_ = p.stdin.Close()
	select {
	case <-p.exited:
		return nil
	case <-time.After(patience):
	}
	_ = p.cmd.Process.Kill() // it may have gone by itself meanwhile
	<-p.exited
	return fmt.Errorf("the pod of %s did not drain within %s", p.region, patience)
}
