package trial_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"stockyard/regions"
	"stockyard/service/client"
	"stockyard/service/devdb"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
	"stockyard/service/replay"
	"stockyard/service/soak/yard"
	"stockyard/service/store"
)

// follower has a picture of the stock that it made from the feed alone.
type follower struct {
	name string

	mu     sync.Mutex
	levels map[inventory.LevelKey]inventory.Event // the last event of each
	onHand map[inventory.LevelKey]int64           // what all deltas come to
	begun  int                                    // connections made
	wrong  []string
}

func newFollower(name string) *follower {
	return &follower{name: name, levels: map[inventory.LevelKey]inventory.Event{}, onHand: map[inventory.LevelKey]int64{}}
}

// take skips what it knows, as whoever reads the feed does.
func (f *follower) take(key inventory.LevelKey, version int64, deltas, balances inventory.Balances) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch known := f.levels[key].Version; {
	case version <= known:
	case version > known+1:
		f.wrong = append(f.wrong, fmt.Sprintf("%v: version %d came after %d", key, version, known))
	default:
		f.levels[key] = inventory.Event{Version: version, Balances: balances}
		f.onHand[key] += deltas.OnHand
	}
}

func (f *follower) connected() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun++
}

func (f *follower) events() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.levels {
		n += e.Version
	}
	return n
}

// difference says where the picture isn't the database's.
func (f *follower) difference(levels map[inventory.LevelKey]inventory.Level) (differs string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, l := range levels {
		if e := f.levels[key]; e.Version != l.Version || e.Balances != l.Balances || f.onHand[key] != l.OnHand {
			return fmt.Sprintf("%v: has %+v and %d on hand by deltas, the database %+v", key, e, f.onHand[key], l)
		}
	}
	if len(f.levels) != len(levels) {
		return fmt.Sprintf("has %d levels, the database %d", len(f.levels), len(levels))
	}
	return ""
}

// browse follows by server-sent events, by the rules of a browser's EventSource: it stays with one
// pod, comes back with the last id, and gives up for good at any answer but a stream.
func (f *follower) browse(ctx context.Context, pod string) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, pod+"/v1/events?after=earliest", nil)
	if err != nil {
		return err
	}
	source := sse.Client{
		HTTPClient: &http.Client{}, OnRetry: func(error, time.Duration) { f.connected() },
		Backoff: sse.Backoff{InitialInterval: 100 * time.Millisecond, Multiplier: 1, Jitter: -1},
	}
	connection := source.NewConnection(q)
	connection.Buffer(nil, 1<<20)
	f.connected()
	connection.SubscribeMessages(func(e sse.Event) {
		if e.Data == "" { // a browser wouldn't give this to the page: it only moves the id
			return
		}
		var event struct {
			Region, SKU, Location string
			Version               int64
			Deltas, Balances      inventory.Balances
		}
		if err := json.Unmarshal([]byte(e.Data), &event); err != nil {
			panic(err)
		}
		f.take(inventory.LevelKey{Region: event.Region, SKU: event.SKU, Location: event.Location}, event.Version, event.Deltas, event.Balances)
	})
	return connection.Connect()
}

// watch follows over gRPC, and goes on at the next pod where one doesn't answer.
func (f *follower) watch(ctx context.Context, pods []string) error {
	var services []pb.FeedServiceClient
	for _, address := range pods {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		services = append(services, pb.NewFeedServiceClient(conn))
	}
	cursor := "earliest"
	for at := 0; ctx.Err() == nil; at++ {
		f.connected()
		stream, err := services[at%len(services)].Watch(ctx, &pb.WatchRequest{After: cursor})
		for err == nil {
			var m *pb.WatchResponse
			if m, err = stream.Recv(); err == nil {
				cursor = m.GetCursor()
				f.takeMessage(m.GetEvent())
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond): // not to ask a pod that is down without end
		}
	}
	return ctx.Err()
}

func (f *follower) takeMessage(e *pb.Event) {
	if e == nil {
		return
	}
	f.take(inventory.LevelKey{Region: e.GetRegion(), SKU: e.GetSku(), Location: e.GetLocation()}, e.GetVersion(),
		balances(e.GetDeltas()), balances(e.GetBalances()))
}

func balances(b *pb.Balances) inventory.Balances {
	return inventory.Balances{
		OnHand: b.GetOnHand(), Held: b.GetHeld(), Allocated: b.GetAllocated(), Quarantined: b.GetQuarantined(),
		Incoming: b.GetIncoming(), Shortfall: b.GetShortfall(),
	}
}

