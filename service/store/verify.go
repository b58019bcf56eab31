package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// check is one invariant: sql names every key that breaks it, with what is wrong there; count says
// how many were looked at. They read whole tables by intent and run outside of the statements.
type check struct {
	name  string
	about string
	count string
	sql   string
}

const levelKey = `l.location || '/' || l.sku`

// checks are I1 to I6 and I9 of the design, and what holds for transfers, as SQL. Two sides that must be equal are added up with
// opposite signs rather than joined: one pass over each, and what is on one side only shows too.
// Where there is a join, regions are compared as text, so that nothing is merged by two columns:
// CockroachDB 21.1.0-alpha loses rows then.
var checks = append([]check{
	{
		name:  "quantities",
		about: "I1, I2: no quantity below zero, on hand covers what is promised",
		count: `SELECT count(*) FROM stock_levels`,
		sql: `SELECT ` + levelKey + `, 'on_hand ' || l.on_hand::text || ', held ' || l.held::text || ', allocated ' || l.allocated::text
		           || ', quarantined ' || l.quarantined::text || ', incoming ' || l.incoming::text || ', shortfall ' || l.shortfall::text
		        FROM stock_levels AS l
		       WHERE l.on_hand < 0 OR l.held < 0 OR l.allocated < 0 OR l.quarantined < 0 OR l.incoming < 0 OR l.shortfall < 0
		          OR l.on_hand::decimal < l.held::decimal + l.allocated::decimal + l.quarantined::decimal`,
	},
	{
		name:  "levels",
		about: "I3: a stock level is the sum of its events' deltas, and at the version of the last one",
		count: `SELECT count(*) FROM stock_levels`,
		sql: `SELECT d.location || '/' || d.sku,
		             CASE WHEN d.levels = 0 THEN 'events without a stock level'
		                  WHEN d.ledgers = 0 THEN 'a stock level without events'
		                  ELSE 'the level differs from its events by version ' || d.version::text || ', on_hand ' || d.on_hand::text
		                    || ', held ' || d.held::text || ', allocated ' || d.allocated::text || ', quarantined ' || d.quarantined::text
		                    || ', incoming ' || d.incoming::text || ', shortfall ' || d.shortfall::text END
		        FROM (SELECT region, sku, location, sum(levels) AS levels, sum(ledgers) AS ledgers, sum(version) AS version,
		                     sum(on_hand) AS on_hand, sum(held) AS held, sum(allocated) AS allocated,
		                     sum(quarantined) AS quarantined, sum(incoming) AS incoming, sum(shortfall) AS shortfall
		                FROM (SELECT region, sku, location, 1 AS levels, 0 AS ledgers, version::decimal, on_hand::decimal, held::decimal,
		                             allocated::decimal, quarantined::decimal, incoming::decimal, shortfall::decimal
		                        FROM stock_levels
		                       UNION ALL
		                      SELECT region, sku, location, 0, 1, -max(version)::decimal, -sum(on_hand_delta)::decimal, -sum(held_delta)::decimal,
		                             -sum(allocated_delta)::decimal, -sum(quarantined_delta)::decimal, -sum(incoming_delta)::decimal, -sum(shortfall_delta)::decimal
		                        FROM stock_events GROUP BY region, sku, location) AS both_sides
		               GROUP BY region, sku, location) AS d
		       WHERE d.levels <> 1 OR d.ledgers <> 1 OR d.version <> 0 OR d.on_hand <> 0 OR d.held <> 0 OR d.allocated <> 0
		          OR d.quarantined <> 0 OR d.incoming <> 0 OR d.shortfall <> 0`,
	},
	{
		name:  "events",
		about: "I3, I4: versions without a gap, each event's balances are those before plus its deltas",
		count: `SELECT count(*) FROM stock_events`,
		sql: `SELECT e.location || '/' || e.sku || ' version ' || e.version::text,
		             CASE WHEN e.version <> e.v + 1 THEN 'follows version ' || e.v::text ELSE 'its balances are not those before plus its deltas' END
		        FROM (SELECT *, coalesce(lag(version) OVER w, 0) AS v,
		                     coalesce(lag(on_hand) OVER w, 0) AS b1, coalesce(lag(held) OVER w, 0) AS b2, coalesce(lag(allocated) OVER w, 0) AS b3,
		                     coalesce(lag(quarantined) OVER w, 0) AS b4, coalesce(lag(incoming) OVER w, 0) AS b5, coalesce(lag(shortfall) OVER w, 0) AS b6
		                FROM stock_events WINDOW w AS (PARTITION BY region, sku, location ORDER BY version)) AS e
		       WHERE e.version <> e.v + 1
		          OR e.on_hand::decimal <> e.b1::decimal + e.on_hand_delta OR e.held::decimal <> e.b2::decimal + e.held_delta OR e.allocated::decimal <> e.b3::decimal + e.allocated_delta
		          OR e.quarantined::decimal <> e.b4::decimal + e.quarantined_delta OR e.incoming::decimal <> e.b5::decimal + e.incoming_delta OR e.shortfall::decimal <> e.b6::decimal + e.shortfall_delta`,
	},
	{
		name:  "promises",
		about: "I5: held and allocated are the sums over live reservation lines",
		count: `SELECT count(*) FROM stock_levels`,
		sql: `SELECT d.location || '/' || d.sku,
		             'the level differs from its reservation lines by held ' || d.held::text || ', allocated ' || d.allocated::text
		        FROM (SELECT region, sku, location, sum(held) AS held, sum(allocated) AS allocated
		                FROM (SELECT region, sku, location, held::decimal, allocated::decimal FROM stock_levels
		                       UNION ALL
		                      SELECT region, sku, location, -held::decimal, -allocated::decimal FROM reservation_lines) AS both_sides
		               GROUP BY region, sku, location) AS d
		       WHERE d.held <> 0 OR d.allocated <> 0`,
	},
	{
		name:  "lines",
		about: "every unit of a reservation line is held, allocated, fulfilled, released or expired, as its reservation's status says",
		count: `SELECT count(*) FROM reservation_lines`,
		sql: `SELECT l.reservation_id::text || ' line ' || l.line::text,
		             'status ' || coalesce(r.status, 'missing') || ', quantity ' || l.quantity::text || ', held ' || l.held::text || ', allocated ' || l.allocated::text
		          || ', fulfilled ' || l.fulfilled::text || ', released ' || l.released::text || ', expired ' || l.expired::text
		        FROM reservation_lines AS l LEFT JOIN reservations AS r ON r.region::text = l.home::text AND r.id = l.reservation_id
		       WHERE l.quantity::decimal <> l.held::decimal + l.allocated + l.fulfilled + l.released + l.expired
		          OR r.status IS NULL OR (l.held > 0 AND r.status <> 'held') OR (l.allocated > 0 AND r.status <> 'allocated')`,
	},
	{
		name:  "commands",
		about: "I6: a command's key stands for exactly the events that carry its id",
		count: `SELECT count(*) FROM commands`,
		sql: `SELECT c.key, c.operation || ' recorded ' || c.events::text || ' events, the ledger has ' || coalesce(e.events, 0)::text
		        FROM commands AS c
		        LEFT JOIN (SELECT movement_id, count(*) AS events FROM stock_events GROUP BY movement_id) AS e
		          ON e.movement_id = c.id
		       WHERE c.operation NOT IN ('batch', 'move_batch', 'reserve_batch') AND c.events <> coalesce(e.events, 0)`,
	},
	{
		name:  "holds",
		about: "I9: every held line carries the expiry of its reservation, so that it can lapse",
		count: `SELECT count(*) FROM reservation_lines WHERE held > 0`,
		sql: `SELECT l.reservation_id::text || ' line ' || l.line::text, 'expires ' || l.expires_at::text || ', its reservation ' || r.expires_at::text
		        FROM reservation_lines AS l JOIN reservations AS r ON r.region::text = l.home::text AND r.id = l.reservation_id
		       WHERE l.held > 0 AND l.expires_at <> r.expires_at`,
	},
}, transferChecks...)

