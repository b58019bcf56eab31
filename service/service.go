// Package service holds Stockyard's use cases, one a file, behind every door: REST, gRPC,
// connectors and workers. All stock commands go one way: Service.submit puts them on a lane, and
// the lane's batch is read, decided and written in one transaction.
package service

import (
	"context"
	"crypto/rand"
	"hash/fnv"
	"sync"
	"time"

	"stockyard/regions"
	"stockyard/service/auth"
	"stockyard/service/cache"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Limits of the public contract.
const (
	MaxLines      = 1000 // lines of a command
	MaxCommands   = 1000 // commands of a batch
	MaxGroupLines = 10_000
	MaxSKUs       = 500 // SKUs of an availability query
)

// Options of a service. Zero values mean the defaults named here.
type Options struct {
	Region     string // the gateway region: where this pod runs
	Topology   *regions.Topology
	Lanes      int           // 2: transactions at once
	BatchSize  int           // 256: commands in one transaction
	QueueSize  int           // 1024: commands waiting in one lane
	TxTimeout  time.Duration // 15s: a lease that moves after a node died takes 12
	RateLimit  int           // requests a second of one principal; 0: no bound
	InFlight   int           // 4096: requests at once
	Watchers   int           // 10000: readers of the change feed at once
	Webhooks   WebhookOptions
	Observer   Observer
	Cache      *cache.Cache // the memory for cached reads; nil: they are strong
	OnInternal func(error)  // told of failures that clients only see as "internal"; most are a *Failure
	OnTrouble  func(error)  // told of failures that no client sees
}

// Observer is told what the lanes do. It is called from many goroutines.
type Observer interface {
	// Batched: a transaction of so many commands took so long.
	Batched(commands int, took time.Duration)
	// Decided: a command of an operation ended with a result: accepted, refused, replayed, failed.
	Decided(operation, result string)
}

// Service runs the use cases on one store. It keeps no state that another pod would need.
type Service struct {
	store      *store.Store
	options    Options
	places     *places
	levelReads gathering[inventory.LevelKey, answered[inventory.Level]]
	skuReads   gathering[skuRead, answered[[]inventory.Level]]
	keys       recentKeys
	verifying  sync.Mutex
	reporting  chan struct{} // has room for the reports that may run at once
	denials    *denials
	limits     limits
	lanes      []*lane
	imports    imports
	stopping   chan struct{}
	stopOnce   sync.Once
}

// New starts a service's lanes; Close stops them.
func New(st *store.Store, o Options) *Service {
	// A transaction costs, before its first command, as much as five or six more commands in it on
	// PostgreSQL, and twenty to thirty on CockroachDB: more lanes make more of them, with fewer commands
	// each. One alone would leave the pod idle while the database works, and all commands behind one
	// slow transaction.
	o.Lanes = orDefault(o.Lanes, 2)
	o.BatchSize = orDefault(o.BatchSize, 256)
	o.QueueSize = orDefault(o.QueueSize, 1024)
	o.InFlight = orDefault(o.InFlight, 4096)
	o.Watchers = orDefault(o.Watchers, 10_000)
	if o.TxTimeout == 0 {
		o.TxTimeout = 15 * time.Second
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.OnInternal == nil {
		o.OnInternal = func(error) {}
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(error) {}
	}
	s := &Service{
		store: st, options: o, places: newPlaces(st), stopping: make(chan struct{}),
		reporting: make(chan struct{}, maxReports),
		denials:   newDenials(st, o.Region, o.OnTrouble), imports: newImports(max(1, o.Lanes/2)),
	}
	s.limits.perSecond, s.limits.requests.most, s.limits.watchers.most = o.RateLimit, int64(o.InFlight), int64(o.Watchers)
	for range o.Lanes {
		l := &lane{service: s, queue: make(chan *job, o.QueueSize), done: make(chan struct{})}
		s.lanes = append(s.lanes, l)
		go l.run()
	}
	return s
}

// Close takes no more commands, finishes those that wait, and returns when the lanes are still and
// nothing is read in the background.
func (s *Service) Close() {
	first := false
	s.stopOnce.Do(func() {
		first = true
		close(s.stopping)
	})
	for _, l := range s.lanes {
		<-l.done
	}
	if first {
		s.denials.close()
		s.places.close()
	}
}

// Region is the gateway region.
func (s *Service) Region() string { return s.options.Region }

// Topology says which regions there are.
func (s *Service) Topology() *regions.Topology { return s.options.Topology }

// QueueDepth is how many commands wait in all lanes.
func (s *Service) QueueDepth() (waiting int) {
	for _, l := range s.lanes {
		waiting += len(l.queue)
	}
	return waiting
}

// InFlight is how many requests are being dealt with, watchers of the feed not among them.
func (s *Service) InFlight() int { return int(s.limits.requests.running.Load()) }

// Caller says who asks, under which idempotency key, and how.
type Caller struct {
	Principal auth.Principal
	RequestID string
	// Key is the idempotency key; "" only for dry runs and for commands that by their nature take
	// effect once.
	Key    string
	DryRun bool
}

// Outcome of a command that was accepted.
type Outcome struct {
	inventory.Answer
	Replayed bool // it was accepted before, under the same key
	// FirstRequest is the id of the request that it was first answered to, where this is a repeat.
	FirstRequest string
}

// submit runs a command on the lane of its stock level and waits for its outcome. home is where
// the key lives: it follows from the command's input alone, so that a repeat finds it from any
// region. Errors: *inventory.Refusal, ErrKeyReused, ErrOverloaded, ErrUnavailable,
// ErrOutcomeUnknown, or the context's.
func (s *Service) submit(ctx context.Context, caller Caller, c task) (Outcome, error) {
	keyed := caller.Key != "" && !caller.DryRun
	if keyed && s.keys.reused(caller.Key, c.hash) {
		return Outcome{}, ErrKeyReused
	}
	lane := int(c.lane) % len(s.lanes)
	j := &job{
		task: c, caller: caller, gateway: s.options.Region, shard: lane % store.AuditShards,
		ctx: ctx, done: make(chan result, 1), traced: newTraced(ctx),
	}
	l := s.lanes[lane]
	select {
	case <-s.stopping:
		return Outcome{}, ErrUnavailable
	default:
	}
	select {
	case l.queue <- j:
	default:
		return Outcome{}, ErrOverloaded
	}
	select {
	case r := <-j.done:
		if keyed && r.isKept() {
			s.keys.remember(caller.Key, c.hash)
		}
		return r.outcome, r.err
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	case <-l.done: // the lane ended between the check above and the queue
		select {
		case r := <-j.done:
			return r.outcome, r.err
		default:
			return Outcome{}, ErrUnavailable
		}
	}
}

// task is a command on its way to a lane.
type task struct {
	command   inventory.Command
	operation string
	home      string   // region of the key
	id        [16]byte // what its events carry; of a reservation, the answer says
	hash      []byte
	lane      uint16
	why       inventory.Meta // reason and reference, for the audit log
	under     *store.Lease   // what a worker's command was begun under; nil for others
	// barred is why the catalogue of today doesn't allow the command. It may have been accepted
	// before, under its key, which is looked up first.
	barred *inventory.Refusal
}

func hashLane(s string) uint16 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return uint16(h.Sum32())
}

// random gives 16 bytes for an id: chance, but for the time in milliseconds from the second byte to
// the seventh, so that rows made together lie together.
func random() (b [16]byte) {
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	ms := uint64(time.Now().UnixMilli())
	for i := range 6 {
		b[1+i] = byte(ms >> (8 * (5 - i)))
	}
	return b
}

func orDefault(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

type unobserved struct{}

func (unobserved) Batched(int, time.Duration) {}
func (unobserved) Decided(string, string)     {}
