package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/time/rate"
)

// polling is the feed of PostgreSQL: the ledger is asked again and again. What a statement sees of
// transactions older than all that run is complete; everything else waits for its turn, so that a
// late commit is never skipped. What the pod committed itself it knows, and isn't sent it again.
type polling struct{}

// Each row has its transaction's id, which is assigned at the transaction's first write. What is
// given stops before the oldest that still runs. Within a transaction the order is that of
// placed.compare, byte by byte, whatever the order of the enum of regions and the database's
// collation: a page may end in the midst of one.
var (
	fedEvents = defineOn(postgresql, "fed_events", `
SELECT e.tx, `+eventColumns+`
  FROM stock_events AS e
 WHERE e.tx >= $1 AND e.tx < least($2, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
   AND e.tx <> ALL ($4)
 ORDER BY e.tx, e.region::text COLLATE "C", e.sku COLLATE "C", e.location COLLATE "C", e.version LIMIT $3`, bigint, bigint, bigint, ints)

	fedAlerts = defineOn(postgresql, "fed_alerts", `
SELECT a.tx, `+alertColumns+`
  FROM alerts AS a
 WHERE a.tx >= $1 AND a.tx < least($2, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
 ORDER BY a.tx, coalesce(a.sku, '') COLLATE "C", coalesce(a.location, '') COLLATE "C", coalesce(a.version, 0), a.region::text COLLATE "C", a.id LIMIT $3`, bigint, bigint, bigint)

	// The oldest transaction that runs, the next one's id, and the moment of the snapshot.
	fedHorizon = defineOn(postgresql, "fed_horizon", `
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, now()`)

	// The same, and whether there is anything to give that this pod didn't commit itself.
	fedGlance = defineOn(postgresql, "fed_glance", `
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, now(),
       EXISTS (SELECT FROM stock_events AS e
                WHERE e.tx >= $1 AND e.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AND e.tx <> ALL ($2)) OR
       EXISTS (SELECT FROM alerts AS a
                WHERE a.tx >= $1 AND a.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)`, bigint, ints)

	// After the newest that was committed, but not after the oldest transaction that runs.
	fedNow = defineOn(postgresql, "fed_now", `
SELECT least(pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       1 + greatest((SELECT e.tx FROM stock_events AS e WHERE e.tx >= 0 ORDER BY e.tx DESC LIMIT 1),
                    (SELECT a.tx FROM alerts AS a WHERE a.tx >= 0 ORDER BY a.tx DESC LIMIT 1), 0))`)

	fedRecent = defineOn(postgresql, "fed_recent", `
SELECT coalesce((SELECT e.tx FROM stock_events AS e WHERE e.tx >= 0 ORDER BY e.tx DESC OFFSET $1 LIMIT 1), 0)`, bigint)
)

const (
	// pollSoon and pollIdle are the pauses between two looks: while there is something to see, and
	// when there was nothing for a while.
	pollSoon, pollIdle = 5 * time.Millisecond, 20 * time.Millisecond
	idleAfter          = 5 * time.Second
	// pollEach lengthens the pause for each entry that a look brought, up to pollMost: what comes in
	// a stream is fetched in fewer looks, which leaves more of the machine to those who write it.
	pollEach, pollMost = 250 * time.Microsecond, 50 * time.Millisecond
	// nudgedLooks is how many looks a second are made between two others for what this pod itself
	// committed, and nudgedAtOnce how many of them while there were fewer: who writes now and then is
	// heard of at once. After one that brought as many entries as a stream does, none is made.
	nudgedLooks, nudgedAtOnce = 120, 8
	streaming                 = 8
	// pollPage is how many entries are read at once.
	pollPage = 4096
	// recentEvents is how many events a tail begins with.
	recentEvents = 4096
	forever      = 1<<63 - 1
)

// horizon is up to where a snapshot sees everything.
type horizon struct {
	oldest, next int64 // transactions
	at           time.Time
}

func (polling) setUp(context.Context, *Store, bool) error { return nil }

func (polling) now(ctx context.Context, s *Store) (p Position, err error) {
	err = s.read(ctx, fedNow, func(r pgx.Rows) error { return r.Scan(&p.At.Wall) })
	return p, err
}

