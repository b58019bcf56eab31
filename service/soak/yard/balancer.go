package yard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// probeEvery is how often a balancer asks pods whether they are ready.
const probeEvery = 250 * time.Millisecond

// Balancer spreads requests over the ready pods of a region, in turn, as a service of Kubernetes
// does. It takes a pod out when it says that it isn't ready or can't be reached; a request that never
// got to a pod goes to the next one. One that may have got there is answered 502, and no more.
type Balancer struct {
	URL string

	pods     func() []*Pod
	server   *http.Server
	client   *http.Client
	turn     atomic.Uint64
	stopping context.CancelFunc
	probes   sync.WaitGroup

	mu  sync.Mutex
	out map[*Pod]bool

	// Figures.
	Refused atomic.Int64 // connections that pods refused: their requests went elsewhere
	Broken  atomic.Int64 // connections that broke before the answer: 502
}

// NewBalancer starts a balancer over those of the yard's pods that a region has; "" for all.
func (y *Yard) NewBalancer(ctx context.Context, region string) (*Balancer, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	b := &Balancer{
		URL: "http://" + listener.Addr().String(), stopping: stop, out: map[*Pod]bool{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}},
		pods: func() []*Pod {
			return slices.DeleteFunc(y.Pods(), func(p *Pod) bool { return region != "" && p.Region != region })
		},
	}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = b.server.Serve(listener) }() // ends with Close
	b.probes.Go(func() { b.probe(ctx) })
	return b, nil
}

// Close ends the balancer.
func (b *Balancer) Close() {
	b.stopping()
	b.probes.Wait()
	_ = b.server.Close()
	b.client.CloseIdleConnections()
}

func (b *Balancer) probe(ctx context.Context) {
	for ctx.Err() == nil {
		var asked sync.WaitGroup
		for _, p := range b.pods() {
			asked.Go(func() { b.set(p, !p.IsReady(ctx)) })
		}
		asked.Wait()
		rest(ctx, probeEvery)
	}
}

func (b *Balancer) set(p *Pod, out bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out[p] = out
}

// next is the pod whose turn it is; where none is ready, one that should be.
func (b *Balancer) next(but map[*Pod]bool) *Pod {
	pods := slices.DeleteFunc(b.pods(), func(p *Pod) bool { return but[p] })
	if len(pods) == 0 {
		return nil
	}
	turn := int(b.turn.Add(1))
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range pods {
		if p := pods[(turn+i)%len(pods)]; !b.out[p] {
			return p
		}
	}
	return pods[turn%len(pods)]
}

func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	tried := map[*Pod]bool{}
	for p := b.next(tried); p != nil; p = b.next(tried) {
		tried[p] = true
		answer, err := b.send(r, p, body)
		var dial *net.OpError
		switch {
		case err == nil:
			answer.pass(w)
			return
		case errors.As(err, &dial) && dial.Op == "dial":
			b.Refused.Add(1)
			b.set(p, true)
			continue
		}
		b.Broken.Add(1)
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusBadGateway)
}

// answer is a whole one: a connection that breaks in the middle gives none.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (b *Balancer) send(r *http.Request, p *Pod, body []byte) (a answer, err error) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, p.URL()+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	out.Header = r.Header.Clone()
	response, err := b.client.Do(out)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a.status, a.header = response.StatusCode, response.Header
	a.body, err = io.ReadAll(response.Body)
	return a, err
}

func (a answer) pass(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller may have gone
}
