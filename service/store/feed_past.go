package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// What lies further back than a changefeed can go is read from the ledger, level by level: each
// row carries the timestamp of its commit. Rows that the database wrote anew, in a change of schema
// or from a backup, carry a later one: they come again rather than not at all.
var (
	pastLevels = defineOn(cockroachdb, "past_levels", `
SELECT l.sku, l.location, l.version
  FROM stock_levels AS l
 WHERE l.region = $1::crdb_internal_region AND (l.sku, l.location) > ($2, $3) AND l.updated_at >= $4
   AND (array_length($5, 1) IS NULL OR l.sku = ANY ($5)) AND (array_length($6, 1) IS NULL OR l.location = ANY ($6))
 ORDER BY l.sku, l.location LIMIT $7`, text, text, text, moment, texts, texts, bigint)

	pastTimes = defineOn(cockroachdb, "past_times", `
SELECT k.n, e.version, e.crdb_internal_mvcc_timestamp::text
  FROM unnest($2, $3, $4, $5) AS k(n, sku, location, version)
  JOIN stock_events AS e ON e.region = $1::crdb_internal_region AND e.sku = k.sku AND e.location = k.location AND e.version = k.version`,
		text, ints, texts, texts, ints)

	pastEvents = defineOn(cockroachdb, "past_events", `
SELECT e.crdb_internal_mvcc_timestamp::text, `+eventColumns+`
  FROM stock_events AS e
 WHERE e.region = $1::crdb_internal_region AND e.sku = $2 AND e.location = $3 AND e.version > $4
 ORDER BY e.version LIMIT $5`, text, text, text, bigint, bigint)

	pastAlerts = defineOn(cockroachdb, "past_alerts", `
SELECT a.crdb_internal_mvcc_timestamp::text, `+alertColumns+`
  FROM alerts AS a
 WHERE a.region = $1::crdb_internal_region AND a.id > $2::uuid
 ORDER BY a.id LIMIT $3`, text, text, bigint)
)

const (
	// pastPage is how many levels are looked at together.
	pastPage = 64
	// longestTx is more than any transaction lasts: a row says when its transaction began.
	longestTx = 10 * time.Minute
)

// past is one reading of the ledger between two positions.
type past struct {
	store  *Store
	filter FeedFilter
	base   Moment
	at     PastPosition
	limit  int
	given  []Fed
}

func (changefeed) between(ctx context.Context, s *Store, after, upTo Position, f FeedFilter, limit int) (entries []Fed, next Position, err error) {
	p := past{store: s, filter: f, base: after.At, limit: limit, at: PastPosition{UpTo: upTo.At}}
	if upTo.Given > 0 { // the moment itself has to be read, too
		p.at.UpTo = upTo.At.next()
	}
	if after.Past != nil {
		p.at = *after.Past
	}
	for !p.at.Alerts && len(p.given) < limit {
		if err := p.levels(ctx); err != nil {
			return nil, after, classify(err)
		}
	}
	for len(p.given) < limit {
		more, err := p.alerts(ctx)
		if err != nil {
			return nil, after, err
		}
		if !more {
			return p.given, Position{At: p.at.UpTo}, nil
		}
	}
	return p.given, p.position(), nil
}

func (p *past) position() Position {
	at := p.at
	return Position{At: p.base, Past: &at}
}

// region is the one that is being read, "" after the last.
func (p *past) region(current string) string {
	for _, region := range slices.Sorted(slices.Values(p.store.regions)) {
		if region >= current && (len(p.filter.Regions) == 0 || slices.Contains(p.filter.Regions, region)) {
			return region
		}
	}
	return ""
}

// pastLevel is a level whose events are to be given, from one version on.
type pastLevel struct {
	key     inventory.LevelKey
	current int64
	from    int64 // the newest version that is not to be given
}

// levels gives the events of some more levels.
func (p *past) levels(ctx context.Context) error {
	region := p.region(p.at.Key.Region)
	if region == "" {
		p.at.Alerts, p.at.Key, p.at.Version = true, inventory.LevelKey{}, 0
		return nil
	}
	if region != p.at.Key.Region {
		p.at.Key, p.at.Version = inventory.LevelKey{Region: region}, 0
	}
	if p.at.Version > 0 { // in the midst of a level
		return p.events(ctx, pastLevel{key: p.at.Key, from: p.at.Version})
	}
	levels, err := p.changed(ctx)
	if err != nil {
		return err
	}
	if err := p.begin(ctx, levels); err != nil {
		return err
	}
	for _, l := range levels {
		if err := p.events(ctx, l); err != nil || len(p.given) >= p.limit {
			return err
		}
	}
	if len(levels) < pastPage {
		p.at.Key, p.at.Version = inventory.LevelKey{Region: region + "\x00"}, 0
	}
	return nil
}

