// Package yard is what a soak runs on: a database, proxies before it that can do harm, and pods that
// are processes of their own, in every region.
package yard

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"stockyard/regions"
	"stockyard/service/devdb"
	"stockyard/service/store"
)

// Options of a yard.
type Options struct {
	Dir      string // data and logs; must exist
	Binary   string // stockyard
	Topology *regions.Topology
	Kind     devdb.Kind
	// URLs are of a database that runs already, one a region. Without them one is started, and its
	// nodes can be killed.
	URLs  []string
	Pods  int // at first
	Slots int // pods at most
	// DrainDelay is how long a pod that stops says so before it takes no more requests.
	DrainDelay time.Duration
	Log        func(format string, args ...any)
}

// Yard is a running Stockyard.
type Yard struct {
	Store   *store.Store // past the proxies, to judge by
	Version string       // of the database

	options  Options
	database *devdb.Database // nil where it is somebody else's
	links    []*Link
	pods     []*Pod
	scaling  sync.Mutex
	mu       sync.Mutex
	findings []string
}

// Start starts the database where none is given, migrates it, and starts pods.
func Start(ctx context.Context, o Options) (*Yard, error) {
	y := &Yard{options: o}
	if err := y.start(ctx); err != nil {
		return nil, errors.Join(err, y.Stop())
	}
	return y, nil
}

func (y *Yard) start(ctx context.Context) (err error) {
	urls := y.options.URLs
	if urls == nil {
		y.database, err = devdb.Start(ctx, devdb.Options{
			Kind: y.options.Kind, Dir: filepath.Join(y.options.Dir, string(y.options.Kind)),
			Regions: y.options.Topology.Names(), Log: y.options.Log,
		})
		if err != nil {
			return err
		}
		urls = y.database.URLs
	}
	y.Store, err = store.Open(ctx, store.Options{URL: over(urls[0], hosts(urls)), Regions: y.options.Topology.Names()})
	if err != nil {
		return err
	}
	y.Version = y.Store.Database()
	if _, err := y.Store.Migrate(ctx); err != nil {
		return err
	}
	for i, region := range y.options.Topology.Names() {
		link, err := newLink(region, urls[i])
		if err != nil {
			return err
		}
		y.links = append(y.links, link)
	}
	if err := y.makePods(urls[0]); err != nil {
		return err
	}
	return y.Scale(ctx, y.options.Pods)
}

// makePods gives every pod that there may be its addresses, so that clients know them all. Each
// reaches the database by the proxy of its region, and by the next region's where that is cut.
func (y *Yard) makePods(url string) error {
	ports, err := devdb.FreePorts(2 * y.options.Slots)
	if err != nil {
		return err
	}
	for i := range y.options.Slots {
		at := i % len(y.links)
		next := (at + 1) % len(y.links)
		y.pods = append(y.pods, &Pod{
			Region: y.links[at].Region, name: fmt.Sprintf("pod-%d-%s", i+1, y.links[at].Region),
			address: loopback(ports[2*i]), grpc: loopback(ports[2*i+1]),
			database: over(url, []string{y.links[at].address(), y.links[next].address()}),
			options:  y.options, tell: y.tell,
		})
	}
	return nil
}

// Stop ends everything.
func (y *Yard) Stop() error {
	var wg sync.WaitGroup
	for _, p := range y.pods {
		wg.Go(p.end)
	}
	wg.Wait()
	for _, l := range y.links {
		l.proxy.Stop()
	}
	if y.Store != nil {
		y.Store.Close()
	}
	if y.database == nil {
		return nil
	}
	return y.database.Stop(context.Background())
}

// Targets are the base URLs of all pods that there may be; neighbours are in different regions.
func (y *Yard) Targets() (urls []string) {
	for _, p := range y.pods {
		urls = append(urls, p.URL())
	}
	return urls
}

// GRPCTargets are the addresses of their gRPC APIs, in the same order.
func (y *Yard) GRPCTargets() (addresses []string) {
	for _, p := range y.pods {
		addresses = append(addresses, p.GRPC())
	}
	return addresses
}

// Pods are those that are meant to run.
func (y *Yard) Pods() (running []*Pod) {
	for _, p := range y.pods {
		if p.isWanted() {
			running = append(running, p)
		}
	}
	return running
}

// Slots is how many pods there may be.
func (y *Yard) Slots() int { return len(y.pods) }

// Links are the ways to the database, one a region.
func (y *Yard) Links() []*Link { return y.links }

// Nodes are the database's servers, none where it is somebody else's.
func (y *Yard) Nodes() []*devdb.Node {
	if y.database == nil {
		return nil
	}
	return y.database.Nodes()
}

// IsCockroach says which database it is.
func (y *Yard) IsCockroach() bool { return y.Store.IsCockroach() }

// Scale starts pods or stops them, as an autoscaler would, until there are n.
func (y *Yard) Scale(ctx context.Context, n int) error {
	y.scaling.Lock()
	defer y.scaling.Unlock()
	errs := make([]error, len(y.pods))
	var wg sync.WaitGroup
	for i, p := range y.pods {
		wg.Go(func() {
			if i < n {
				errs[i] = p.Start(ctx)
			} else {
				_, errs[i] = p.Stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Heal undoes all harm: proxies pass everything again, dead nodes come back, and every pod that is
// meant to run is ready.
func (y *Yard) Heal(ctx context.Context) error {
	var errs []error
	for _, l := range y.links {
		errs = append(errs, l.Heal(ctx))
	}
	for _, p := range y.Pods() {
		errs = append(errs, p.AwaitReady(ctx))
	}
	return errors.Join(errs...)
}

// Findings are what pods did that they must not: a crash of their own, an internal error, a stop
// that hangs.
func (y *Yard) Findings() []string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.findings
}

func (y *Yard) tell(format string, args ...any) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.findings = append(y.findings, fmt.Sprintf(format, args...))
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// over gives a connection string with other hosts. Several have commas between, which net/url
// doesn't read.
func over(url string, hosts []string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	authority, path, _ := strings.Cut(rest, "/")
	user := ""
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		user = authority[:at+1]
	}
	return scheme + "://" + user + strings.Join(hosts, ",") + "/" + path
}

// hosts are the different hosts of connection strings.
func hosts(urls []string) (all []string) {
	seen := map[string]bool{}
	for _, url := range urls {
		_, rest, _ := strings.Cut(url, "://")
		authority, _, _ := strings.Cut(rest, "/")
		host := authority[strings.LastIndex(authority, "@")+1:]
		if !seen[host] {
			seen[host] = true
			all = append(all, host)
		}
	}
	return all
}
