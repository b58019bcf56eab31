package pod_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/cache"
	"stockyard/service/devdb"
	"stockyard/service/feed"
	"stockyard/service/httpapi"
	"stockyard/service/load"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

const (
	lossRounds  = 9
	lossReaders = 100
	lossSKUs    = 1000
)

// BenchmarkFeedLoss has a pod take reservations of many SKUs and of one while it follows the change
// feed, keeps its cache and has readers, and while it does none of these, in interleaved rounds. The
// loss is the median of the rounds' own: neighbours share the machine's moods. It runs once,
// whatever -benchtime says.
func BenchmarkFeedLoss(b *testing.B) {
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		b.Run(string(kind), func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			y := openLossYard(b, storetest.Open(b, kind))
			for _, scenario := range []string{"uniform", "hot"} {
				plan := load.Plan{Scenario: scenario, Targets: []string{y.url}, Clients: 128, Connections: 1, SKUs: lossSKUs, Stock: 1_000_000_000, Prefix: scenario, Duration: 2 * time.Second, Warmup: time.Second, GiveUpAfter: time.Minute, Unproven: true}
				y.run(b, plan)
				plan.Prepared = true
				var without, with, losses []float64
				for range lossRounds {
					off := y.run(b, plan)
					on := y.followed(b, scenario+"-0", func() float64 { return y.run(b, plan) })
					without, with, losses = append(without, off), append(with, on), append(losses, 1-on/off)
				}
				b.Logf("%-8s %7.0f/s without, %7.0f/s with feed, cache and %d readers: loss %.1f %% (%.1f to %.1f)", scenario,
					middle(without), middle(with), lossReaders, 100*middle(losses), 100*slices.Min(losses), 100*slices.Max(losses))
			}
		})
	}
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// lossYard is a pod whose feed is run when it is wanted.
type lossYard struct {
	url string
	hub *feed.Hub
}

type nudged struct{ hub *feed.Hub }

func (n nudged) Batched(int, time.Duration) { n.hub.Nudge() }
func (nudged) Decided(string, string)       {}

func openLossYard(b *testing.B, db *storetest.DB) *lossYard {
	b.Helper()
	st, err := store.Open(b.Context(), store.Options{URL: db.URLs[0], Regions: db.Topology.Names(), MaxConns: 24})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(st.Close)
	memory := cache.New(st, 100_000)
	hub := feed.NewHub(st, feed.Options{Buffer: 16384, Sinks: []feed.Sink{memory}})
	s := service.New(st, service.Options{Region: db.Topology.Primary, Topology: db.Topology, Cache: memory, Observer: nudged{hub}})
	b.Cleanup(s.Close)
	server := httptest.NewServer(httpapi.New(s, httpapi.Options{Authenticator: auth.Anonymous{}, Feed: hub}))
	b.Cleanup(server.Close)
	return &lossYard{server.URL, hub}
}

func (y *lossYard) run(b *testing.B, plan load.Plan) (perSecond float64) {
	b.Helper()
	report, err := load.Run(b.Context(), plan)
	if err != nil {
		b.Fatal(err)
	}
	return report.Total.PerSecond
}

// followed runs something while the feed is followed, with readers of a SKU each, one of them of first.
func (y *lossYard) followed(b *testing.B, first string, run func() float64) float64 {
	b.Helper()
	following, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		y.hub.Run(following)
	}()
	// It reads again what is new to nobody when it begins, which is not what is measured.
	for began := time.Now(); y.hub.AsOf().Before(began); {
		time.Sleep(10 * time.Millisecond)
	}
	readers := &feedYard{pod: &process{address: strings.TrimPrefix(y.url, "http://")}, listen: map[string]int{}}
	defer readers.hangUp()
	readers.readers(b, 1, first)
	for i := 1; i < lossReaders; i++ {
		readers.readers(b, 1, fmt.Sprintf("uniform-%d", i))
	}
	rate := run()
	stop()
	<-ended
	return rate
}
