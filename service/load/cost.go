package load

import (
	"runtime"
	"syscall"
	"time"
)

// cost is what the load cost the generator's own process, from its start to its end.
type cost struct {
	cpu, wall time.Duration
}

// watchCost begins to watch, and gives what ends it.
func (r *run) watchCost() func() cost {
	cpu, wall := processCPU(), time.Now()
	return func() cost { return cost{cpu: processCPU() - cpu, wall: time.Since(wall)} }
}

func processCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// share is the part of the machine's processors that the generator took for itself.
func (c cost) share() float64 {
	if c.wall <= 0 {
		return 0
	}
	return c.cpu.Seconds() / (c.wall.Seconds() * float64(runtime.GOMAXPROCS(0)))
}
