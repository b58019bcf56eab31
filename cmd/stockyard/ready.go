package main

import (
	"context"

	"stockyard/service/pod"
)

type readyCommand struct {
	Target string `help:"Base URL of the pod's operators' port." default:"http://127.0.0.1:8090" placeholder:"URL"`
}

func (c *readyCommand) Run(ctx context.Context) error { return pod.AskReady(ctx, c.Target) }
