package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"stockyard/regions"
	"stockyard/service/dev"
	"stockyard/service/replay"
)

type replayCommand struct {
	File           string   `arg:"" help:"Sales history in the Online Retail format, CSV."`
	Target         []string `help:"Base URLs of running pods, one a region; those of 'stockyard dev' where none is given." env:"STOCKYARD_TARGET" placeholder:"URL,..."`
	OpeningPercent int      `help:"Opening stock as a share of what the file takes out; below 100 refusals are expected." default:"100"`
	Workers        int      `help:"Invoices at once in each region." default:"16"`
	JSON           bool     `name:"json" help:"Print JSON."`
	podsFlags
}

func (c *replayCommand) Run(ctx context.Context) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if len(c.Target) == 0 {
		topology, err := regions.Default()
		if err != nil {
			return err
		}
		c.Target = dev.Targets(topology, dev.DefaultPort)
	}
	summary, err := replay.Run(ctx, replay.Options{
		File: file, FileName: c.File, Targets: c.Target, OpeningPercent: c.OpeningPercent, Workers: c.Workers, Progress: os.Stderr,
		Client: options,
	})
	if summary != nil {
		if c.JSON {
			return errors.Join(json.NewEncoder(os.Stdout).Encode(summary), err)
		}
		return errors.Join(summary.Write(os.Stdout), err)
	}
	return err
}
