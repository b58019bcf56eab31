// Package pod puts one pod together: store, lanes, doors and workers, and how they stop.
package pod

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"stockyard/regions"
	"stockyard/service"
	"stockyard/service/cache"
	"stockyard/service/config"
	"stockyard/service/feed"
	"stockyard/service/grpcapi"
	"stockyard/service/secrets"
	"stockyard/service/store"
	"stockyard/service/telemetry"
	"stockyard/service/telemetry/tracing"
	"stockyard/service/worker"
)

// Pod is one running server of a region.
type Pod struct {
	settings config.Settings
	log      *slog.Logger
	store    *store.Store
	service  *service.Service
	metrics  *telemetry.Metrics
	traces   *tracing.Traces // nil: nothing is traced
	access   access
	build    Build
	hub      *feed.Hub
	secrets  *secrets.Keys // nil: no webhooks
	grpc     *grpcapi.Server
	draining atomic.Bool
	fits     atomic.Bool // the schema
}

var (
	errDraining     = errors.New("draining")
	errNoDatabase   = errors.New("the database does not answer")
	errNoFeed       = errors.New("the change feed can't be followed")
	errSchemaBehind = errors.New("the schema is older than this binary needs; run `stockyard migrate`")
)

// New connects to the database and builds the pod. It refuses PostgreSQL unless that is allowed.
func New(ctx context.Context, settings config.Settings, topology *regions.Topology, build Build, log *slog.Logger) (*Pod, error) {
	if !settings.AllowUnverifiedDatabase {
		if err := store.CheckVerified(settings.DatabaseURL); err != nil {
			return nil, err
		}
	}
	keys, err := newSecretKeys(settings.Webhooks)
	if err != nil {
		return nil, err
	}
	metrics := telemetry.New(settings.Region, build.Version)
	st, err := store.Open(ctx, store.Options{
		URL: settings.DatabaseURL, Regions: topology.Names(), MaxConns: settings.MaxConns, OnRetry: metrics.Retry,
	})
	if err != nil {
		return nil, err
	}
	if !st.IsCockroach() && !settings.AllowPostgres {
		st.Close()
		return nil, errors.New("this database is PostgreSQL. Stockyard is for CockroachDB: on PostgreSQL there are no regions, " +
			"no follower reads, and one machine's death stops everything. For development, say --allow-postgres")
	}
	p := &Pod{settings: settings, log: log, store: st, metrics: metrics, build: build, secrets: keys}
	memory, sinks := (*cache.Cache)(nil), []feed.Sink(nil)
	if settings.CacheSKUs > 0 {
		memory = cache.New(st, settings.CacheSKUs)
		sinks = append(sinks, memory)
		metrics.WatchCache(telemetry.Cache{Lag: memory.Lag, Stats: memory.Stats})
	}
	p.hub = feed.NewHub(st, feed.Options{Buffer: settings.FeedBuffer, Log: log, Sinks: sinks})
	metrics.WatchFeed(telemetry.Feed{Lag: p.hub.Lag, Stats: p.hub.Stats})
	p.service = service.New(st, service.Options{
		Region: settings.Region, Topology: topology, Lanes: settings.Lanes, BatchSize: settings.BatchSize,
		QueueSize: settings.QueueSize, TxTimeout: settings.TxTimeout, RateLimit: settings.RateLimit, InFlight: settings.InFlight,
		Watchers: settings.Watchers, Webhooks: p.webhookOptions(), Observer: observer{metrics, p.hub}, Cache: memory,
		OnInternal: func(err error) { logInternal(log, err) },
		OnTrouble:  func(err error) { log.Warn("in the background", "error", err) },
	})
	metrics.Watch(telemetry.Gauges{InFlight: p.service.InFlight, LaneDepth: p.service.QueueDepth, Connections: st.PoolStats})
	if p.access, err = newAccess(settings, st, metrics, log); err == nil {
		p.traces, err = tracing.Open(ctx, tracing.Pod{Region: settings.Region, Version: build.Version}, log)
	}
	if err != nil {
		p.service.Close()
		st.Close()
		return nil, err
	}
	return p, nil
}

