package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"stockyard/service/inventory"
)

// stock are the figures of stock levels by region. They are told by the pod that counts them, and no
// longer than they are good: another pod may count by then.
type stock struct {
	all, out, short *prometheus.Desc

	mu     sync.Mutex
	counts []inventory.Census
	until  time.Time
}

func newStock() *stock {
	return &stock{
		all:   prometheus.NewDesc("stockyard_stock_levels", "Stock levels, by region, when the books were last verified.", []string{"region"}, nil),
		out:   prometheus.NewDesc("stockyard_stock_levels_out_of_stock", "Stock levels with nothing available, by region.", []string{"region"}, nil),
		short: prometheus.NewDesc("stockyard_stock_levels_in_shortfall", "Stock levels that let more units go than the books had free, by region.", []string{"region"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (s *stock) Describe(descs chan<- *prometheus.Desc) {
	descs <- s.all
	descs <- s.out
	descs <- s.short
}

// Collect implements prometheus.Collector.
func (s *stock) Collect(metrics chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().After(s.until) {
		return
	}
	for _, c := range s.counts {
		metrics <- prometheus.MustNewConstMetric(s.all, prometheus.GaugeValue, float64(c.Levels), c.Region)
		metrics <- prometheus.MustNewConstMetric(s.out, prometheus.GaugeValue, float64(c.OutOfStock), c.Region)
		metrics <- prometheus.MustNewConstMetric(s.short, prometheus.GaugeValue, float64(c.InShortfall), c.Region)
	}
}

// Counted tells how many stock levels there are, and how long that is good.
func (m *Metrics) Counted(counts []inventory.Census, good time.Duration) {
	m.stock.mu.Lock()
	defer m.stock.mu.Unlock()
	m.stock.counts, m.stock.until = counts, time.Now().Add(good)
}