func (f polling) reached(ctx context.Context, s *Store, p Position) (bool, error) {
	now, err := f.now(ctx, s)
	return p.Compare(now) <= 0, err
}

func (polling) recent(ctx context.Context, s *Store) (p Position, err error) {
	err = s.read(ctx, fedRecent, func(r pgx.Rows) error { return r.Scan(&p.At.Wall) }, int64(recentEvents))
	return p, err
}

func (polling) tail(s *Store, from Position) Tail {
	return &pollingTail{store: s, from: from, nudged: rate.NewLimiter(nudgedLooks, nudgedAtOnce)}
}

type pollingTail struct {
	store  *Store
	from   Position
	own    memory
	others bool // the last look brought something of another pod's
	sights sights
	nudged *rate.Limiter
}

// Run keeps a connection of its own, so that requests never wait for it, nor it for them.
func (t *pollingTail) Run(ctx context.Context, nudge <-chan struct{}, give func(Fresh) error) error {
	t.sights.open = nil // the ids they wait for may be gone with a server that was killed
	t.store.followers.add(&t.own)
	defer t.own.forget()
	defer t.store.followers.remove(&t.own)
	return classify(t.store.onOwnConn(ctx, func(conn *pgx.Conn) error {
		seen := time.Now()
		for {
			entries, h, err := t.look(ctx, conn)
			if err != nil {
				return err
			}
			if len(entries) > 0 {
				seen = time.Now()
			}
			fresh := Fresh{Entries: entries, UpTo: t.from}
			full := len(entries) >= pollPage
			switch {
			case full:
				fresh.UpTo = entries[len(entries)-1].Cursor
			case len(entries) > 0:
				fresh.UpTo = afterAll(entries[len(entries)-1])
			}
			if !full {
				t.sights.add(h)
			}
			fresh.AsOf = t.sights.complete
			if err := give(fresh); err != nil {
				return err
			}
			t.from = fresh.UpTo
			if full {
				continue
			}
			pause := min(pollSoon+time.Duration(len(entries))*pollEach, pollMost)
			if time.Since(seen) > idleAfter {
				pause = pollIdle
			}
			hears := nudge
			if len(entries) >= streaming {
				hears = nil
			}
			if err := t.rest(ctx, pause, hears); err != nil {
				return err
			}
		}
	}))
}

// afterAll is the position after the whole transaction of the last entry, and not after those that gave
// nothing and had ended by the horizon: a server that is killed may use their ids again, for only what
// was committed is sure to be on its disk.
func afterAll(last Fed) Position { return Position{At: Moment{Wall: last.Cursor.At.Wall + 1}} }

