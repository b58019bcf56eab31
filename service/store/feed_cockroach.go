package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// changefeed is the feed of CockroachDB: a sinkless changefeed on a connection of its own. It gives
// rows in any order, and now and then says up to which moment it has given all. An event goes on at
// once where the one before it, of the same level, has; else it waits for that moment. A level's
// order is kept either way, and what is bought in one place is known in another long before the
// cluster's closed timestamps, which trail by seconds, say so.
type changefeed struct{}

// feedBack is how far back a tail begins, so that a pod that starts knows what readers of others
// that stopped have yet to get.
const feedBack = 30 * time.Second

// clockSkew is how far the clocks of a cluster's nodes may be apart: CockroachDB's own bound.
const clockSkew = 500 * time.Millisecond

// feedClock gives the gateway's clock, and since when the schema is what it is: a changefeed looks for its
// tables at the moment that it begins with.
var feedClock = defineOn(cockroachdb, "feed_clock", `
SELECT cluster_logical_timestamp()::text, applied_at FROM schema_migrations WHERE version = $1`, bigint)

// setUp has the cluster keep its ranges ready to be followed, and tell of changes soon.
func (changefeed) setUp(ctx context.Context, s *Store, brandNew bool) error {
	if err := s.tellSoon(ctx); err != nil {
		return err
	}
	if brandNew {
		if err := s.followFromTheStart(ctx); err != nil {
			return err
		}
	}
	var on bool
	err := s.pool.QueryRow(ctx, "SHOW CLUSTER SETTING kv.rangefeed.enabled", pgx.QueryExecModeSimpleProtocol).Scan(&on)
	if err == nil && on || sqlState(err) == privilegeMissing {
		return nil // who may not see it may not set it either; where it is off, the changefeed says so
	}
	const set = "SET CLUSTER SETTING kv.rangefeed.enabled = true"
	if _, err := s.pool.Exec(ctx, set, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("the change feed needs the cluster setting kv.rangefeed.enabled; have an administrator run: %s (%w)", set, classify(err))
	}
	return nil
}

// A changefeed gives a change when it has looked once more at what columns its tables have. It looks
// every second by default: 1 s that every change takes. Every 100 ms is one small read for each pod.
const (
	lookedEvery   = "SHOW CLUSTER SETTING changefeed.experimental_poll_interval"
	lookMoreOften = "SET CLUSTER SETTING changefeed.experimental_poll_interval = '100ms'"
	lookByDefault = time.Second
)

// tellSoon leaves alone what an administrator has set. Without the right to set it, or on a version
// that doesn't know it, changes are merely later.
func (s *Store) tellSoon(ctx context.Context) error {
	var every pgtype.Interval
	err := s.pool.QueryRow(ctx, lookedEvery, pgx.QueryExecModeSimpleProtocol).Scan(&every)
	if err == nil && every.Microseconds == lookByDefault.Microseconds() {
		_, err = s.pool.Exec(ctx, lookMoreOften, pgx.QueryExecModeSimpleProtocol)
	}
	if sqlState(err) != "" {
		return nil
	}
	return classify(err)
}

// now lies a little back: what is committed from now on, at a node whose clock is behind, comes after it.
func (f changefeed) now(ctx context.Context, s *Store) (Position, error) {
	return f.ago(ctx, s, clockSkew)
}

func (f changefeed) recent(ctx context.Context, s *Store) (Position, error) {
	return f.ago(ctx, s, feedBack)
}

func (changefeed) reached(ctx context.Context, s *Store, p Position) (bool, error) {
	clock, _, err := s.feedClock(ctx)
	return p.At.Wall <= clock.Wall+int64(clockSkew), err
}

// ago is a moment so far back, but none at which there weren't the tables yet.
func (changefeed) ago(ctx context.Context, s *Store, back time.Duration) (Position, error) {
	clock, since, err := s.feedClock(ctx)
	return Position{At: Moment{Wall: max(clock.Wall-int64(back), since.UnixNano())}}, err
}

// feedClock is the clock, and since when the schema is this release's. Errors: ErrUnavailable where it isn't yet.
func (s *Store) feedClock(ctx context.Context) (clock Moment, since time.Time, err error) {
	found := false
	err = s.read(ctx, feedClock, func(r pgx.Rows) error {
		found = true
		var at string
		if err := r.Scan(&at, &since); err != nil {
			return err
		}
		clock, err = parseMoment(at)
		return err
	}, int64(SchemaVersion()))
	if err == nil && !found {
		err = join(ErrUnavailable, errors.New("the database has yet to be migrated to this release"))
	}
	return clock, since, err
}

func (changefeed) tail(s *Store, from Position) Tail {
	t := &changefeedTail{store: s, order: newOrder(from), patience: feedPatience, cameOn: time.Now()}
	t.upTo.Store(from.At.Wall)
	return t
}

const (
	// feedPatience is how long nothing may come of a changefeed: one that is cut off without a word, or stands
	// still for want of anything else, begins again. It is many times what the death of a node takes.
	feedPatience = 30 * time.Second
	// feedHope is how long a tail that can't be brought to come on is tried, with the same place to go on from.
	feedHope = 10 * time.Minute
)

var errHopeless = errors.New("the changefeed doesn't come on from where it was")

type changefeedTail struct {
	store    *Store
	order    *order
	patience time.Duration
	upTo     atomic.Int64 // the order's, for who else asks
	cameOn   time.Time    // when it last did
}

