package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// Levels are gone through a page at a time, with all their events, so that a ledger of any length
// takes little memory.
const chainPage = 2000

const (
	pageOfHeads = `
SELECT l.sku, l.location, l.version, l.head FROM stock_levels AS l
 WHERE l.region = $1::crdb_internal_region AND l.sku >= $2 AND (l.sku, l.location) > ($2, $3)
 ORDER BY l.sku, l.location LIMIT $4`
	eventsOfPage = `
SELECT ` + eventColumns + `
  FROM stock_events AS e
 WHERE e.region = $1::crdb_internal_region AND e.sku >= $2 AND e.sku <= $4
   AND (e.sku, e.location) > ($2, $3) AND (e.sku, e.location) <= ($4, $5)
 ORDER BY e.sku, e.location, e.version`
	sealsOfRegion = `
SELECT ` + sealColumns + ` FROM seals AS s WHERE s.region = $1::crdb_internal_region ORDER BY s.location, s.up_to`
)

// chainCheck recomputes the hashes of a region's events and of its seals.
type chainCheck struct {
	conn          *pgx.Conn
	region        string
	events, seals *CheckResult
	of            map[string][]*sealCheck // by location, in the order of time

	level  inventory.LevelKey
	before inventory.Hash // that of the event before
	head   headAt         // the last event before the next seal
}

type sealCheck struct {
	inventory.Seal
	sealer *inventory.Sealer
}

type headAt struct {
	seal    int
	version int64
	hash    inventory.Hash
}

// verifyChain names each event that is not what its hash says, or doesn't follow the one before,
// each level whose last event is another than it carries, and each seal that doesn't fit.
func (s *Store) verifyChain(ctx context.Context, conn *pgx.Conn) (events, seals CheckResult, err error) {
	events = CheckResult{Name: "chain", About: "every event is what its hash says and follows the one before; levels carry the last", Violations: []Violation{}}
	seals = CheckResult{Name: "seals", About: "every seal of a location is that of its events up to then", Violations: []Violation{}}
	for _, region := range s.regions {
		c := chainCheck{conn: conn, region: region, events: &events, seals: &seals, of: map[string][]*sealCheck{}}
		if err := c.run(ctx); err != nil {
			return events, seals, err
		}
	}
	return events, seals, nil
}

func (c *chainCheck) run(ctx context.Context) error {
	if err := c.readSeals(ctx); err != nil {
		return err
	}
	var after inventory.LevelKey
	for {
		heads, last, err := c.readHeads(ctx, after)
		if err != nil || len(heads) == 0 {
			return c.closeSeals(err)
		}
		if err := c.readEvents(ctx, after, last, heads); err != nil {
			return err
		}
		after = last
	}
}

func (c *chainCheck) readSeals(ctx context.Context) error {
	var before inventory.Seal
	return c.query(ctx, sealsOfRegion, func(r pgx.Rows) error {
		seal, err := scanSeal(r)
		if seal.Location != before.Location {
			before = inventory.Seal{}
		}
		c.of[seal.Location] = append(c.of[seal.Location], &sealCheck{seal, inventory.NewSealer(seal.Location, seal.UpTo, before.Root)})
		before = seal
		return err
	}, c.region)
}

func (c *chainCheck) readHeads(ctx context.Context, after inventory.LevelKey) (heads map[inventory.LevelKey]headAt, last inventory.LevelKey, err error) {
	heads = map[inventory.LevelKey]headAt{}
	err = c.query(ctx, pageOfHeads, func(r pgx.Rows) error {
		last = inventory.LevelKey{Region: c.region}
		var h headAt
		err := r.Scan(&last.SKU, &last.Location, &h.version, (*hashColumn)(&h.hash))
		heads[last] = h
		return err
	}, c.region, after.SKU, after.Location, chainPage)
	return heads, last, err
}

func (c *chainCheck) readEvents(ctx context.Context, after, last inventory.LevelKey, heads map[inventory.LevelKey]headAt) error {
	var ends inventory.Event
	finish := func() {
		if ends.Version == 0 {
			return
		}
		c.flush()
		if want := heads[ends.Key]; want.version == ends.Version && want.hash != ends.Hash {
			c.wrong(&ends, "the stock level carries another hash than its last event has")
		}
	}
	err := c.query(ctx, eventsOfPage, func(r pgx.Rows) error {
		e, err := scanEvent(r)
		if err != nil {
			return err
		}
		if e.Key != ends.Key {
			finish()
			c.level, c.before = e.Key, inventory.Hash{}
		}
		ends = e
		c.event(&e)
		return nil
	}, c.region, after.SKU, after.Location, last.SKU, last.Location)
	finish()
	return err
}

// event checks one event. Those recorded before there were hashes have none, and can only come
// before all that have one.
func (c *chainCheck) event(e *inventory.Event) {
	c.events.Checked++
	none := inventory.Hash{}
	switch {
	case e.Hash == none && c.before != none:
		c.wrong(e, "has no hash, and the event before has one")
	case e.Hash != none && e.Hash != e.Chain(c.before):
		c.wrong(e, "is not what its hash says: it was changed, or the one before was changed, taken out or put in")
	}
	c.before = e.Hash
	seals := c.of[e.Key.Location]
	at := c.head.seal
	if c.head.version == 0 {
		at = 0
	}
	for at < len(seals) && !e.RecordedAt.Before(seals[at].UpTo) {
		at++
	}
	if c.head.version > 0 && at != c.head.seal {
		c.flush()
	}
	c.head = headAt{at, e.Version, e.Hash}
}

// flush gives the level's last event before a seal to that seal.
func (c *chainCheck) flush() {
	if seals := c.of[c.level.Location]; c.head.version > 0 && c.head.seal < len(seals) {
		seals[c.head.seal].sealer.Add(c.level.SKU, c.head.version, c.head.hash)
	}
	c.head = headAt{}
}

func (c *chainCheck) wrong(e *inventory.Event, detail string) {
	key := fmt.Sprintf("%s/%s version %d", e.Key.Location, e.Key.SKU, e.Version)
	c.events.Violations = append(c.events.Violations, Violation{key, detail})
}

func (c *chainCheck) closeSeals(err error) error {
	for location, seals := range c.of {
		for _, s := range seals {
			c.seals.Checked++
			if root, levels := s.sealer.Root(); root != s.Root {
				c.seals.Violations = append(c.seals.Violations, Violation{
					Key:    location + " up to " + s.UpTo.Format(time.RFC3339),
					Detail: fmt.Sprintf("sealed as %s over %d levels; the events and the seal before give %s over %d", s.Root, s.Levels, root, levels),
				})
			}
		}
	}
	return err
}

func (c *chainCheck) query(ctx context.Context, sql string, row func(pgx.Rows) error, args ...any) error {
	rows, err := c.conn.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