// Verification is what verify found at one snapshot.
type Verification struct {
	Clean  bool          `json:"clean"`
	AsOf   time.Time     `json:"as_of"`
	Checks []CheckResult `json:"checks"`
}

// CheckResult is one invariant's. Checked is how many rows it looked at.
type CheckResult struct {
	Name       string      `json:"name"`
	About      string      `json:"about"`
	Checked    int64       `json:"checked"`
	Violations []Violation `json:"violations"`
}

// Violation names a key that breaks an invariant.
type Violation struct {
	Key    string `json:"key"`
	Detail string `json:"detail"`
}

// Level is the stock level that a violation is about; both are "" where it is about something else.
func (c *CheckResult) Level(v Violation) (location, sku string) {
	switch c.Name {
	case "quantities", "levels", "promises", "incoming":
	case "events", "chain":
		if at := strings.LastIndex(v.Key, " version "); at > 0 {
			v.Key = v.Key[:at]
		}
	default:
		return "", ""
	}
	location, sku, _ = strings.Cut(v.Key, "/")
	return location, sku
}

// Verify checks the invariants at one snapshot, without taking locks, and names every offender.
func (s *Store) Verify(ctx context.Context) (v Verification, err error) {
	conn, err := s.snapshot(ctx)
	if err != nil {
		return v, classify(err)
	}
	defer conn.Release()
	defer func() {
		if _, err := conn.Exec(context.WithoutCancel(ctx), rollback, pgx.QueryExecModeSimpleProtocol); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx))
		}
	}()
	if err := conn.QueryRow(ctx, "SELECT now()", pgx.QueryExecModeSimpleProtocol).Scan(&v.AsOf); err != nil {
		return v, classify(err)
	}
	v.AsOf, v.Clean = v.AsOf.UTC(), true
	for _, c := range checks {
		result, err := c.run(ctx, conn.Conn())
		if err != nil {
			return v, fmt.Errorf("check %s: %w", c.name, classify(err))
		}
		v.Clean = v.Clean && len(result.Violations) == 0
		v.Checks = append(v.Checks, result)
	}
	events, seals, err := s.verifyChain(ctx, conn.Conn())
	if err != nil {
		return v, fmt.Errorf("check chain: %w", classify(err))
	}
	v.Clean = v.Clean && len(events.Violations)+len(seals.Violations) == 0
	v.Checks = append(v.Checks, events, seals)
	return v, nil
}

// snapshot gives a connection on which a read-only transaction has begun. One that the pool has kept
// may be that of a server that died since.
func (s *Store) snapshot(ctx context.Context) (conn *pgxpool.Conn, err error) {
	const tries = 3
	for attempt := 1; ; attempt++ {
		if conn, err = s.acquire(ctx); err != nil {
			return nil, err
		}
		_, err = conn.Exec(ctx, s.dialect.snapshot, pgx.QueryExecModeSimpleProtocol)
		if err == nil {
			return conn, nil
		}
		gone := isLost(err) || conn.Conn().IsClosed()
		conn.Release()
		if !gone || attempt == tries {
			return nil, err
		}
		s.pool.Reset()
	}
}

func (c check) run(ctx context.Context, conn *pgx.Conn) (CheckResult, error) {
	result := CheckResult{Name: c.name, About: c.about, Violations: []Violation{}}
	if err := conn.QueryRow(ctx, c.count, pgx.QueryExecModeSimpleProtocol).Scan(&result.Checked); err != nil {
		return result, err
	}
	rows, err := conn.Query(ctx, c.sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return result, err
	}
	violations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Violation])
	result.Violations = append(result.Violations, violations...)
	return result, err
}
