// Package telemetry names Stockyard's metrics and makes its logger. Traces are in tracing.
package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"stockyard/service/auth"
)

// Metrics are a pod's. Labels are few and bounded.
type Metrics struct {
	Registry *prometheus.Registry

	requests  *prometheus.HistogramVec
	calls     *prometheus.HistogramVec
	commands  *prometheus.CounterVec
	batches   prometheus.Histogram
	batchTime prometheus.Histogram
	retries   *prometheus.CounterVec
	runs      *prometheus.CounterVec
	expired   prometheus.Counter
	expiryLag prometheus.Gauge
	comers    *prometheus.CounterVec
	alerts    *prometheus.CounterVec
	alertsLag prometheus.Gauge
	drift     prometheus.Gauge
	verified  prometheus.Gauge
	verifying prometheus.Gauge
	stock     *stock
}

// Gauges are read when metrics are scraped.
type Gauges struct {
	InFlight    func() int
	LaneDepth   func() int
	Connections func() (total, inUse, limit int32)
}

// New makes a registry with all metrics in it.
func New(region, version string) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		stock:    newStock(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stockyard_http_request_duration_seconds", Help: "Time to answer a REST request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
		}, []string{"operation", "status"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stockyard_grpc_request_duration_seconds", Help: "Time to answer a gRPC call.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
		}, []string{"operation", "code"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stockyard_commands_total", Help: "Stock commands by operation and result (accepted, refused, replayed, failed).",
		}, []string{"operation", "result"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stockyard_batch_commands", Help: "Commands in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		batchTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stockyard_batch_duration_seconds", Help: "Time of one transaction, retries included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
		}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stockyard_tx_retries_total", Help: "Transactions run again, by cause (SQLSTATE or connection_lost).",
		}, []string{"cause"}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stockyard_worker_runs_total", Help: "Runs of this pod's background workers, by worker and result (done, failed).",
		}, []string{"worker", "result"}),
		expired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stockyard_expired_holds_total", Help: "Reservations whose lapsed hold this pod's worker tidied away.",
		}),
		expiryLag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stockyard_expiry_lag_seconds", Help: "How long the oldest lapsed hold had been over when the worker found it.",
		}),
		comers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stockyard_authentications_total", Help: "Credentials presented, by kind (key, token) and result (accepted, refused, unavailable).",
		}, []string{"kind", "result"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stockyard_alerts_total", Help: "Alerts that this pod's workers raised, by kind.",
		}, []string{"kind"}),
		alertsLag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stockyard_alerts_lag_seconds", Help: "Age of the newest event when this pod's worker was done with it.",
		}),
		drift: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stockyard_drift_violations", Help: "Violations of the invariants that this pod's last verification found.",
		}),
		verified: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stockyard_verify_last_success_timestamp_seconds", Help: "When this pod's worker last verified everything, whatever it found.",
		}),
		verifying: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stockyard_verify_duration_seconds", Help: "How long this pod's last verification took.",
		}),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stockyard_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"region": region, "version": version},
	}, func() float64 { return 1 })
	m.Registry.MustRegister(m.requests, m.calls, m.commands, m.batches, m.batchTime, m.retries, m.runs, m.expired, m.expiryLag, m.comers,
		m.alerts, m.alertsLag, m.drift, m.verified, m.verifying, m.stock, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Watch adds the gauges.
func (m *Metrics) Watch(g Gauges) {
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	m.Registry.MustRegister(
		gauge("stockyard_requests_in_flight", "REST and gRPC requests being dealt with, watchers of the feed not among them.", func() float64 { return float64(g.InFlight()) }),
		gauge("stockyard_lane_depth", "Commands waiting in lanes.", func() float64 { return float64(g.LaneDepth()) }),
		gauge("stockyard_db_connections", "Database connections open.", func() float64 { n, _, _ := g.Connections(); return float64(n) }),
		gauge("stockyard_db_connections_in_use", "Database connections in use.", func() float64 { _, n, _ := g.Connections(); return float64(n) }),
		gauge("stockyard_db_connections_limit", "The most database connections.", func() float64 { _, _, n := g.Connections(); return float64(n) }),
	)
}

// Feed is what is read of the change feed when metrics are scraped.
type Feed struct {
	Lag   func() time.Duration
	Stats func() (readers, cutOff, heard int64)
}

// WatchFeed adds the figures of the change feed.
func (m *Metrics) WatchFeed(f Feed) {
	m.Registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stockyard_feed_lag_seconds", Help: "Age of the moment up to which this pod has heard everything that was committed.",
		}, func() float64 { return f.Lag().Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stockyard_feed_readers", Help: "Readers of the change feed at this pod.",
		}, func() float64 { n, _, _ := f.Stats(); return float64(n) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "stockyard_feed_cut_off_total", Help: "Readers that fell too far behind and were cut off.",
		}, func() float64 { _, n, _ := f.Stats(); return float64(n) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "stockyard_feed_entries_total", Help: "Events and alerts that this pod heard from the change feed.",
		}, func() float64 { _, _, n := f.Stats(); return float64(n) }),
	)
}

