package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// databaseName is the one Stockyard uses on the servers started here.
const databaseName = "stockyard"

// postgresFarewell is a fast shutdown (sessions are ended), an immediate one, and force.
var postgresFarewell = []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}

// postgres is how to run the server of one private cluster.
type postgres struct {
	install  postgresInstall
	dataDir  string
	owner    *account // whom to run as; nil: ourselves
	password string
	logPath  string
}

// startPostgres runs the private cluster of o.Dir, made at the first start.
func startPostgres(ctx context.Context, o Options) (*Database, error) {
	installs, err := findOrInstallPostgres(ctx, o.Log)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p, err := openCluster(ctx, o, installs)
	if err != nil {
		return nil, err
	}
	if err := p.evictLeftover(ctx); err != nil {
		return nil, err
	}
	port, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	o.Log("starting PostgreSQL %s on port %d, data in %s", p.install.version, port[0], p.dataDir)
	return p.serve(ctx, o, port[0])
}

// serve runs the cluster's server and makes sure that it has the database.
func (p *postgres) serve(ctx context.Context, o Options, port int) (*Database, error) {
	url := p.url(port, databaseName)
	start := func(ctx context.Context) (*process, error) { return p.start(ctx, port) }
	proc, err := start(ctx)
	if err != nil {
		return nil, err
	}
	db := &Database{
		Kind: PostgreSQL, Version: p.install.version,
		URLs: slices.Repeat([]string{url}, len(o.Regions)),
		nodes: []*Node{{
			Region: o.Regions[0], URL: url, start: start, farewell: postgresFarewell, proc: proc,
		}},
	}
	if o.Ephemeral {
		db.atEnd(func() error { return os.RemoveAll(p.dataDir) })
	}
	if err := createDatabase(ctx, p.url(port, superuser)); err != nil {
		return nil, errors.Join(err, db.Stop(context.WithoutCancel(ctx)))
	}
	return db, nil
}

func (p *postgres) url(port int, database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", superuser, p.password, loopback(port), database)
}

func createDatabase(ctx context.Context, url string) error {
	return withConn(ctx, url, func(c *pgx.Conn) error {
		var exists bool
		err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", databaseName).Scan(&exists)
		if err != nil || exists {
			return err
		}
		_, err = c.Exec(ctx, "CREATE DATABASE "+databaseName)
		return err
	})
}
