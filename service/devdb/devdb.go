// Package devdb finds or starts the database that `stockyard dev` and the tests use.
package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Kind is the make of a database.
type Kind string

// The databases Stockyard's SQL runs on.
const (
	CockroachDB Kind = "cockroachdb"
	PostgreSQL  Kind = "postgresql"
)

// startTimeout bounds a start whose context has no earlier deadline, so that a server that neither
// answers nor exits is reported instead of waited for. Crash recovery takes seconds.
const startTimeout = 3 * time.Minute

// Options say which database to use and where its data live.
type Options struct {
	URL       string                           // a database that already runs: it is used, nothing is started
	Dir       string                           // holds data, logs and state; needed unless URL is given
	Regions   []string                         // the topology's regions, in its order
	Log       func(format string, args ...any) // one-line progress messages for people; may be nil
	Ephemeral bool                             // data are gone after Stop; CockroachDB keeps them in memory, and soon forgets what is dropped
	Kind      Kind                             // forces one make; empty: CockroachDB where there is one
}

// Start gives a running database: the one at Options.URL, else CockroachDB with one node a region
// where a binary is found, else a private PostgreSQL. A Dir serves one Start at a time.
func Start(ctx context.Context, o Options) (*Database, error) {
	db, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
}

func start(ctx context.Context, o Options) (*Database, error) {
	if len(o.Regions) == 0 {
		return nil, errors.New("no regions given")
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Dir == "" {
		if o.URL == "" {
			return nil, errors.New("no directory given for its data")
		}
		return given(ctx, o)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	lock, err := occupy(dir)
	if err != nil {
		return nil, err
	}
	db, err := o.open(ctx)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	db.atEnd(func() error { return os.RemoveAll(statePath(dir)) }, lock.Close)
	if err := saveState(dir, db); err != nil {
		return nil, errors.Join(err, db.Stop(context.WithoutCancel(ctx)))
	}
	return db, nil
}

func (o Options) open(ctx context.Context) (*Database, error) {
	if o.URL != "" {
		return given(ctx, o)
	}
	if o.Kind == PostgreSQL {
		return startPostgres(ctx, o)
	}
	binary, found := FindCockroach()
	switch {
	case found:
		return startCockroach(ctx, o, binary)
	case binary != "":
		// Falling back would run everything on the wrong database because of a typing error.
		return nil, fmt.Errorf("COCKROACH_BINARY=%s is not an executable file", binary)
	case o.Kind == CockroachDB:
		return nil, errors.New("no COCKROACH_BINARY and no cockroach on PATH")
	}
	return startPostgres(ctx, o)
}

// given uses a database somebody else runs; asking what it is also proves that it can be reached.
func given(ctx context.Context, o Options) (*Database, error) {
	kind, version, err := identify(ctx, o.URL)
	if err != nil {
		return nil, fmt.Errorf("the given URL: %w", err)
	}
	if o.Kind != "" && o.Kind != kind {
		return nil, fmt.Errorf("the given URL is %s, wanted %s", kind, o.Kind)
	}
	return &Database{Kind: kind, Version: version, URLs: slices.Repeat([]string{o.URL}, len(o.Regions))}, nil
}
