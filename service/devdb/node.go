package devdb

import (
	"context"
	"fmt"
	"sync"
	"syscall"
)

// Node is one server process of a database. Its methods may be called from several goroutines.
type Node struct {
	Region string // of the node; the first region on PostgreSQL, which serves all of them
	URL    string

	start    func(context.Context) (*process, error) // starts it and waits until it answers
	farewell []syscall.Signal                        // how to ask it to stop, ever harder

	mu   sync.Mutex
	proc *process // nil while it is down
}

// Kill ends the node as a power cut would and returns once it is gone.
func (n *Node) Kill() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.end(context.Background(), syscall.SIGKILL)
}

// Restart brings the node back on the same port, stopping it first if it runs, and returns once it
// answers. A CockroachDB node whose store is in memory comes back empty, as a new member.
func (n *Node) Restart(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.end(ctx, n.farewell...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	proc, err := n.start(ctx)
	if err != nil {
		return fmt.Errorf("restart of the database in %s: %w", n.Region, err)
	}
	n.proc = proc
	return nil
}

func (n *Node) stop(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.end(ctx, n.farewell...)
}

// end wants mu held.
func (n *Node) end(ctx context.Context, signals ...syscall.Signal) error {
	if n.proc == nil {
		return nil
	}
	if err := n.proc.end(ctx, signals...); err != nil {
		return err
	}
	n.proc = nil
	return nil
}
