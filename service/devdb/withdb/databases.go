package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stockyard/regions"
	"stockyard/service/devdb"
)

// databases are what a command runs beside.
type databases struct {
	dir                 string
	postgres, cockroach *devdb.Database
	env                 []string // for the command
}

// start gives PostgreSQL always, CockroachDB where there is a binary. One that is there and does
// not start is an error: passing without it would look like a pass on both.
func (d *databases) start(ctx context.Context) error {
	topology, err := regions.Default()
	if err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "stockyard-test-"); err != nil {
		return err
	}
	// The user that runs PostgreSQL for root must be able to pass.
	if err := os.Chmod(d.dir, 0o711); err != nil {
		return err
	}
	open := func(kind devdb.Kind) (*devdb.Database, error) {
		return devdb.Start(ctx, devdb.Options{
			Kind: kind, Dir: filepath.Join(d.dir, string(kind)), Regions: topology.Names(), Ephemeral: true,
			Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, "withdb: "+format+"\n", args...) },
		})
	}
	if d.postgres, err = open(devdb.PostgreSQL); err != nil {
		return err
	}
	d.env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, postgresEnv+"=") || strings.HasPrefix(v, cockroachEnv+"=")
	})
	d.env = append(d.env, postgresEnv+"="+d.postgres.URLs[0])
	if binary, _ := devdb.FindCockroach(); binary == "" {
		return nil
	}
	if d.cockroach, err = open(devdb.CockroachDB); err != nil {
		return err
	}
	d.env = append(d.env, cockroachEnv+"="+strings.Join(d.cockroach.URLs, ","))
	return nil
}

func (d *databases) stop() error {
	var errs []error
	for _, db := range []*devdb.Database{d.cockroach, d.postgres} {
		if db != nil {
			errs = append(errs, db.Stop(context.Background()))
		}
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

// summary says which databases the command had, and what else tests are skipped without.
func (d *databases) summary() string {
	s := "databases: PostgreSQL " + d.postgres.Version + ": yes; CockroachDB"
	if d.cockroach == nil {
		s += ": NO (no COCKROACH_BINARY, no cockroach on PATH): its tests were skipped"
	} else {
		s = fmt.Sprintf("%s %s: yes, %d nodes", s, d.cockroach.Version, len(d.cockroach.URLs))
	}
	if !devdb.Installed("haproxy") {
		s += "; HAProxy: NO: tests behind it were skipped, if there were any"
	}
	return s
}