// Cache is what is read of the memory of stock when metrics are scraped.
type Cache struct {
	Lag   func() time.Duration
	Stats func() (hits, misses, aside, entries int64)
}

// WatchCache adds the figures of the memory of stock.
func (m *Metrics) WatchCache(c Cache) {
	count := func(result string, read func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "stockyard_cache_lookups_total", ConstLabels: prometheus.Labels{"result": result},
			Help: "SKUs looked up in memory by result (hit; miss: it wasn't there; aside: it was older than asked for).",
		}, func() float64 { return float64(read()) })
	}
	m.Registry.MustRegister(
		count("hit", func() int64 { n, _, _, _ := c.Stats(); return n }),
		count("miss", func() int64 { _, n, _, _ := c.Stats(); return n }),
		count("aside", func() int64 { _, _, n, _ := c.Stats(); return n }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "stockyard_cache_skus", Help: "SKUs in memory."},
			func() float64 { _, _, _, n := c.Stats(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stockyard_cache_lag_seconds", Help: "Age of the moment up to which the memory has everything, by the database's clock.",
		}, func() float64 { return c.Lag().Seconds() }),
	)
}

// WatchCertificate adds the time at which the certificate in use expires.
func (m *Metrics) WatchCertificate(expiry func() time.Time) {
	m.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stockyard_tls_certificate_expiry_timestamp_seconds", Help: "When the TLS certificate in use expires.",
	}, func() float64 { return float64(expiry().Unix()) }))
}

// Request counts a REST request.
func (m *Metrics) Request(operation string, status int, took time.Duration) {
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
}

// Call counts a gRPC call.
func (m *Metrics) Call(operation, code string, took time.Duration) {
	m.calls.WithLabelValues(operation, code).Observe(took.Seconds())
}

// Batched implements service.Observer.
func (m *Metrics) Batched(commands int, took time.Duration) {
	m.batches.Observe(float64(commands))
	m.batchTime.Observe(took.Seconds())
}

// Decided implements service.Observer.
func (m *Metrics) Decided(operation, result string) {
	m.commands.WithLabelValues(operation, result).Inc()
}

// Retry counts a transaction that runs again.
func (m *Metrics) Retry(cause string) { m.retries.WithLabelValues(cause).Inc() }

// WorkerRan counts a run of a background worker.
func (m *Metrics) WorkerRan(worker string, err error) {
	result := "done"
	if err != nil {
		result = "failed"
	}
	m.runs.WithLabelValues(worker, result).Inc()
}

// Expired counts what the expiry worker found.
func (m *Metrics) Expired(found int, lag time.Duration) {
	m.expired.Add(float64(found))
	m.expiryLag.Set(lag.Seconds())
}

// Alerted counts alerts that were raised.
func (m *Metrics) Alerted(kind string, n int) { m.alerts.WithLabelValues(kind).Add(float64(n)) }

// AlertsLag is how old the newest event was when the worker was done with it.
func (m *Metrics) AlertsLag(lag time.Duration) { m.alertsLag.Set(lag.Seconds()) }

// Verified tells of a verification: how many violations it found, and how long it took.
func (m *Metrics) Verified(violations int, took time.Duration) {
	m.drift.Set(float64(violations))
	m.verifying.Set(took.Seconds())
	m.verified.SetToCurrentTime()
}

// Authenticated counts a credential that was presented.
func (m *Metrics) Authenticated(kind auth.Kind, result string) {
	m.comers.WithLabelValues(string(kind), result).Inc()
}
