package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"stockyard/service/load"
)

// prefix of all names that the load makes.
const prefix = "bench"

var rest = way{
	name: "rest", about: "Stockyard over REST",
	setup: prepareStock,
	run:   func(ctx context.Context, s *system, j job) (sample, error) { return s.load(ctx, j) },
}

var grpc = way{
	name: "grpc", about: "Stockyard over gRPC",
	setup: prepareStock,
	run: func(ctx context.Context, s *system, j job) (sample, error) {
		return s.load(ctx, j, "--grpc", "--grpc-target", s.grpc)
	},
}

// prepareStock makes the catalogue and the stock, by a short load.
func prepareStock(ctx context.Context, s *system, o *options) error {
	_, err := s.load(ctx, job{pattern: "uniform", clients: 1, skus: o.SKUs, duration: 100 * time.Millisecond})
	return err
}

// load runs `stockyard load` as a process of its own, which is what its callers are.
func (s *system) load(ctx context.Context, j job, more ...string) (sample, error) {
	args := append([]string{
		"load", "--json", "--scenario", j.pattern, "--target", s.rest, "--prefix", prefix, "--clients", strconv.Itoa(j.clients),
		"--rate", fmt.Sprint(j.rate), "--skus", strconv.Itoa(j.skus), "--warmup", j.warmup.String(), "--duration", j.duration.String(),
	}, more...)
	if j.prepared {
		args = append(args, "--prepared", "--no-proof")
	}
	before, err := s.read(ctx)
	if err != nil {
		return sample{}, err
	}
	out, err := s.stockyard(ctx, args...)
	var r load.Report
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		return sample{}, err
	}
	if r.Total.Refused > 0 {
		return sample{}, errors.New("stockyard load: reservations were refused, which makes no fair comparison")
	}
	after, err := s.read(ctx)
	if err != nil {
		return sample{}, err
	}
	l := r.Total.Latency
	return sample{PerSecond: r.Total.PerSecond, P50: l.P50, P99: l.P99, Failed: r.Total.Failed + r.Unsent, Micros: r.Generator.MicrosPerRequest, Cost: after.since(before)}, nil
}
