package telemetry_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/telemetry"
)

// told are a pod's metrics, each of which has been told of something.
func told() *telemetry.Metrics {
	m := telemetry.New("us-east1", "test")
	none := func() int64 { return 0 }
	lag := func() time.Duration { return time.Second }
	m.Watch(telemetry.Gauges{
		InFlight: func() int { return 7 }, LaneDepth: func() int { return 0 },
		Connections: func() (int32, int32, int32) { return 1, 0, 2 },
	})
	m.WatchFeed(telemetry.Feed{Lag: lag, Stats: func() (int64, int64, int64) { return none(), none(), none() }})
	m.WatchCache(telemetry.Cache{Lag: lag, Stats: func() (int64, int64, int64, int64) { return none(), none(), none(), none() }})
	m.WatchCertificate(time.Now)
	w := m.Webhooks()
	w.Attempted("delivered")
	m.Request("reserve", 201, time.Second)
	m.Call("reserve", "OK", time.Second)
	m.Decided("reserve", "accepted")
	m.Batched(1, time.Second)
	m.Retry("40001")
	m.WorkerRan("alerts", nil)
	m.Authenticated(auth.KindKey, "accepted")
	m.Alerted("drift", 1)
	m.Counted([]inventory.Census{{Region: "us-east1", Levels: 9, OutOfStock: 2, InShortfall: 1}}, time.Hour)
	return m
}

// ours are the metrics that are Stockyard's own, by name.
func ours(t *testing.T, m *telemetry.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := m.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*dto.MetricFamily{}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "stockyard_") {
			by[f.GetName()] = f
		}
	}
	return by
}

var nameOf = regexp.MustCompile(`fqName: "(stockyard_[a-z_]+)"`)

// This test sees every metric that there is.
func TestEveryMetricIsTold(t *testing.T) {
	m := told()
	by := ours(t, m)
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		m.Registry.Describe(descs)
	}()
	for d := range descs {
		if name := nameOf.FindStringSubmatch(d.String()); name != nil && by[name[1]] == nil {
			t.Errorf("%s has no figure: told() doesn't tell it of anything", name[1])
		}
	}
}

func TestMetricsAreNamedByConvention(t *testing.T) {
	problems, err := promlint.NewWithMetricFamilies(slices.Collect(maps.Values(ours(t, told())))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// row is one of README's table of metrics: name, type, labels.
var row = regexp.MustCompile("(?m)^\\| `(stockyard_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\| .+ \\|$")

func TestReadmeListsEveryMetric(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, r := range row.FindAllStringSubmatch(string(readme), -1) {
		listed[r[1]] = r[2] + " of " + strings.Trim(r[3], " ")
	}
	is := map[string]string{}
	for name, f := range ours(t, told()) {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		is[name] = strings.ToLower(f.GetType().String()) + " of " + strings.Join(labels, ", ")
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if listed[name] != is[name] {
			t.Errorf("README has %q for %s, which is a %s", listed[name], name, is[name])
		}
	}
	for name := range listed {
		if is[name] == "" {
			t.Errorf("README lists %s, which there is not", name)
		}
	}
}

// What a pod counted long ago is another's to tell.
func TestCountsOfStockGrowOld(t *testing.T) {
	m := told()
	if f := ours(t, m)["stockyard_stock_levels_out_of_stock"]; f == nil || f.Metric[0].Gauge.GetValue() != 2 {
		t.Errorf("tells %v", f)
	}
	m.Counted([]inventory.Census{{Region: "us-east1", Levels: 9}}, -time.Second)
	if f := ours(t, m)["stockyard_stock_levels"]; f != nil {
		t.Errorf("still tells %v", f)
	}
}
