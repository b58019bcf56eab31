package pod_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/cache"
	"stockyard/service/devdb"
	"stockyard/service/feed"
	"stockyard/service/httpapi"
	"stockyard/service/inventory"
	"stockyard/service/load"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

const (
	lossRounds  = 7
	lossReaders = 100
	lossSKUs    = 1000
)

// lossCases are what is sold, and what the readers watch.
var lossCases = []struct {
	name, scenario string
	query          func(reader int) string
}{
	{"uniform, a SKU each", "uniform", func(i int) string { return fmt.Sprintf("?sku=uniform-%d", i) }},
	{"hot, a SKU each", "hot", func(i int) string {
		if i == 0 {
			return "?sku=hot-0"
		}
		return fmt.Sprintf("?sku=uniform-%d", i)
	}},
	{"uniform, everything each", "uniform", func(int) string { return "" }},
}

// BenchmarkFeedLoss has a pod take reservations of many SKUs and of one while it follows the change
// feed, keeps its cache and has readers, and while it does none of these, in interleaved rounds. The
// loss is the median of the rounds' own: neighbours share the machine's moods. What a reservation
// costs the whole machine in CPU time, the load and the readers' clients included, swings less: it is
// told, too. It runs once, whatever -benchtime says.
func BenchmarkFeedLoss(b *testing.B) {
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		b.Run(string(kind), func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			y := openLossYard(b, storetest.Open(b, kind))
			for _, c := range lossCases {
				plan := load.Plan{Scenario: c.scenario, Targets: []string{y.url}, Clients: 128, Connections: 1, SKUs: lossSKUs, Stock: 1_000_000_000, Prefix: c.scenario, Duration: 6 * time.Second, GiveUpAfter: time.Minute, Unproven: true}
				y.run(b, plan)
				plan.Prepared = true
				var without, with, losses, costs []float64
				for i := range lossRounds {
					var off, on lossRun
					rounds := []func(){
						func() { off = y.run(b, plan) },
						func() { on = y.followed(b, c.query, func() lossRun { return y.run(b, plan) }) },
					}
					rounds[i%2]()
					rounds[1-i%2]()
					without, with = append(without, off.perSecond), append(with, on.perSecond)
					losses, costs = append(losses, 1-on.perSecond/off.perSecond), append(costs, on.cpu/off.cpu-1)
				}
				b.Logf("%-24s %7.0f/s without, %7.0f/s with feed, cache and %d readers: loss %.1f %% (%.1f to %.1f); CPU of each reservation %+.1f %% (%+.1f to %+.1f)", c.name,
					middle(without), middle(with), lossReaders, 100*middle(losses), 100*slices.Min(losses), 100*slices.Max(losses),
					100*middle(costs), 100*slices.Min(costs), 100*slices.Max(costs))
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
	url   string
	hub   *feed.Hub
	heard heard
}

// heard tells up to which moment the hub has heard everything, when somebody wants to know.
type heard chan time.Time

func (h heard) Apply(_ []*inventory.Event, asOf time.Time) {
	select {
	case h <- asOf:
	default:
	}
}
func (heard) Reset() {}

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
	caughtUp := make(heard)
	hub := feed.NewHub(st, feed.Options{Buffer: 16384, Sinks: []feed.Sink{memory, caughtUp}})
	s := service.New(st, service.Options{Region: db.Topology.Primary, Topology: db.Topology, Cache: memory, Observer: nudged{hub}})
	b.Cleanup(s.Close)
	server := httptest.NewServer(httpapi.New(s, httpapi.Options{Authenticator: auth.Anonymous{}, Feed: hub}))
	b.Cleanup(server.Close)
	return &lossYard{server.URL, hub, caughtUp}
}

// lossRun is what a round came to.
type lossRun struct{ perSecond, cpu float64 }

func (y *lossYard) run(b *testing.B, plan load.Plan) lossRun {
	b.Helper()
	before := busy(b)
	report, err := load.Run(b.Context(), plan)
	if err != nil {
		b.Fatal(err)
	}
	return lossRun{report.Total.PerSecond, (busy(b) - before) / float64(report.Total.OK)}
}

// busy is the CPU time that the machine has spent so far, whoever for, in its own ticks.
func busy(b *testing.B) (ticks float64) {
	b.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		b.Skip("this needs Linux: ", err)
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	const idle, iowait, steal = 4, 5, 8 // columns of no work; those after them are counted before
	for i, field := range strings.Fields(line)[:steal] {
		if n, err := strconv.ParseFloat(field, 64); err == nil && i != idle && i != iowait {
			ticks += n
		}
	}
	return ticks
}

// followed runs something while the feed is followed, by readers too.
func (y *lossYard) followed(b *testing.B, query func(reader int) string, run func() lossRun) lossRun {
	b.Helper()
	following, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		y.hub.Run(following)
	}()
	// It reads again what is new to nobody when it begins, which is not what is measured.
	for began := time.Now(); (<-y.heard).Before(began); {
	}
	readers := &feedYard{pod: &process{address: strings.TrimPrefix(y.url, "http://")}}
	defer readers.hangUp()
	for i := range lossReaders {
		go take(readers.follow(b, query(i)))
	}
	measured := run()
	stop()
	<-ended
	return measured
}

// take reads to the end. What a client makes of what comes is its own machine's affair.
func take(stream *bufio.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		if _, err := stream.Read(buffer); err != nil {
			return
		}
	}
}