// ledger gives every stock level of the database.
func ledger(t *testing.T, y *yard.Yard, topology *regions.Topology) map[inventory.LevelKey]inventory.Level {
	t.Helper()
	all := map[inventory.LevelKey]inventory.Level{}
	for _, region := range topology.Names() {
		for f := (store.LevelFilter{Region: region, Limit: 1000}); ; {
			some, _, err := y.Store.Levels(context.WithoutCancel(t.Context()), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range some {
				all[l.Key] = l
			}
			if len(some) < f.Limit {
				break
			}
			f.After = some[len(some)-1].Key
		}
	}
	return all
}

// harm kills pods and the database's servers in turn, each once sales go on after the one before, until
// it is told to stop.
func harm(t *testing.T, y *yard.Yard, witness *follower, enough <-chan struct{}) (killed int) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ; ; killed++ {
		for before := witness.events(); witness.events() < before+100; {
			select {
			case <-enough:
				return killed
			case <-tick.C:
			}
		}
		if killed%2 == 0 {
			pods := y.Pods()
			pods[killed/2%len(pods)].Kill()
			continue
		}
		node := y.Nodes()[killed/2%len(y.Nodes())]
		if err := node.Kill(); err != nil {
			t.Error(err)
		}
		if err := node.Restart(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
			return killed
		}
	}
}

// While real sales are put through and pods and the database's servers are killed, a browser and a
// gRPC client follow the feed. In the end each has the same levels as the database, from the
// stream alone.
func TestFollowersOfRealSalesEndAtTheSameLevels(t *testing.T) {
	dir, err := yard.MakeDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary, err := yard.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	for kind, rows := range map[devdb.Kind]int{devdb.PostgreSQL: 5000, devdb.CockroachDB: 1200} {
		t.Run(string(kind), func(t *testing.T) {
			if _, there := devdb.FindCockroach(); kind == devdb.CockroachDB && !there {
				t.Skip("SKIPPED: there is no CockroachDB here; set COCKROACH_BINARY")
			}
			y, err := yard.Start(t.Context(), yard.Options{Dir: dir, Binary: binary, Topology: topology, Kind: kind, Pods: 3, Slots: 3, Log: t.Logf})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := y.Stop(); err != nil {
					t.Error(err)
				}
			}()
			followed(t, y, topology, rows)
		})
	}
}

func followed(t *testing.T, y *yard.Yard, topology *regions.Topology, rows int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	browser, caller := newFollower("browser"), newFollower("gRPC client")
	var following sync.WaitGroup
	defer following.Wait()
	defer stop()
	for f, follow := range map[*follower]func() error{
		browser: func() error { return browser.browse(ctx, y.Targets()[0]) },
		caller:  func() error { return caller.watch(ctx, y.GRPCTargets()) },
	} {
		following.Go(func() {
			if err := follow(); ctx.Err() == nil {
				t.Errorf("the %s gave up: %v", f.name, err)
			}
		})
	}
	enough, done, killed := make(chan struct{}), make(chan struct{}), 0
	go func() {
		defer close(done)
		killed = harm(t, y, caller, enough)
	}()
	_, err := replay.Run(t.Context(), replay.Options{
		File: sales(t, rows), FileName: "sales.csv", Targets: y.Targets(), OpeningPercent: 90,
		Client: client.Options{AttemptTimeout: 5 * time.Second},
	})
	close(enough)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	levels := ledger(t, y, topology)
	for _, f := range []*follower{browser, caller} {
		differs := "?"
		for began := time.Now(); differs != "" && time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
			differs = f.difference(levels)
		}
		if differs != "" {
			t.Errorf("the %s: %s", f.name, differs)
		}
		t.Logf("the %s connected %d times; %d levels, %d kills", f.name, f.begun, len(levels), killed)
		for _, w := range f.wrong[:min(len(f.wrong), 3)] {
			t.Errorf("the %s: %s", f.name, w)
		}
		if f.begun < 2 || len(levels) == 0 || killed < 2 {
			t.Error("too little broke: the test proves nothing")
		}
	}
}

// sales are the first rows of the sample.
func sales(t *testing.T, rows int) io.Reader {
	t.Helper()
	all, err := os.ReadFile("../../replay/testdata/online-retail/sales.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(all))
	return bytes.NewReader(bytes.Join(lines[:rows+1], nil))
}
