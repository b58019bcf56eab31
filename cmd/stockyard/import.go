package main

import (
	"context"
	"os"

	"stockyard/regions"
	"stockyard/service/client"
	"stockyard/service/dev"
	"stockyard/service/upload"
)

type importCommand struct {
	File   string   `arg:"" help:"Products, CSV or NDJSON; - reads standard input."`
	Target []string `help:"Base URLs of running pods, one of which is asked; those of 'stockyard dev' where none is given." env:"STOCKYARD_TARGET" placeholder:"URL,..."`
	Format string   `help:"csv or ndjson; what the file's name ends in where it isn't given." enum:",csv,ndjson" default:"" placeholder:"FORMAT"`
	DryRun bool     `help:"Check every row against the catalogue and write nothing."`
	JSON   bool     `name:"json" help:"Print JSON: a line for each refused row, and the summary."`
	podsFlags
}

func (c *importCommand) Run(ctx context.Context) error {
	if len(c.Target) == 0 {
		topology, err := regions.Default()
		if err != nil {
			return err
		}
		c.Target = dev.Targets(topology, dev.DefaultPort)
	}
	options, err := c.options()
	if err != nil {
		return err
	}
	api, err := client.New(c.Target, options)
	if err != nil {
		return err
	}
	return upload.Run(ctx, upload.Options{
		FileName: c.File, Format: c.Format, DryRun: c.DryRun, JSON: c.JSON, Out: os.Stdout, Progress: os.Stderr, Client: api.Via(0),
	})
}
