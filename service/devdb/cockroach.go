package devdb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// cockroachFarewell lets a node drain, then ends it; its storage survives either.
var cockroachFarewell = []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}

// FindCockroach gives the CockroachDB binary: COCKROACH_BINARY, or cockroach on PATH. Where
// COCKROACH_BINARY names something that can't be run, it gives that name and false.
func FindCockroach() (path string, ok bool) {
	if named := os.Getenv("COCKROACH_BINARY"); named != "" {
		found, err := exec.LookPath(named)
		if err != nil {
			return named, false
		}
		path, err = filepath.Abs(found)
		return path, err == nil
	}
	path, err := exec.LookPath("cockroach")
	return path, err == nil
}

// cockroach is how to run a cluster of one node a region.
type cockroach struct {
	binary    string
	dir       string
	regions   []string
	ports     []nodePorts
	ephemeral bool
}

// startCockroach runs the cluster of o.Dir, made at the first start.
func startCockroach(ctx context.Context, o Options, binary string) (*Database, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c := &cockroach{binary: binary, dir: filepath.Join(o.Dir, "cockroach"), regions: o.Regions, ephemeral: o.Ephemeral}
	if err := c.evictLeftovers(ctx); err != nil {
		return nil, err
	}
	var err error
	if c.ports, err = choosePorts(c.dir, len(c.regions)); err != nil {
		return nil, err
	}
	o.Log("starting CockroachDB, a node for each of %s, data in %s", strings.Join(c.regions, ", "), c.dir)
	db := &Database{Kind: CockroachDB}
	if o.Ephemeral {
		db.atEnd(func() error { return os.RemoveAll(c.dir) })
	}
	if err := c.bringUp(ctx, db); err != nil {
		return nil, errors.Join(err, db.Stop(context.WithoutCancel(ctx)))
	}
	return db, nil
}

// bringUp starts all nodes before it waits for any: none answers before most of them are there. One
// that ends meanwhile ends the wait for all.
func (c *cockroach) bringUp(ctx context.Context, db *Database) error {
	for i, region := range c.regions {
		proc, err := c.launch(i)
		if err != nil {
			return err
		}
		var release func()
		ctx, release = proc.whileAlive(ctx)
		defer release()
		db.URLs = append(db.URLs, c.url(i, databaseName))
		db.nodes = append(db.nodes, &Node{
			Region: region, URL: c.url(i, databaseName), farewell: cockroachFarewell, proc: proc,
			start: func(ctx context.Context) (*process, error) { return c.restart(ctx, i) },
		})
	}
	if err := c.makeWhole(ctx, db.nodes); err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, ctx.Err()) {
			return cause // a node that ended, rather than what that made fail here
		}
		return err
	}
	var err error
	_, db.Version, err = identify(ctx, db.URLs[0])
	return err
}

// makeWhole makes the nodes one cluster that has the database and survives the loss of a node.
func (c *cockroach) makeWhole(ctx context.Context, nodes []*Node) error {
	if err := c.initialise(ctx); err != nil {
		return err
	}
	for i, n := range nodes {
		if err := n.proc.answers(ctx, c.url(i, "defaultdb")); err != nil {
			return err
		}
	}
	if err := c.awaitWhole(ctx); err != nil {
		return err
	}
	statements := []string{
		"CREATE DATABASE IF NOT EXISTS " + databaseName,
		"SET CLUSTER SETTING kv.rangefeed.enabled = true", // the change feed needs it
	}
	if c.ephemeral {
		statements = append(statements, forgetSoon...)
	}
	return execute(ctx, c.url(0, "defaultdb"), statements...)
}

// forgetSoon is of what CockroachDB's documents set where databases are made and dropped all the time
// (local-testing); not that jobs are forgotten after 15 s, which a busy cluster waits for longer. By
// default tables that were dropped are there for 25 hours: each change of a schema goes to every node
// with the descriptors of all of them, and is compared with all their ranges, which takes half of the
// nodes' time once there are some fifty such databases.
var forgetSoon = []string{
	"ALTER RANGE default CONFIGURE ZONE USING gc.ttlseconds = 600",
	"ALTER DATABASE system CONFIGURE ZONE USING gc.ttlseconds = 600",
	"SET CLUSTER SETTING kv.range_merge.queue_interval = '50ms'",
}

func (c *cockroach) restart(ctx context.Context, node int) (*process, error) {
	proc, err := c.launch(node)
	if err != nil {
		return nil, err
	}
	if err := proc.answers(ctx, c.url(node, databaseName)); err != nil {
		return nil, errors.Join(err, proc.end(context.WithoutCancel(ctx), cockroachFarewell...))
	}
	return proc, nil
}
