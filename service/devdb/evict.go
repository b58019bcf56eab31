package devdb

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// evict ends a server that an earlier run has left behind. holder names its process, 0 once it is
// gone. We never share such a server: it may be on its way down, and its settings may be old.
func evict(ctx context.Context, holder func() int, signals ...syscall.Signal) error {
	pid := 0
	for _, s := range signals {
		if pid = holder(); pid == 0 {
			return nil
		}
		if err := syscall.Kill(pid, s); err != nil && err != syscall.ESRCH {
			return fmt.Errorf("process %d of an earlier run still uses the data: %w", pid, err)
		}
		gone, err := becomesZero(ctx, holder)
		if gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("process %d of an earlier run still uses the data and does not stop", pid)
}

// becomesZero waits for holder to give 0, for stopPatience at most.
func becomesZero(ctx context.Context, holder func() int) (bool, error) {
	patience := time.After(stopPatience)
	for holder() != 0 {
		select {
		case <-time.After(pollPause):
		case <-patience:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return true, nil
}
