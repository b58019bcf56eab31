package devdb

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// replicas is how many copies CockroachDB keeps of a range.
const replicas = 3

// initialise makes the nodes a cluster. It is asked for at each start and refused by a cluster that
// is one, so an interrupted first start needs no memory of its own.
func (c *cockroach) initialise(ctx context.Context) error {
	for {
		cmd := exec.CommandContext(ctx, c.binary, "init", "--insecure", "--host="+loopback(c.ports[0].SQL))
		cmd.Env = cockroachEnv()
		out, err := cmd.CombinedOutput()
		if err == nil || strings.Contains(string(out), "already been initialized") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cockroach init: %w: %s", err, out)
		case <-time.After(pollPause):
		}
	}
}

// awaitWhole waits until every node is known to the cluster (before, its region looks as if it did
// not exist) and every range has its replicas (before, losing one node may lose them all).
func (c *cockroach) awaitWhole(ctx context.Context) error {
	return withConn(ctx, c.url(0, "defaultdb"), func(conn *pgx.Conn) error {
		// Newer servers show ranges only to those who ask for it; older ones don't know the setting.
		_, _ = conn.Exec(ctx, "SET allow_unsafe_internals = true")
		for {
			missing, err := c.missing(ctx, conn)
			if missing == "" || err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("the cluster is not whole, %s: %w", missing, ctx.Err())
			case <-time.After(pollPause):
			}
		}
	})
}

// missing says what the cluster still lacks, "" once it is whole.
func (c *cockroach) missing(ctx context.Context, conn *pgx.Conn) (string, error) {
	rows, err := conn.Query(ctx, "SELECT region FROM [SHOW REGIONS FROM CLUSTER]")
	if err != nil {
		return "", err
	}
	seen, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", err
	}
	for _, r := range c.regions {
		if !slices.Contains(seen, r) {
			return "no node in " + r, nil
		}
	}
	var thin int
	err = conn.QueryRow(ctx, "SELECT count(*) FROM crdb_internal.ranges_no_leases WHERE array_length(replicas, 1) < $1",
		min(replicas, len(c.regions))).Scan(&thin)
	if err != nil || thin == 0 {
		return "", err
	}
	return fmt.Sprintf("%d ranges lack replicas", thin), nil
}
