// Package dev runs all of Stockyard on one machine, for those who try it or build on it: a
// database, and a pod in each region as a process of its own, so that one can be cut off.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"stockyard/regions"
	"stockyard/service/devdb"
	"stockyard/service/store"
)

// Options of a development system.
type Options struct {
	DataDir     string
	DatabaseURL string // "" starts one
	Topology    *regions.Topology
	// TopologyFile is handed to the pods; "" is the embedded one.
	TopologyFile string
	// Port is that of the first region's pod; the others follow.
	Port int
	Out  io.Writer
}

// DefaultPort is where the first region's pod listens unless told otherwise.
const DefaultPort = 8081

// Targets are the base URLs of the pods, in the topology's order.
func Targets(t *regions.Topology, port int) []string {
	targets := make([]string, len(t.Regions))
	for i := range t.Regions {
		targets[i] = "http://" + address(port, i)
	}
	return targets
}

func address(port, i int) string { return fmt.Sprintf("127.0.0.1:%d", port+i) }

// grpcOffset lies between the ports of a pod's REST and gRPC APIs.
const grpcOffset = 1000

// GRPCTargets are the addresses of the pods' gRPC API, in the topology's order.
func GRPCTargets(t *regions.Topology, port int) []string {
	targets := make([]string, len(t.Regions))
	for i := range t.Regions {
		targets[i] = address(port+grpcOffset, i)
	}
	return targets
}

// Run runs the system until the context ends, or every pod has.
func Run(ctx context.Context, o Options) (err error) {
	if err := portsAreFree(o); err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }
	db, err := devdb.Start(ctx, devdb.Options{URL: o.DatabaseURL, Dir: o.DataDir, Regions: o.Topology.Names(), Log: say})
	if err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		say("stopping the database")
		err = errors.Join(err, db.Stop(stopping))
	}()
	if err := migrate(ctx, db.URLs[0], o.Topology); err != nil {
		return err
	}
	keys, err := secretKeys(o.DataDir)
	if err != nil {
		return err
	}
	pods, err := startPods(o, db, keys)
	defer func() {
		for _, p := range pods {
			err = errors.Join(err, p.stop())
		}
	}()
	if err != nil {
		return err
	}
	err = untilReady(ctx, pods)
	if err == nil {
		err = loadDemo(ctx, Targets(o.Topology, o.Port))
	}
	if ctx.Err() != nil { // Ctrl-C during the start is no failure
		return nil
	}
	if err != nil {
		return err
	}
	welcome(o, db)
	watch(ctx, pods, say)
	return nil
}

// portsAreFree finds out before anything is started: else a pod of another system would answer in
// place of ours.
func portsAreFree(o Options) error {
	for i := range o.Topology.Regions {
		for _, at := range []string{address(o.Port, i), address(o.Port+grpcOffset, i)} {
			l, err := net.Listen("tcp", at)
			if err != nil {
				return fmt.Errorf("address %s is taken: is another `stockyard dev` running? Another --port may be free", at)
			}
			if err := l.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

func migrate(ctx context.Context, url string, t *regions.Topology) error {
	st, err := store.Open(ctx, store.Options{URL: url, Regions: t.Names(), MaxConns: 2})
	if err != nil {
		return err
	}
	defer st.Close()
	_, err = st.Migrate(ctx)
	return err
}

// startPods gives each region's pod its own node of the database first, and the others for when
// that one is gone.
func startPods(o Options, db *devdb.Database, keys string) (pods []*podProcess, err error) {
	for i, region := range o.Topology.Regions {
		p, err := startPod(podOptions{
			region: region.Name, address: address(o.Port, i), grpc: address(o.Port+grpcOffset, i), topology: o.TopologyFile,
			databaseURL: preferring(db.URLs, i), secretKeys: keys, logDir: o.DataDir,
		})
		if err != nil {
			return pods, err
		}
		pods = append(pods, p)
	}
	return pods, nil
}

// preferring joins connection strings into one that tries host i first.
func preferring(urls []string, i int) string {
	first, err := url.Parse(urls[i])
	if err != nil {
		return urls[i]
	}
	hosts := []string{first.Host}
	for j, raw := range urls {
		if u, err := url.Parse(raw); err == nil && j != i && u.Host != first.Host {
			hosts = append(hosts, u.Host)
		}
	}
	first.Host = strings.Join(hosts, ",")
	return first.String()
}

func untilReady(ctx context.Context, pods []*podProcess) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, p := range pods {
		for !isReady(ctx, p.url) {
			select {
			case <-p.exited:
				return fmt.Errorf("the pod of %s ended while starting; see %s", p.region, p.log)
			case <-ctx.Done():
				return fmt.Errorf("the pod of %s does not become ready; see %s", p.region, p.log)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}

func isReady(ctx context.Context, base string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// watch tells of pods that end. They stay away: whoever cuts a region off wants to see the others
// go on.
func watch(ctx context.Context, pods []*podProcess, say func(string, ...any)) {
	ended := make(chan *podProcess)
	for _, p := range pods {
		go func() {
			<-p.exited
			select {
			case ended <- p:
			case <-ctx.Done():
			}
		}()
	}
	for left := len(pods); left > 0; left-- {
		select {
		case <-ctx.Done():
			return
		case p := <-ended:
			say("the pod of %s has ended (%v); %d go on. Its log: %s", p.region, p.err, left-1, p.log)
		}
	}
}
