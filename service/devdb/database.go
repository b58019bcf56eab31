package devdb

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Database is a running database.
type Database struct {
	Kind    Kind
	Version string   // as the server names it: "15.18", "v21.1.0"
	URLs    []string // one a region, in the topology's order; all the same on PostgreSQL and for a given URL

	nodes    []*Node
	stopOnce sync.Once
	stopErr  error
	ends     []func() error
}

// Nodes are the servers Start has started: one a region on CockroachDB, one on PostgreSQL, none for
// a given URL.
func (d *Database) Nodes() []*Node { return d.nodes }

// Stop ends what Start has started, cleanly while ctx lasts and harder after it, and frees the
// directory. Data stay, unless they were ephemeral. A second call does nothing.
func (d *Database) Stop(ctx context.Context) error {
	d.stopOnce.Do(func() {
		d.stopErr = d.stopNodes(ctx)
		for _, end := range d.ends {
			d.stopErr = errors.Join(d.stopErr, end())
		}
	})
	return d.stopErr
}

// stopNodes stops one node after the other, for a node that drains hands over to the others. Those
// left without a majority can't drain, and would try for ever; what is committed is on their disks.
func (d *Database) stopNodes(ctx context.Context) error {
	var errs []error
	majority := len(d.nodes)/2 + 1
	for i, n := range slices.Backward(d.nodes) {
		if i+1 >= majority {
			errs = append(errs, n.stop(ctx))
		} else {
			errs = append(errs, n.Kill())
		}
	}
	return errors.Join(errs...)
}

// atEnd adds what Stop does, in this order, once the nodes are down.
func (d *Database) atEnd(ends ...func() error) { d.ends = append(d.ends, ends...) }
