package faults

import (
	"context"
	"math/rand/v2"
	"time"

	"stockyard/service/soak/yard"
)

// machines break pods and servers.
var machines = []fault{
	{"pod killed", 8, always, killPod},
	{"pod restarted in order", 2, always, restartPod},
	{"scaled", 3, always, scale},
	{"database killed and restarted", 2, func(y *yard.Yard) bool { return len(y.Nodes()) == 1 }, killNode},
	{"database node killed and brought back", 3, func(y *yard.Yard) bool { return len(y.Nodes()) > 2 }, killNode},
}

func killPod(_ context.Context, y *yard.Yard, random *rand.Rand) error {
	pods := y.Pods()
	pods[random.IntN(len(pods))].Kill()
	return nil
}

func restartPod(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	pods := y.Pods()
	p := pods[random.IntN(len(pods))]
	if _, err := p.Stop(); err != nil {
		return err
	}
	return p.Start(context.WithoutCancel(ctx))
}

// scale goes up to as many pods as there may be, down to two, and to anything between.
func scale(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	n := [...]int{y.Slots(), 2, 3, 2 + random.IntN(y.Slots()-1)}[random.IntN(4)]
	return y.Scale(context.WithoutCancel(ctx), n)
}

// killNode ends a server as a power cut would, and brings it back after a while.
func killNode(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	node := y.Nodes()[random.IntN(len(y.Nodes()))]
	away := between(random, 0, 2*time.Second)
	if len(y.Nodes()) > 1 {
		away = between(random, time.Second, 15*time.Second)
	}
	if err := node.Kill(); err != nil {
		return err
	}
	pause(ctx, away)
	return node.Restart(context.WithoutCancel(ctx))
}
