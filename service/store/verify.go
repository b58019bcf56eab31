package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
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

// checks are I1 to I6 and I9 of the design, as SQL.
var checks = []check{
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
		sql: `SELECT coalesce(l.location, e.location) || '/' || coalesce(l.sku, e.sku),
		             CASE WHEN l.sku IS NULL THEN 'events without a stock level'
		                  WHEN e.sku IS NULL THEN 'a stock level without events'
		                  ELSE 'version ' || l.version::text || ', on_hand ' || l.on_hand::text || ', held ' || l.held::text || ', allocated ' || l.allocated::text
		                    || ', quarantined ' || l.quarantined::text || ', shortfall ' || l.shortfall::text
		                    || '; the events give version ' || e.version::text || ', on_hand ' || e.on_hand::text || ', held ' || e.held::text
		                    || ', allocated ' || e.allocated::text || ', quarantined ' || e.quarantined::text || ', shortfall ' || e.shortfall::text END
		        FROM stock_levels AS l
		        FULL JOIN (SELECT region, sku, location, max(version) AS version,
		                          sum(on_hand_delta) AS on_hand, sum(held_delta) AS held, sum(allocated_delta) AS allocated,
		                          sum(quarantined_delta) AS quarantined, sum(incoming_delta) AS incoming, sum(shortfall_delta) AS shortfall
		                     FROM stock_events GROUP BY region, sku, location) AS e
		          ON e.region = l.region AND e.sku = l.sku AND e.location = l.location
		       WHERE l.sku IS NULL OR e.sku IS NULL OR l.version <> e.version
		          OR l.on_hand <> e.on_hand OR l.held <> e.held OR l.allocated <> e.allocated
		          OR l.quarantined <> e.quarantined OR l.incoming <> e.incoming OR l.shortfall <> e.shortfall`,
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
		sql: `SELECT coalesce(l.location, r.location) || '/' || coalesce(l.sku, r.sku),
		             'held ' || coalesce(l.held, 0)::text || ', allocated ' || coalesce(l.allocated, 0)::text
		          || '; the lines give held ' || coalesce(r.held, 0)::text || ', allocated ' || coalesce(r.allocated, 0)::text
		        FROM stock_levels AS l
		        FULL JOIN (SELECT region, sku, location, sum(held) AS held, sum(allocated) AS allocated
		                     FROM reservation_lines GROUP BY region, sku, location) AS r
		          ON r.region = l.region AND r.sku = l.sku AND r.location = l.location
		       WHERE coalesce(l.held, 0) <> coalesce(r.held, 0) OR coalesce(l.allocated, 0) <> coalesce(r.allocated, 0)`,
	},
	{
		name:  "lines",
		about: "every unit of a reservation line is held, allocated, fulfilled, released or expired, as its reservation's status says",
		count: `SELECT count(*) FROM reservation_lines`,
		sql: `SELECT l.reservation_id::text || ' line ' || l.line::text,
		             'status ' || coalesce(r.status, 'missing') || ', quantity ' || l.quantity::text || ', held ' || l.held::text || ', allocated ' || l.allocated::text
		          || ', fulfilled ' || l.fulfilled::text || ', released ' || l.released::text || ', expired ' || l.expired::text
		        FROM reservation_lines AS l LEFT JOIN reservations AS r ON r.region = l.home AND r.id = l.reservation_id
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
		       WHERE c.operation <> 'batch' AND c.events <> coalesce(e.events, 0)`,
	},
	{
		name:  "holds",
		about: "I9: every held line carries the expiry of its reservation, so that it can lapse",
		count: `SELECT count(*) FROM reservation_lines WHERE held > 0`,
		sql: `SELECT l.reservation_id::text || ' line ' || l.line::text, 'expires ' || l.expires_at::text || ', its reservation ' || r.expires_at::text
		        FROM reservation_lines AS l JOIN reservations AS r ON r.region = l.home AND r.id = l.reservation_id
		       WHERE l.held > 0 AND l.expires_at <> r.expires_at`,
	},
}

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

// Verify checks the invariants at one snapshot, without taking locks, and names every offender.
func (s *Store) Verify(ctx context.Context) (v Verification, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return v, classify(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, s.dialect.snapshot, pgx.QueryExecModeSimpleProtocol); err != nil {
		return v, classify(err)
	}
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
	return v, nil
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
