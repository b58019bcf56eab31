package main

import (
	"context"
	"os"

	"stockyard/regions"
	"stockyard/service/config"
	"stockyard/service/dev"
)

type devCommand struct {
	DataDir string `help:"Where the database and logs are kept." default:".stockyard" type:"path"`
	Port    int    `help:"Port of the first region's REST API; the others follow. gRPC is 1000 above." default:"8081"`
	config.Database
}

func (c *devCommand) Run(ctx context.Context) error {
	topology, err := regions.Load(c.Topology)
	if err != nil {
		return err
	}
	return dev.Run(ctx, dev.Options{
		DataDir: c.DataDir, DatabaseURL: c.DatabaseURL, Topology: topology, TopologyFile: c.Topology, Port: c.Port, Out: os.Stdout,
	})
}