// logInternal tells of a failure that clients only see as "internal", and of whose request it came.
func logInternal(log *slog.Logger, err error) {
	var f *service.Failure
	if !errors.As(err, &f) {
		log.Error("internal error", "error", err)
		return
	}
	log.ErrorContext(f.Context, "internal error", "operation", f.Operation, "request_id", f.RequestID, "error", f.Err)
}

func (p *Pod) notDraining(context.Context) error {
	if p.draining.Load() {
		return errDraining
	}
	return nil
}

func (p *Pod) databaseAnswers(ctx context.Context) error {
	if err := p.store.Answers(ctx); err != nil {
		p.log.Warn("not ready", "error", err)
		return errNoDatabase
	}
	return nil
}

// schemaFits asks until it is so: no migration takes anything back.
func (p *Pod) schemaFits(ctx context.Context) error {
	if p.fits.Load() {
		return nil
	}
	version, err := p.store.AppliedSchema(ctx)
	switch {
	case err != nil:
		return errNoDatabase
	case version < store.SchemaVersion():
		return fmt.Errorf("%w: it has version %d of %d", errSchemaBehind, version, store.SchemaVersion())
	}
	p.fits.Store(true)
	return nil
}

// feedPatience is for how long a pod may fail to follow the change feed. A node that dies takes its ranges
// along for a dozen seconds.
const feedPatience = time.Minute

// feedFollows doesn't ask how far behind the feed is: where it stands still it does so for every pod, and were
// they all to take themselves out for it, nobody would sell.
func (p *Pod) feedFollows(context.Context) error {
	if failing := p.hub.Failing(); failing > feedPatience {
		return fmt.Errorf("%w for %s", errNoFeed, failing.Round(time.Second))
	}
	return nil
}

// observer hears of each batch: there is something for the feed then.
type observer struct {
	*telemetry.Metrics
	hub *feed.Hub
}

// Batched implements service.Observer.
func (o observer) Batched(commands int, took time.Duration) {
	o.hub.Nudge()
	o.Metrics.Batched(commands, took)
}

// Run serves until the context ends, then drains: first the pod says that it isn't ready, so that
// load balancers look elsewhere, then it takes no more requests and finishes those it has.
func (p *Pod) Run(ctx context.Context) error {
	callers, operators := p.doors(p.build)
	ended, err := open(slices.Concat(callers, operators))
	if err != nil {
		return err
	}
	p.log.Info("serving", "settings", p.settings, "database", p.store.Database())

	workers, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	workersDone := make(chan struct{})
	go func() {
		defer close(workersDone)
		var side sync.WaitGroup
		defer side.Wait()
		side.Go(func() { p.hub.Run(workers) })
		if p.secrets != nil {
			side.Go(func() { p.dispatcher().Run(workers) })
		}
		for _, run := range p.access.run {
			side.Go(func() { run(workers) })
		}
		runner := worker.Runner{Store: p.store, Region: p.settings.Region, Log: p.log, Ran: p.metrics.WorkerRan}
		jobs := append(p.alerting(), worker.Expiry(p.service, p.settings.ExpiryEvery, p.metrics.Expired), worker.Sealing(p.service, p.log))
		if p.store.IsCockroach() {
			jobs = append(jobs, worker.FeedBatches(p.store), worker.Statistics(p.store, p.log))
		}
		runner.Run(workers, jobs...)
	}()

	select {
	case err = <-ended:
	case <-ctx.Done():
		p.drain(callers, operators)
	}
	stopWorkers()
	<-workersDone
	p.service.Close()
	p.store.Close()
	if err := p.traces.Close(); err != nil {
		p.log.Warn("the last traces were not sent", "error", err)
	}
	return err
}

// drain closes the operators' door last: until then it tells how the others are doing.
func (p *Pod) drain(callers, operators []door) {
	p.draining.Store(true)
	p.grpc.Drain()
	p.log.Info("draining", "delay", p.settings.DrainDelay)
	time.Sleep(p.settings.DrainDelay)
	ctx, cancel := context.WithTimeout(context.Background(), p.settings.RequestTimeout+5*time.Second)
	defer cancel()
	if err := shut(ctx, callers); err != nil {
		p.log.Warn("requests were cut off", "error", err)
	}
	_ = shut(ctx, operators) // whoever still asks there hears no more than that the pod is gone
}