func (t *changefeedTail) Run(ctx context.Context, _ <-chan struct{}, give func(Fresh) error) error {
	t.order.forgetHeld() // they come again
	following, stop := context.WithCancelCause(ctx)
	rows := make(chan []changed, 256)
	ended := make(chan error, 1)
	go func() {
		defer close(rows)
		ended <- t.follow(following, stop, t.order.upTo.At, rows)
	}()
	err := t.pass(ctx, rows, give)
	stop(nil)
	for range rows { // until the other one has ended
	}
	cause := <-ended
	if err == nil {
		err = cause
	}
	if why := context.Cause(following); errors.Is(why, errOtherSource) {
		err = &lostError{why}
	}
	if err = classify(err); t.hopeless(err) {
		err = join(ErrFeedGone, err)
	}
	return err
}

// hopeless says of a tail that was ended that to go on from the same place is in vain: not because the
// database can't be reached, but for what it answers, or as it gives nothing.
func (t *changefeedTail) hopeless(err error) bool {
	answered := !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrFeedStandsStill)
	return answered && time.Since(t.cameOn) > feedHope
}

// feedAsked is how often a tail asks what it is to follow.
const feedAsked = 10 * time.Second

var errOtherSource = errors.New("another table is to be followed, or nobody knows which")

// sourceAt is what is to be followed from a moment on, where batches are complete since another.
func sourceAt(since, wall int64) FeedSource {
	if since <= wall {
		return ByBatches
	}
	return ByEvents
}

// askSource stops a run that follows another table than it should, and one that can't learn what it should:
// it begins again when the database says so.
func (t *changefeedTail) askSource(ctx context.Context, source FeedSource, stop context.CancelCauseFunc) {
	ask := time.NewTicker(feedAsked)
	defer ask.Stop()
	for {
		select {
		case <-ask.C:
			since, err := t.wanted(ctx)
			if err != nil || sourceAt(since, t.upTo.Load()) != source {
				stop(errOtherSource)
			}
		case <-ctx.Done():
			return
		}
	}
}

// wanted asks for batchesSince, on a connection of its own where none is free in time.
func (t *changefeedTail) wanted(ctx context.Context) (since int64, err error) {
	asking, done := context.WithTimeout(ctx, feedAsked)
	defer done()
	if since, err = t.store.batchesSince(asking); err == nil {
		return since, nil
	}
	alone, done := context.WithTimeout(ctx, feedAsked)
	defer done()
	err = t.store.onOwnConn(alone, func(conn *pgx.Conn) (err error) {
		since, err = batchesSince(alone, conn)
		return err
	})
	return since, err
}

// pass gives rows as they come, until there are no more, or the feed stands still.
func (t *changefeedTail) pass(ctx context.Context, rows <-chan []changed, give func(Fresh) error) error {
	patience := time.NewTimer(t.patience)
	defer patience.Stop()
	cameOn := time.Now()
	for open := true; open; {
		var gathered []changed
		var err error
		if gathered, open, err = gather(ctx, rows, patience.C); err != nil {
			return err
		}
		if !open && len(gathered) == 0 {
			return nil // nothing was heard
		}
		patience.Reset(t.patience)
		for _, c := range gathered {
			if err := t.order.take(c); err != nil {
				return err
			}
			if c.resolved() {
				cameOn = time.Now()
				t.cameOn = cameOn
				t.upTo.Store(c.at.Wall)
			}
		}
		if err := give(t.order.fresh()); err != nil {
			return err
		}
		if time.Since(cameOn) > feedHope {
			return join(ErrFeedGone, errHopeless)
		}
	}
	return nil
}

// tailGather bounds how many events are given at once, but for those of one row.
const tailGather = 1024

// gather waits for a row and takes those that are there already with it. open says that more may come.
func gather(ctx context.Context, rows <-chan []changed, tooLate <-chan time.Time) (gathered []changed, open bool, err error) {
	select {
	case gathered, open = <-rows:
	case <-tooLate:
		return nil, false, &lostError{ErrFeedStandsStill}
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	for open && len(gathered) < tailGather {
		var row []changed
		select {
		case row, open = <-rows:
			gathered = append(gathered, row...)
		default:
			return gathered, true, nil
		}
	}
	return gathered, open, nil
}

// follow runs the changefeed; it doesn't end by itself. Everything that it needs it asks on a connection of
// its own, which is new: others may have been cut off without a word.
func (t *changefeedTail) follow(ctx context.Context, stop context.CancelCauseFunc, from Moment, rows chan<- []changed) error {
	return t.store.onOwnConn(ctx, func(conn *pgx.Conn) error {
		since, err := batchesSince(ctx, conn)
		if err != nil {
			return err
		}
		var version string // the node's own: a cluster is upgraded under the pods that run
		if err := conn.QueryRow(ctx, "SELECT version()", pgx.QueryExecModeSimpleProtocol).Scan(&version); err != nil {
			return &lostError{err}
		}
		if _, err := conn.Exec(ctx, "SET statement_timeout = 0", pgx.QueryExecModeSimpleProtocol); err != nil {
			return &lostError{err}
		}
		source := sourceAt(since, from.Wall)
		go t.askSource(ctx, source, stop)
		given := conn.PgConn().ExecParams(ctx, createChangefeed(version, source, from), nil, nil, nil, []int16{pgx.BinaryFormatCode})
		var broken error
		for broken == nil && given.NextRow() {
			var row []changed
			if row, broken = readChanged(given.Values()); broken != nil {
				break
			}
			select {
			case rows <- row:
			case <-ctx.Done():
				broken = ctx.Err()
			}
		}
		if broken != nil {
			// The server goes on until the connection is gone.
			_ = conn.PgConn().Conn().Close()
			_, _ = given.Close()
			return broken
		}
		_, err = given.Close()
		switch {
		case err == nil:
			return &lostError{errors.New("the changefeed ended")}
		case strings.Contains(err.Error(), "GC threshold"), strings.Contains(err.Error(), "garbage collect"):
			return join(ErrFeedGone, err)
		case conn.IsClosed():
			return &lostError{err}
		}
		return err
	})
}
