package devdb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// start starts the server and waits until it answers. Right after a server was killed its children
// may still hold its memory, and a new one refuses; they notice and leave.
func (p *postgres) start(ctx context.Context, port int) (*process, error) {
	for {
		proc, err := p.startOnce(ctx, port)
		if err == nil || !strings.Contains(err.Error(), "pre-existing shared memory block") {
			return proc, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pollPause):
		}
	}
}

func (p *postgres) startOnce(ctx context.Context, port int) (*process, error) {
	cmd := exec.Command(p.install.path("postgres"), append([]string{"-D", p.dataDir}, serverSettings(port)...)...)
	p.owner.runs(cmd)
	proc, err := launch(cmd, p.logPath, syscall.SIGINT)
	if err != nil {
		return nil, err
	}
	if err := proc.answers(ctx, p.url(port, "postgres")); err != nil {
		return nil, errors.Join(err, proc.end(context.WithoutCancel(ctx), postgresFarewell...))
	}
	return proc, nil
}

// serverSettings go on the command line, so that a cluster made by an older Stockyard gets them too.
func serverSettings(port int) []string {
	var args []string
	for _, s := range []string{
		"port=" + strconv.Itoa(port),
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=", // the usual place may belong to others; TCP is enough
		"max_connections=300",
		"shared_buffers=256MB",
		// A batch reads hundreds of rows. Predicate locks that run short are merged into coarser
		// ones, and transactions that never met fail to serialize.
		"max_pred_locks_per_transaction=512",
		"max_pred_locks_per_relation=4096",
		"max_pred_locks_per_page=64",
		"fsync=on",
		"max_wal_size=2GB",
		"checkpoint_timeout=15min",
		"log_checkpoints=off",
		"lc_messages=C",
		"timezone=UTC",
		"log_timezone=UTC",
	} {
		args = append(args, "-c", s)
	}
	return args
}

// evictLeftover ends a server of this cluster that outlived the run which started it. A stale pid
// file is left to the next server, which learns from it whether orphaned children still use the
// data; but one whose number now belongs to another program would make it refuse.
func (p *postgres) evictLeftover(ctx context.Context) error {
	holder := func() int {
		if pid := p.recordedPID(); pid != 0 && serves(pid, p.dataDir) {
			return pid
		}
		return 0
	}
	if err := evict(ctx, holder, syscall.SIGINT, syscall.SIGQUIT); err != nil {
		return err
	}
	if pid := p.recordedPID(); pid != 0 && syscall.Kill(pid, 0) == nil {
		return os.Remove(p.pidFile())
	}
	return nil
}

func (p *postgres) pidFile() string { return filepath.Join(p.dataDir, "postmaster.pid") }

// recordedPID is the server's process as its pid file has it, 0 where there is none.
func (p *postgres) recordedPID() int {
	raw, err := os.ReadFile(p.pidFile())
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
