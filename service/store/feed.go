package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"stockyard/service/inventory"
)

// The feed is everything that was committed to the ledger, and alerts, in an order of transactions:
// on CockroachDB that of their commit timestamps, on PostgreSQL that of their ids, of which those
// count that are older than every transaction still running. Per stock level both are the order of
// versions: whoever writes version 17 has read version 16, so it was committed before this
// transaction's timestamp, or id, was taken.

// Moment is the place of a transaction in the feed's order.
type Moment struct {
	// Wall is nanoseconds on CockroachDB, a transaction's id on PostgreSQL.
	Wall    int64
	Logical int32
}

// Compare orders moments.
func (m Moment) Compare(o Moment) int {
	return cmp.Or(cmp.Compare(m.Wall, o.Wall), cmp.Compare(m.Logical, o.Logical))
}

func (m Moment) next() Moment { return Moment{m.Wall, m.Logical + 1} }

// Position is a place in the feed: everything before the moment has been given, and so many entries
// of it. The zero position is the beginning.
type Position struct {
	At    Moment
	Given int
	// Past says how far a reading of the ledger has come that goes level by level, where the
	// database can't give what lies far back in the order of time. Nil for none.
	Past *PastPosition
}

// PastPosition is a place in a reading of the ledger up to a moment: everything of the levels before
// the key has been given, and this level's events up to the version.
type PastPosition struct {
	UpTo    Moment
	Alerts  bool // the levels are done, and alerts are being given: those up to After
	After   inventory.ID
	Key     inventory.LevelKey
	Version int64
}

// Compare orders positions that are in no reading of the past.
func (p Position) Compare(o Position) int {
	return cmp.Or(p.At.Compare(o.At), cmp.Compare(p.Given, o.Given))
}

// Behind is the position behind all entries of a position's moment.
func (p Position) Behind() Position { return Position{At: p.At.next()} }

// Fed is an entry of the feed: an event, or an alert.
type Fed struct {
	At  Moment // of its transaction
	Nth int    // among the entries of its moment, from 1 on
	// Cursor is where a reader that has it goes on: nothing that comes later is missed, though some
	// of what came before may come again.
	Cursor Position
	Event  *inventory.Event
	Alert  *inventory.Alert
}

// Place is the entry's own place.
func (f *Fed) Place() Position { return Position{At: f.At, Given: f.Nth} }

// Compare orders entries as all readings of the feed do: by moments, and within them by levels and
// versions, alerts last.
func (f *Fed) Compare(o *Fed) int {
	return placed{f.At, f.Event, f.Alert}.compare(placed{o.At, o.Event, o.Alert})
}

// After says that a reader who goes on from a position has yet to get the entry.
func (f *Fed) After(p Position) bool { return f.Place().Compare(p) > 0 }

// FeedFilter is which levels are wanted, so that reading the past leaves others out; it may give more
// than that.
type FeedFilter struct {
	Regions, Locations, SKUs []string // empty: all
}

// Fresh is what a tail gives each time: entries, each level's in the order of versions. With them,
// everything before UpTo has been given, and so everything that was committed up to AsOf by the
// database's clock; AsOf is zero while nobody can say.
type Fresh struct {
	Entries []Fed
	UpTo    Position
	AsOf    time.Time
}

// Tail gives what is committed, as it comes.
type Tail interface {
	// Run goes on where the last run ended, until the context or the connection ends. nudge says that
	// there may be something now; it may be nil. Errors: ErrFeedGone, what give returned,
	// ErrUnavailable, with ErrFeedStandsStill where nothing came for too long, or the context's.
	Run(ctx context.Context, nudge <-chan struct{}, give func(Fresh) error) error
}

// ErrFeedGone says that the database can't go on from so far back. What was missed is in the ledger.
var ErrFeedGone = errors.New("the change feed can't be resumed from so far back")

// ErrFeedStandsStill says that the database gave nothing for longer than it ever should.
var ErrFeedStandsStill = errors.New("the change feed stands still")

// FeedNow is where the feed stands: what is committed from now on comes after it. Something that was
// committed a moment ago may, too.
func (s *Store) FeedNow(ctx context.Context) (Position, error) {
	return s.dialect.feed.now(ctx, s)
}

// FeedReached says whether the feed has come as far as a position, as it has where the database gave it out.
func (s *Store) FeedReached(ctx context.Context, p Position) (bool, error) {
	return s.dialect.feed.reached(ctx, s, p)
}

// FeedRecent is a position a little back, from which a tail fills up quickly.
func (s *Store) FeedRecent(ctx context.Context) (Position, error) {
	return s.dialect.feed.recent(ctx, s)
}

// TailFeed gives what is committed after a position.
func (s *Store) TailFeed(from Position) Tail { return s.dialect.feed.tail(s, from) }

// FeedBetween gives up to limit entries between two positions, of which the second is one that a tail
// has reached. next is where to go on: the second one or beyond it when all is read. A reading that
// was begun towards an earlier position ends there first.
func (s *Store) FeedBetween(ctx context.Context, after, upTo Position, f FeedFilter, limit int) (entries []Fed, next Position, err error) {
	if after.Past == nil && after.Compare(upTo) >= 0 {
		return nil, after, nil
	}
	return s.dialect.feed.between(ctx, s, after, upTo, f, limit)
}

// feedOf is how one of the databases gives the feed.
type feedOf interface {
	// setUp prepares a database, which is brandNew where no pod can have written to it.
	setUp(ctx context.Context, s *Store, brandNew bool) error
	now(ctx context.Context, s *Store) (Position, error)
	reached(ctx context.Context, s *Store, p Position) (bool, error)
	recent(ctx context.Context, s *Store) (Position, error)
	tail(s *Store, from Position) Tail
	between(ctx context.Context, s *Store, after, upTo Position, f FeedFilter, limit int) (entries []Fed, next Position, err error)
}

// placed is an entry and the moment of its transaction.
type placed struct {
	at    Moment
	event *inventory.Event
	alert *inventory.Alert
}

func (p placed) compare(o placed) int {
	switch {
	case p.at != o.at:
		return p.at.Compare(o.at)
	case p.event != nil && o.event != nil:
		return cmp.Or(p.event.Key.Compare(o.event.Key), cmp.Compare(p.event.Version, o.event.Version))
	case p.event != nil:
		return -1
	case o.event != nil:
		return 1
	}
	return compareAlerts(p.alert, o.alert)
}

// compareAlerts has what is told of a level in the order in which it was so.
func compareAlerts(a, b *inventory.Alert) int {
	return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Location, b.Location), cmp.Compare(a.Version, b.Version), a.ID.Compare(b.ID))
}

// sequence orders entries and says of each where to go on. The entries of a moment are all among them,
// but for the last moment's; those that were given up to a position are left out.
func sequence(after Position, entries []placed) []Fed {
	slices.SortFunc(entries, placed.compare)
	fed := make([]Fed, 0, len(entries))
	var moment Moment
	given := 0
	for _, p := range entries {
		if p.at != moment {
			moment, given = p.at, 0
		}
		given++
		if p.at == after.At && given <= after.Given || p.at.Compare(after.At) < 0 {
			continue
		}
		fed = append(fed, Fed{At: p.at, Nth: given, Cursor: Position{At: p.at, Given: given}, Event: p.event, Alert: p.alert})
	}
	return fed
}
