package main

import (
	"context"
	"io"
	"os"

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
	p, err := pod.New(ctx, c.Settings, topology, build, log)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}
