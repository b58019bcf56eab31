package store

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Names of the databases.
const (
	cockroachdb = "cockroachdb"
	postgresql  = "postgresql"
)

// dialect is what differs between the two databases, chosen once from version().
type dialect struct {
	name      string
	version   string
	cockroach bool
	// session sets up each connection.
	session string
	// snapshot begins a read-only transaction that sees one moment and takes no locks.
	snapshot string
	// followerRead begins one that sees the newest moment that every replica can tell of; "": none does.
	followerRead string
	// report sets up a connection that a report has for itself.
	report string
	feed   feedOf
}

// followerAge is how far back replicas follow: what CockroachDB's follower_read_timestamp() is by its
// default settings, which takes a licence to ask for before v22.2.
const followerAge = 4800 * time.Millisecond

var releaseNumber = regexp.MustCompile(`\bv(\d+)\.(\d+)`)

// before says whether a CockroachDB's version() is of a release before another. One that has no number is of none.
func before(version string, major, minor int) bool {
	found := releaseNumber.FindStringSubmatch(version)
	if found == nil {
		return false
	}
	x, errX := strconv.Atoi(found[1])
	y, errY := strconv.Atoi(found[2])
	return errX == nil && errY == nil && (x < major || x == major && y < minor)
}

func dialectOf(version string) *dialect {
	if strings.Contains(version, "CockroachDB") {
		return &dialect{
			name:      cockroachdb,
			version:   version,
			cockroach: true,
			// A pod that vanished behind a cut cable must not keep its rows locked.
			session: `SET default_transaction_isolation = 'serializable';
				SET idle_in_transaction_session_timeout = '20s';
				SET statement_timeout = '60s';
				SET distsql = 'off'`, // a few rows by key: sending flows to other nodes only adds to it
			// A moment in the past needs no locks and meets no writer; the
			// nodes' clocks being as near as they are, it is as good as now.
			snapshot:     `BEGIN AS OF SYSTEM TIME '-1us'`,
			followerRead: fmt.Sprintf(`BEGIN AS OF SYSTEM TIME '-%dms'`, followerAge.Milliseconds()),
			report:       `SET distsql = 'auto'`, // many rows are best added up where they are
			feed:         changefeed{},
		}
	}
	return &dialect{
		name:    postgresql,
		version: version,
		// Every write asks for a serializable transaction; reads are single statements, which
		// see one snapshot at any isolation, and as read committed ones keep no predicate locks
		// that would abort writers. Generic plans: the statements look rows up by key whatever
		// the values, and planning them each time costs more than running them. Without the
		// scans switched off, plans made while tables are small would read them whole.
		session: `SET default_transaction_isolation = 'read committed';
			SET idle_in_transaction_session_timeout = '20s';
			SET statement_timeout = '60s';
			SET plan_cache_mode = 'force_generic_plan';
			SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
			SET jit = off; SET TimeZone = 'UTC'`,
		// Whoever verifies takes his time, on one processor: the tills need the others.
		snapshot: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
			SET LOCAL statement_timeout = 0;
			SET LOCAL max_parallel_workers_per_gather = 0;
			SET LOCAL plan_cache_mode = 'auto';
			SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on`,
		report: `SET default_transaction_read_only = on; SET work_mem = '64MB'`, // many rows are sorted and added up
		feed:   polling{},
	}
}
