package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Webhooks are the figures of what is sent to webhooks. They implement webhook.Observer.
type Webhooks struct {
	attempts    *prometheus.CounterVec
	parked      prometheus.Counter
	outstanding prometheus.Gauge
	oldest      prometheus.Gauge
}

// Webhooks adds the figures of webhooks.
func (m *Metrics) Webhooks() *Webhooks {
	w := &Webhooks{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stockyard_webhook_attempts_total", Help: "Attempts to deliver to webhooks, by result (delivered, failed, parked: failed for the last time).",
		}, []string{"result"}),
		parked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stockyard_webhook_parked_total", Help: "Deliveries to webhooks that were given up.",
		}),
		outstanding: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stockyard_webhook_outstanding", Help: "Deliveries to webhooks that wait; 0 at pods that don't send.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stockyard_webhook_oldest_seconds", Help: "Age of the oldest delivery to a webhook that waits; 0 at pods that don't send.",
		}),
	}
	m.Registry.MustRegister(w.attempts, w.parked, w.outstanding, w.oldest)
	return w
}

// Attempted counts an attempt.
func (w *Webhooks) Attempted(result string) {
	w.attempts.WithLabelValues(result).Inc()
	if result == "parked" {
		w.parked.Inc()
	}
}

// Parked counts deliveries that were given up without an attempt of their own.
func (w *Webhooks) Parked(n int) { w.parked.Add(float64(n)) }

// Outstanding says what waits.
func (w *Webhooks) Outstanding(n int64, oldest time.Duration) {
	w.outstanding.Set(float64(n))
	w.oldest.Set(oldest.Seconds())
}
