package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"stockyard/service/devdb"
)

// options of the command; Full changes the defaults of those that are left at zero. bench.json has
// them, but for connection strings and what is this machine's alone.
type options struct {
	Full         bool          `help:"Longer and finer: clients 1,4,16,64,128,256, 5 rounds of 10s each." json:"full"`
	Clients      []int         `help:"How many at once, a column each; 1,16,64,128,256 where none is given." placeholder:"N,..." json:"clients"`
	Pattern      []string      `help:"hot: everybody wants the same stock level. uniform: each level is as likely as any other." enum:"hot,uniform" default:"hot,uniform" json:"pattern"`
	Way          []string      `help:"Ways to reserve; all where none is given: rest, grpc, statement, transaction." placeholder:"NAME,..." json:"way"`
	Rounds       int           `help:"How often everything is measured; medians are told. 3 where it isn't given." placeholder:"N" json:"rounds"`
	Duration     time.Duration `help:"How long each measurement takes; 2s where it isn't given." placeholder:"DURATION" json:"duration_ns"`
	Warmup       time.Duration `help:"How long it runs before it is measured." default:"1s" json:"warmup_ns"`
	SKUs         int           `name:"skus" help:"Stock levels of the uniform pattern." default:"10000" json:"skus"`
	Levels       []int64       `help:"Also measure uniform reservations with so many stock levels in the database, preloaded; the ratios are to the first." placeholder:"N,..." json:"levels,omitempty"`
	Events       []int64       `help:"Also measure uniform reservations with so many events in the ledger, preloaded at --event-levels levels; the ratios are to the first." placeholder:"N,..." json:"events,omitempty"`
	EventLevels  int64         `help:"Stock levels of --events." default:"100000" json:"event_levels"`
	SizeClients  int           `help:"Clients of --levels and --events." default:"128" json:"size_clients"`
	On           []devdb.Kind  `help:"postgresql, cockroachdb; what there is where none is given." placeholder:"NAME,..." json:"on,omitempty"`
	PostgresURL  string        `help:"A PostgreSQL that runs already, instead of one that is started; a database is made in it, and dropped." env:"STOCKYARD_TEST_POSTGRES_URL" placeholder:"URL" json:"-"`
	CockroachURL []string      `help:"The same for CockroachDB; the first node is spoken to." env:"STOCKYARD_TEST_COCKROACH_URLS" placeholder:"URL,..." json:"-"`
	Binary       string        `help:"Stockyard's binary; it is built where none is given." placeholder:"FILE" json:"-"`
	PgBench      string        `name:"pgbench" help:"pgbench; looked for where it isn't given." placeholder:"FILE" json:"-"`
	Verify       bool          `help:"Have 'stockyard verify' check the books in the end." default:"true" negatable:"" json:"verify"`
	Out          string        `help:"Directory for bench.txt, bench.json and the charts." placeholder:"DIR" json:"-"`
}

// settle fills in defaults and names every flag that is wrong.
func (o *options) settle() error {
	quick := []int{1, 16, 64, 128, 256}
	rounds, duration := 3, 2*time.Second
	if o.Full {
		quick, rounds, duration = []int{1, 4, 16, 64, 128, 256}, 5, 10*time.Second
	}
	if len(o.Clients) == 0 {
		o.Clients = quick
	}
	if o.Rounds == 0 {
		o.Rounds = rounds
	}
	if o.Duration == 0 {
		o.Duration = duration
	}
	if o.Out == "" {
		o.Out = filepath.Join(os.TempDir(), "stockyard-bench-"+time.Now().Format("20060102-150405"))
	}
	if len(o.Way) == 0 {
		for _, w := range ways {
			o.Way = append(o.Way, w.name)
		}
	}
	slices.Sort(o.Clients)
	o.Clients = slices.Compact(o.Clients)
	return o.check()
}

func (o *options) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, n := range append([]int{o.SizeClients}, o.Clients...) {
		if n < 1 || n > 1024 {
			wrong("--clients, --size-clients %d: want 1 to 1024", n)
		}
	}
	for _, name := range o.Way {
		if _, known := findWay(name); !known {
			wrong("--way %q: there is %s", name, strings.Join(wayNames(), ", "))
		}
	}
	for _, kind := range o.On {
		if kind != devdb.PostgreSQL && kind != devdb.CockroachDB {
			wrong("--on %q: want %s or %s", kind, devdb.PostgreSQL, devdb.CockroachDB)
		}
	}
	if o.Rounds < 1 || o.Rounds > 100 {
		wrong("--rounds %d: want 1 to 100", o.Rounds)
	}
	if o.Duration < 500*time.Millisecond || o.Duration > time.Hour {
		wrong("--duration %s: want 500ms to 1h", o.Duration)
	}
	if o.Warmup < 0 || o.Warmup > time.Hour {
		wrong("--warmup %s: want 0s to 1h", o.Warmup)
	}
	for flag, n := range map[string]int64{"--skus": int64(o.SKUs), "--event-levels": o.EventLevels} {
		if n < 1 || n > maxRows {
			wrong("%s %d: want 1 to %d", flag, n, int64(maxRows))
		}
	}
	for _, n := range o.Levels {
		if n < 2 || n > maxRows {
			wrong("--levels %d: want 2 to %d", n, int64(maxRows))
		}
	}
	for _, n := range o.Events {
		if n < o.EventLevels || n > maxRows {
			wrong("--events %d: want at least one for each of --event-levels %d, and %d at most", n, o.EventLevels, int64(maxRows))
		}
	}
	return errors.Join(errs...)
}

const maxRows = 1_000_000_000

// kinds are the databases to run on: those asked for, or what there is.
func (o *options) kinds() []devdb.Kind {
	if len(o.On) > 0 {
		return o.On
	}
	kinds := []devdb.Kind{devdb.PostgreSQL}
	if _, found := devdb.FindCockroach(); found || len(o.CockroachURL) > 0 {
		kinds = append(kinds, devdb.CockroachDB)
	}
	return kinds
}

// takes is about how long one database takes.
func (o *options) takes() time.Duration {
	const between = 700 * time.Millisecond // starting, stopping, counting
	runs := o.Rounds * (len(o.Way)*len(o.Pattern)*len(o.Clients) + 2)
	return time.Duration(runs) * (o.Warmup + o.Duration + between)
}
