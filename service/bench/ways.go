package main

import (
	"context"
	"time"
)

// way is a way to reserve stock. Each does the same: one unit of one SKU at one location is held if
// there is enough, with a reservation, its line, an event and an idempotency key that are on disk
// when it is answered.
type way struct {
	name  string
	about string
	plain bool // without Stockyard
	setup func(context.Context, *system, *options) error
	run   func(context.Context, *system, job) (sample, error)
}

// ways is the list of them: each is a file.
var ways = []way{rest, grpc, statement, transaction}

// job is one measurement.
type job struct {
	pattern          string
	clients          int
	rate             float64 // starts a second; 0: each client as soon as it can
	skus             int
	warmup, duration time.Duration
	prepared         bool // the stock is there: its books are proven otherwise
}

// sample is what one measurement came to.
type sample struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Failed    int64   `json:"failed"`
	// Micros is what a request costs the generator of the load, in microseconds of processor time;
	// 0 where it isn't known.
	Micros float64 `json:"generator_cpu_us_per_request,omitempty"`
	Cost   cost    `json:"cost,omitzero"` // of Stockyard's ways
}

func findWay(name string) (way, bool) {
	for _, w := range ways {
		if w.name == name {
			return w, true
		}
	}
	return way{}, false
}

func wayNames() []string {
	names := make([]string, len(ways))
	for i, w := range ways {
		names[i] = w.name
	}
	return names
}
