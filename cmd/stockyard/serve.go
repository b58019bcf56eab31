package main

import (
	"context"
	"io"
	"os"
	"runtime/debug"

	"stockyard/regions"
	"stockyard/service/config"
	"stockyard/service/pod"
	"stockyard/service/telemetry"
)

type serveCommand struct {
	config.Settings
	StopWithStdin bool `hidden:"" help:"Stop when standard input ends: how a parent process takes its pods along."`
}

func (c *serveCommand) Run(ctx context.Context, build pod.Build) error {
	log, err := telemetry.Logger(os.Stderr, c.LogFormat, c.LogLevel)
	if err != nil {
		return err
	}
	topology, err := regions.Load(c.Topology)
	if err != nil {
		return err
	}
	if err := c.Check(topology); err != nil {
		return err
	}
	if c.StopWithStdin {
		var stop context.CancelFunc
		ctx, stop = context.WithCancel(ctx)
		go func() {
			defer stop()
			_, _ = io.Copy(io.Discard, os.Stdin)
		}()
	}
	collectSeldom()
	p, err := pod.New(ctx, c.Settings, topology, build, log)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}

// collectSeldom lets garbage grow to four times what is live before it is collected, unless GOGC says
// otherwise. A pod keeps little and throws much away: by Go's default, to double, it would spend a
// third of its processor time on collecting some megabytes again and again. GOMEMLIMIT bounds it as ever.
func collectSeldom() {
	const percent = 400
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