// changed lists levels that may have changed since the base.
func (p *past) changed(ctx context.Context) (levels []pastLevel, err error) {
	since := time.Unix(0, p.base.Wall).Add(-longestTx)
	key := p.at.Key
	err = p.store.read(ctx, pastLevels, func(r pgx.Rows) error {
		l := pastLevel{key: inventory.LevelKey{Region: key.Region}}
		err := r.Scan(&l.key.SKU, &l.key.Location, &l.current)
		levels = append(levels, l)
		return err
	}, key.Region, key.SKU, key.Location, since, p.filter.SKUs, p.filter.Locations, int64(pastPage))
	return levels, err
}

// begin finds for each level a version that is older than the base, looking back in steps that
// double; version 0 is older than everything.
func (p *past) begin(ctx context.Context, levels []pastLevel) error {
	if len(levels) == 0 || p.base == (Moment{}) {
		return nil
	}
	var n, versions []int64
	var skus, locations []string
	for i, l := range levels {
		for step := int64(1); step < l.current; step *= 2 {
			n, versions = append(n, int64(i)), append(versions, l.current-step)
			skus, locations = append(skus, l.key.SKU), append(locations, l.key.Location)
		}
	}
	return p.store.read(ctx, pastTimes, func(r pgx.Rows) error {
		var i, version int64
		var committed string
		if err := r.Scan(&i, &version, &committed); err != nil {
			return err
		}
		at, err := parseMoment(committed)
		if err == nil && at.Compare(p.base) < 0 {
			levels[i].from = max(levels[i].from, version)
		}
		return err
	}, levels[0].key.Region, n, skus, locations, versions)
}

// events gives a level's events that were committed from the base on, and moves on.
func (p *past) events(ctx context.Context, l pastLevel) error {
	for from := l.from; ; {
		room := p.limit - len(p.given)
		came := 0
		err := p.store.read(ctx, pastEvents, func(r pgx.Rows) error {
			var committed string
			var row eventRow
			if err := r.Scan(append([]any{&committed}, row.columns()...)...); err != nil {
				return err
			}
			came++
			from = row.e.Version
			return p.event(committed, &row)
		}, l.key.Region, l.key.SKU, l.key.Location, from, int64(room))
		if err != nil {
			return err
		}
		p.at.Key, p.at.Version = l.key, from
		if came < room {
			p.at.Version = 0
			return nil
		}
		if len(p.given) >= p.limit {
			return nil
		}
	}
}

func (p *past) event(committed string, row *eventRow) error {
	at, err := parseMoment(committed)
	if err != nil {
		return err
	}
	e, err := row.event()
	// What the tail has from here on is left to it; a row of old that was written anew isn't there.
	fresh := at.Compare(p.at.UpTo) >= 0 && e.RecordedAt.After(time.Unix(0, p.at.UpTo.Wall).Add(-longestTx))
	if err != nil || at.Compare(p.base) < 0 || fresh {
		return err
	}
	at0 := p.at
	at0.Key, at0.Version = e.Key, e.Version
	p.given = append(p.given, Fed{At: at, Nth: 1, Event: &e, Cursor: Position{At: p.base, Past: &at0}})
	return nil
}

// alerts gives some more alerts; there are few, so that all are looked at.
func (p *past) alerts(ctx context.Context) (more bool, err error) {
	region := p.region(p.at.After.Region)
	if region == "" {
		return false, nil
	}
	if region != p.at.After.Region {
		p.at.After = inventory.ID{Region: region}
	}
	room := p.limit - len(p.given)
	came := 0
	err = p.store.read(ctx, pastAlerts, func(r pgx.Rows) error {
		var committed string
		var row alertRow
		if err := r.Scan(append([]any{&committed}, row.columns()...)...); err != nil {
			return err
		}
		came++
		a, err := row.alert()
		if err != nil {
			return err
		}
		at, err := parseMoment(committed)
		p.at.After = a.ID
		if err == nil && at.Compare(p.base) >= 0 && at.Compare(p.at.UpTo) < 0 {
			p.given = append(p.given, Fed{At: at, Nth: 1, Alert: a, Cursor: p.position()})
		}
		return err
	}, region, uuidText(p.at.After.UUID), int64(room))
	if err == nil && came < room {
		p.at.After = inventory.ID{Region: region + "\x00"}
	}
	return true, err
}
