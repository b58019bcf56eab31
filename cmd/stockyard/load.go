package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"stockyard/regions"
	"stockyard/service/dev"
	"stockyard/service/load"
)

type loadCommand struct {
	Scenario    string        `help:"hot, uniform, zipf or mixed." default:"hot" placeholder:"NAME"`
	Target      []string      `help:"Base URLs of running pods, over which the clients are spread; those of 'stockyard dev' where none is given." env:"STOCKYARD_TARGET" placeholder:"URL,..."`
	GRPC        bool          `name:"grpc" help:"Send the load over gRPC. Preparation and proof go over REST."`
	GRPCTarget  []string      `name:"grpc-target" help:"Addresses of the same pods' gRPC API, in the order of --target." env:"STOCKYARD_GRPC_TARGET" placeholder:"HOST:PORT,..."`
	Connections int           `name:"grpc-connections" help:"gRPC connections to each pod." default:"4"`
	Clients     int           `help:"Operations under way at once, at most." default:"64"`
	Rate        float64       `help:"Operations started a second, however fast the answers come, with latencies counted from the moment each was meant to start; 0: each client starts again when it has its answer." default:"0"`
	Duration    time.Duration `help:"How long to measure." default:"10s"`
	Warmup      time.Duration `help:"How long to run before that." default:"2s"`
	SKUs        int           `name:"skus" help:"How many SKUs there are to choose from." default:"1000"`
	Stock       int64         `help:"Units available of each SKU at the start." default:"1000000000"`
	Prefix      string        `help:"What the names of its locations and SKUs begin with. Loads at the same time need different ones." default:"load"`
	GiveUpAfter time.Duration `help:"How long an operation without an answer is repeated." default:"30s"`
	Seed        uint64        `help:"Seed of the choices; keys are new each time." default:"1"`
	Prepared    bool          `help:"Locations, products and stock are there already: leave them as they are."`
	Proof       bool          `help:"Compare the books before and after, which reads every stock level." default:"true" negatable:""`
	JSON        bool          `name:"json" help:"Print JSON."`
	podsFlags
}

func (c *loadCommand) Run(ctx context.Context) error {
	if err := c.setTargets(); err != nil {
		return err
	}
	options, err := c.options()
	if err != nil {
		return err
	}
	report, err := load.Run(ctx, load.Plan{
		Scenario: c.Scenario, Targets: c.Target, GRPC: c.GRPCTarget, Token: options.Token, TLS: options.TLS, Clients: c.Clients, Connections: c.Connections,
		Rate: c.Rate, Duration: c.Duration, Warmup: c.Warmup, SKUs: c.SKUs, Stock: c.Stock, Prefix: c.Prefix, GiveUpAfter: c.GiveUpAfter,
		Seed: c.Seed, Prepared: c.Prepared, Unproven: !c.Proof, Progress: os.Stderr,
	})
	if report.StartedAt.IsZero() {
		return err
	}
	if c.JSON {
		return errors.Join(json.NewEncoder(os.Stdout).Encode(report), err)
	}
	return errors.Join(report.Write(os.Stdout), err)
}

// setTargets fills in the pods of `stockyard dev`, and leaves no gRPC address without --grpc.
func (c *loadCommand) setTargets() error {
	topology, err := regions.Default()
	if err != nil {
		return err
	}
	given := len(c.Target) > 0
	if !given {
		c.Target = dev.Targets(topology, dev.DefaultPort)
	}
	switch {
	case !c.GRPC:
		c.GRPCTarget = nil
	case len(c.GRPCTarget) == 0 && given:
		return errors.New("--grpc-target is required with --grpc and --target: the address of each pod's gRPC API")
	case len(c.GRPCTarget) == 0:
		c.GRPCTarget = dev.GRPCTargets(topology, dev.DefaultPort)
	}
	return nil
}