// rest waits until it is time for another look.
func (t *pollingTail) rest(ctx context.Context, pause time.Duration, nudge <-chan struct{}) error {
	if t.nudged.Tokens() < 1 {
		nudge = nil // the next look is near anyway
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-nudge:
		t.nudged.Allow()
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// sights are snapshots that had transactions running which a reader must have seen the end of before
// it has everything that was committed by then.
type sights struct {
	open     []horizon
	complete time.Time
}

func (s *sights) add(h horizon) {
	s.open = append(s.open, h)
	done := 0
	for _, o := range s.open {
		if h.oldest < o.next {
			break
		}
		s.complete = o.at
		done++
	}
	s.open = s.open[done:]
	// While one transaction runs on and on, nothing more is complete: the oldest sights are kept,
	// which are the first to become so.
	const most = 1024
	s.open = s.open[:min(len(s.open), most)]
}

// look gives what there is. While only this pod writes, a glance is enough: one statement instead of a
// transaction of three.
func (t *pollingTail) look(ctx context.Context, conn *pgx.Conn) ([]Fed, horizon, error) {
	own := t.own.from(t.from)
	if !t.others {
		h, others, err := glance(ctx, conn, t.from, own)
		if err != nil || !others {
			return page{}.fed(t.from, own, h.oldest, pollPage), h, err
		}
	}
	p, h, err := look(ctx, conn, t.from, own, forever, pollPage)
	t.others = len(p.events)+len(p.alerts) > 0
	return p.fed(t.from, own, h.oldest, pollPage), h, err
}

// transactions are the ids of what was written.
func transactions(all []written) []int64 {
	ids := make([]int64, len(all))
	for i, w := range all {
		ids[i] = w.tx
	}
	return ids
}

// glance gives the horizon, and whether something lies before it but for what this pod is known to
// have written itself.
func glance(ctx context.Context, conn *pgx.Conn, from Position, own []written) (h horizon, others bool, err error) {
	err = roundTrip(ctx, conn, "", []call{{
		st: fedGlance, args: []any{from.At.Wall, transactions(own)},
		rows: func(r pgx.Rows) error { return r.Scan(&h.oldest, &h.next, &h.at, &others) },
	}}, "")
	h.at = h.at.UTC()
	return h, others, err
}

// look reads one page in one snapshot, in one round trip, but for what this pod is known to have
// written itself.
func look(ctx context.Context, conn *pgx.Conn, from Position, own []written, before int64, limit int) (p page, h horizon, err error) {
	var row eventRow
	var tx int64
	columns := append([]any{&tx}, row.columns()...) // once for all rows: there are many, a stream of them
	most := int64(from.room(limit))
	calls := []call{
		{st: fedHorizon, rows: func(r pgx.Rows) error { return r.Scan(&h.oldest, &h.next, &h.at) }},
		{st: fedEvents, args: []any{from.At.Wall, before, most, transactions(own)}, rows: func(r pgx.Rows) error {
			if err := r.Scan(columns...); err != nil {
				return err
			}
			e, err := row.event()
			p.events = append(p.events, placed{at: Moment{Wall: tx}, event: &e})
			return err
		}},
		{st: fedAlerts, args: []any{from.At.Wall, before, most}, rows: func(r pgx.Rows) error {
			a, err := scanFedAlert(r)
			p.alerts = append(p.alerts, a)
			return err
		}},
	}
	err = roundTrip(ctx, conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", calls, commit)
	h.at = h.at.UTC()
	return p, h, err
}

// room is how many entries a page from here on reads: there is room for what was given of the first
// moment.
func (p Position) room(limit int) int { return limit + p.Given }

// page is what a look has read.
type page struct{ events, alerts []placed }

// fed gives up to limit entries of what was read and what is known without.
func (p page) fed(from Position, own []written, before int64, limit int) []Fed {
	fed := sequence(from, p.upToFull(from.room(limit), own, before))
	return fed[:min(len(fed), limit)]
}

// upToFull puts together what was read and what is known without, all of transactions before one. It
// leaves out what comes after the end of a page that was full: what lies between is yet to be read. No
// transaction writes both events and alerts.
func (p page) upToFull(full int, own []written, before int64) (kept []placed) {
	last := Moment{Wall: before - 1}
	for _, read := range [][]placed{p.events, p.alerts} {
		if n := len(read); n == full && read[n-1].at.Compare(last) < 0 {
			last = read[n-1].at
		}
	}
	kept = slices.Concat(p.events, p.alerts)
	for _, w := range own {
		for i := range w.events {
			kept = append(kept, placed{at: Moment{Wall: w.tx}, event: &w.events[i]})
		}
	}
	return slices.DeleteFunc(kept, func(e placed) bool { return e.at.Compare(last) > 0 })
}

func (polling) between(ctx context.Context, s *Store, after, upTo Position, _ FeedFilter, limit int) (entries []Fed, next Position, err error) {
	if after.Past != nil {
		return nil, after, ErrFeedGone // a position of the other database
	}
	before := upTo.At.Wall
	if upTo.Given > 0 {
		before++
	}
	err = s.onConn(ctx, func(conn *pgx.Conn) error {
		p, h, err := look(ctx, conn, after, nil, before, limit)
		entries = p.fed(after, nil, min(before, h.oldest), limit)
		return err
	})
	if err != nil || len(entries) == limit {
		if err == nil {
			next = entries[limit-1].Cursor
		}
		return entries, next, classify(err)
	}
	return entries, upTo, nil
}

func scanFedAlert(r pgx.Rows) (p placed, err error) {
	var row alertRow
	if err := r.Scan(append([]any{&p.at.Wall}, row.columns()...)...); err != nil {
		return p, err
	}
	p.alert, err = row.alert()
	return p, err
}
