// Command soak puts Stockyard through everything that may break, and proves that nobody was lied to:
// `make soak`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"stockyard/regions"
	"stockyard/service/devdb"
	"stockyard/service/soak/trial"
	"stockyard/service/soak/yard"
)

type settings struct {
	Duration      time.Duration `help:"How long things break, on each database." env:"SOAK" default:"10m"`
	Seed          uint64        `help:"All choices follow from it; 0: one of its own." env:"SEED"`
	On            string        `help:"postgres, cockroach or both; by default PostgreSQL, and CockroachDB where there is a binary or a cluster." env:"SOAK_ON" enum:",postgres,cockroach,both" default:""`
	CockroachURLs []string      `name:"cockroach-urls" help:"A cluster that runs already, a connection string a region: its nodes aren't killed." env:"STOCKYARD_TEST_COCKROACH_URLS"`
	Operations    int           `help:"It goes on, up to three times as long, until so many operations on hot levels were checked for linearizability." default:"100000"`
	Keep          bool          `help:"Keep logs and data."`
}

var errLies = errors.New("somebody was lied to")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second one ends it at once
	var s settings
	kong.Parse(&s, kong.Name("soak"), kong.Description("Break everything and prove that nobody was lied to."))
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func (s *settings) run(ctx context.Context) error {
	if s.Seed == 0 {
		s.Seed = uint64(time.Now().UnixNano()) % 1_000_000_000
	}
	dir, err := yard.MakeDir()
	if err != nil {
		return err
	}
	fmt.Printf("soak: seed %d, %s on %s, logs in %s\n", s.Seed, s.Duration, strings.Join(names(s.kinds()), " and "), dir)
	binary, err := yard.Build(ctx, dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, kind := range s.kinds() {
		if err := s.on(ctx, kind, dir, binary); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", kind, err))
		}
	}
	err = errors.Join(errs...)
	if s.Keep || err != nil && ctx.Err() == nil {
		fmt.Println("soak: logs and data are kept in", dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// kinds are the databases that were asked for, or that there are.
func (s *settings) kinds() []devdb.Kind {
	switch s.On {
	case "postgres":
		return []devdb.Kind{devdb.PostgreSQL}
	case "cockroach":
		return []devdb.Kind{devdb.CockroachDB}
	case "both":
		return []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB}
	}
	if binary, _ := devdb.FindCockroach(); binary != "" || len(s.CockroachURLs) > 0 {
		return []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB}
	}
	return []devdb.Kind{devdb.PostgreSQL}
}

func names(kinds []devdb.Kind) (names []string) {
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return names
}

func (s *settings) on(ctx context.Context, kind devdb.Kind, dir, binary string) (err error) {
	topology, err := regions.Default()
	if err != nil {
		return err
	}
	o := s.options(kind)
	o.Yard.Dir, o.Yard.Binary, o.Yard.Topology = dir, binary, topology
	if found, _ := devdb.FindCockroach(); kind == devdb.CockroachDB && found == "" {
		urls, drop, failed := devdb.Fresh(ctx, s.CockroachURLs)
		if failed != nil {
			return failed
		}
		o.Yard.URLs = urls
		defer func() { err = errors.Join(err, drop()) }()
	}
	report, err := trial.Run(ctx, o)
	if report == nil {
		return err
	}
	report.Print(os.Stdout)
	if len(report.Lies) > 0 {
		return errors.Join(err, errLies)
	}
	return err
}

func (s *settings) options(kind devdb.Kind) trial.Options {
	log := func(format string, args ...any) { fmt.Printf("soak: "+format+"\n", args...) }
	o := trial.Options{
		Yard: yard.Options{Kind: kind, Pods: 3, Slots: 9, DrainDelay: time.Second, Log: log},
		Seed: s.Seed, Duration: s.Duration, Phases: max(1, min(5, int(s.Duration/time.Minute))), Operations: s.Operations,
		Shoppers: 16, Levels: 6, Probers: 8, History: 1000, Hot: 6, Cold: 100,
		Pace: 2 * time.Second, Patience: 4 * time.Second, Rounds: 3, Log: log,
	}
	if kind == devdb.CockroachDB {
		// A node that dies is missed for ten seconds. Whoever gives up before only makes more work.
		o.Pace, o.Patience, o.Levels = 12*time.Second, 12*time.Second, 20
	}
	return o
}
