package main

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"stockyard/service/devdb"
)

// cost is what a reservation took, warm-up included; a figure is 0 where it can't be had. Those of the
// database are of all its nodes, and of whatever else they did meanwhile.
type cost struct {
	PodMicros      float64 `json:"pod_cpu_us,omitempty"`      // processor time in the pod, microseconds
	DatabaseMicros float64 `json:"database_cpu_us,omitempty"` // processor time in the database's processes
	DiskBytes      float64 `json:"disk_bytes,omitempty"`      // that the database's processes had written to disk
	WALBytes       float64 `json:"wal_bytes,omitempty"`       // of write-ahead log; PostgreSQL
	Batch          float64 `json:"batch,omitempty"`           // reservations in a transaction
	RoundTrips     float64 `json:"round_trips,omitempty"`     // between pod and database
	Retries        float64 `json:"retries,omitempty"`         // transactions run again
}

// figures are the parts of a cost, for medians.
func (c *cost) figures() []*float64 {
	return []*float64{&c.PodMicros, &c.DatabaseMicros, &c.DiskBytes, &c.WALBytes, &c.Batch, &c.RoundTrips, &c.Retries}
}

// reading is how far the counters of a pod and of its database are.
type reading struct {
	podSeconds, commands, batches, retries float64
	database                               usage
	wal                                    float64
}

func (s *system) read(ctx context.Context) (r reading, err error) {
	counters, err := s.metrics(ctx)
	if err != nil {
		return r, err
	}
	r.podSeconds, r.retries = counters["process_cpu_seconds_total"], counters["stockyard_tx_retries_total"]
	r.commands, r.batches = counters["stockyard_batch_commands_sum"], counters["stockyard_batch_commands_count"]
	for _, pid := range s.server.processes {
		r.database = r.database.plus(usageOf(pid))
	}
	if s.server.kind != devdb.PostgreSQL {
		return r, nil
	}
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return r, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = conn.QueryRow(ctx, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8").Scan(&r.wal)
	return r, err
}

// metrics are the pod's, those of a name with several labels added up.
func (s *system) metrics(ctx context.Context) (map[string]float64, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.ops+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	counters := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		name, _, _ = strings.Cut(name, "{")
		if f, err := strconv.ParseFloat(value, 64); err == nil {
			counters[name] += f
		}
	}
	return counters, nil
}

// since gives the cost of a reservation between two readings.
func (r reading) since(before reading) (c cost) {
	n, batches := r.commands-before.commands, r.batches-before.batches
	if n <= 0 || batches <= 0 {
		return c
	}
	const tripsOfBatch = 2 // reading and writing
	retries := r.retries - before.retries
	return cost{
		PodMicros:      (r.podSeconds - before.podSeconds) * 1e6 / n,
		DatabaseMicros: (r.database.seconds - before.database.seconds) * 1e6 / n,
		DiskBytes:      (r.database.written - before.database.written) / n,
		WALBytes:       (r.wal - before.wal) / n,
		Batch:          n / batches,
		RoundTrips:     tripsOfBatch * (batches + retries) / n,
		Retries:        retries / n,
	}
}
