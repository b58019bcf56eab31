package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
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

// A changefeed looks for its tables at the moment that it begins with.
var schemaSince = defineOn(cockroachdb, "schema_since", `SELECT applied_at FROM schema_migrations WHERE version = $1`, bigint)

var clusterTime = defineOn(cockroachdb, "cluster_time", `SELECT cluster_logical_timestamp()::text`)

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
	if err == nil && on {
		return nil
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

func (changefeed) now(ctx context.Context, s *Store) (p Position, err error) {
	err = s.read(ctx, clusterTime, func(r pgx.Rows) error {
		var at string
		err := r.Scan(&at)
		if err == nil {
			p.At, err = parseMoment(at)
		}
		return err
	})
	return p, err
}

func (f changefeed) recent(ctx context.Context, s *Store) (Position, error) {
	p, err := f.now(ctx, s)
	if err != nil {
		return p, err
	}
	from := p.At.Wall - int64(feedBack)
	err = s.read(ctx, schemaSince, func(r pgx.Rows) error {
		var since time.Time
		err := r.Scan(&since)
		from = max(from, since.UnixNano())
		return err
	}, int64(SchemaVersion()))
	return Position{At: Moment{Wall: from}}, err
}

func (changefeed) tail(s *Store, from Position) Tail {
	return &changefeedTail{store: s, order: newOrder(from), patience: feedPatience}
}

// feedPatience is how long a changefeed may not come on: one that is cut off without a word, or stands
// still for want of anything else, begins again. It is many times what the death of a node takes.
const feedPatience = 30 * time.Second

var errStandsStill = errors.New("the changefeed stands still")

type changefeedTail struct {
	store    *Store
	order    *order
	patience time.Duration
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
	switch {
	case errors.Is(context.Cause(following), errOtherSource):
		err = &lostError{errOtherSource}
	case err == nil:
		err = cause
	}
	return classify(err)
}

// feedAsked is how often a tail asks what it is to follow.
const feedAsked = 10 * time.Second

var errOtherSource = errors.New("another table is to be followed")

// askSource stops a run that follows another table than it should.
func (t *changefeedTail) askSource(ctx context.Context, source FeedSource, stop context.CancelCauseFunc) {
	ask := time.NewTicker(feedAsked)
	defer ask.Stop()
	for {
		select {
		case <-ask.C:
			asking, done := context.WithTimeout(ctx, feedAsked)
			if wanted, err := t.store.FeedSource(asking); err == nil && wanted != source {
				stop(errOtherSource)
			}
			done()
		case <-ctx.Done():
			return
		}
	}
}

// pass gives rows as they come, until there are no more, or the feed stands still.
func (t *changefeedTail) pass(ctx context.Context, rows <-chan []changed, give func(Fresh) error) error {
	patience := time.NewTimer(t.patience)
	defer patience.Stop()
	for {
		gathered, err := gather(ctx, rows, patience.C)
		if len(gathered) == 0 {
			return err
		}
		for _, c := range gathered {
			t.order.take(c)
			if c.resolved() {
				patience.Reset(t.patience)
			}
		}
		if err := give(t.order.fresh()); err != nil {
			return err
		}
	}
}

// tailGather bounds how many events are given at once, but for those of one row.
const tailGather = 1024

// gather waits for a row and takes those that are there already with it; none at the end.
func gather(ctx context.Context, rows <-chan []changed, tooLate <-chan time.Time) (gathered []changed, err error) {
	select {
	case row, open := <-rows:
		if !open {
			return nil, nil
		}
		gathered = row
	case <-tooLate:
		return nil, &lostError{errStandsStill}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for len(gathered) < tailGather {
		select {
		case row, open := <-rows:
			if !open {
				return gathered, nil
			}
			gathered = append(gathered, row...)
		default:
			return gathered, nil
		}
	}
	return gathered, nil
}

// changed is an entry that a row of the changefeed has, or, where neither event nor alert is there, the
// moment up to which all rows have come.
type changed struct{ placed }

func (c changed) resolved() bool { return c.event == nil && c.alert == nil }

// follow runs the changefeed; it doesn't end by itself. Everything that it needs it asks on a connection of
// its own, which is new: others may have been cut off without a word.
func (t *changefeedTail) follow(ctx context.Context, stop context.CancelCauseFunc, from Moment, rows chan<- []changed) error {
	return t.store.onOwnConn(ctx, func(conn *pgx.Conn) error {
		since, err := batchesSince(ctx, conn)
		if err != nil {
			return err
		}
		source := ByEvents
		if since <= from.Wall {
			source = ByBatches
		}
		go t.askSource(ctx, source, stop)
		if _, err := conn.Exec(ctx, "SET statement_timeout = 0", pgx.QueryExecModeSimpleProtocol); err != nil {
			return &lostError{err}
		}
		given := conn.PgConn().ExecParams(ctx, fmt.Sprintf(
			"CREATE CHANGEFEED FOR TABLE %s, alerts WITH updated, resolved = '100ms', cursor = '%s', schema_change_policy = 'nobackfill'",
			source.table(), from.before()), nil, nil, nil, []int16{pgx.BinaryFormatCode})
		var broken error
		for broken == nil && given.NextRow() {
			var row []changed
			if row, broken = readChanged(given.Values()); len(row) == 0 {
				continue
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

// readChanged gives what a row has: the table's name, "" with a resolved moment, the key, and the value.
// A row that was deleted has nothing.
func readChanged(values [][]byte) ([]changed, error) {
	if len(values) != 3 {
		return nil, fmt.Errorf("a row of the changefeed has %d columns", len(values))
	}
	switch table, value := string(values[0]), values[2]; table {
	case "":
		_, at, err := unwrap[struct{}](value)
		if err != nil || at == (Moment{}) {
			return nil, err
		}
		return []changed{{placed{at: at}}}, nil
	case ByBatches.table():
		batch, at, err := unwrap[changedBatch](value)
		if err != nil || batch == nil {
			return nil, err
		}
		events, err := batch.unpack()
		all := make([]changed, len(events))
		for i := range events {
			all[i] = changed{placed{at: at, event: &events[i]}}
		}
		return all, err
	case ByEvents.table():
		row, at, err := unwrap[changedEvent](value)
		if err != nil || row == nil {
			return nil, err
		}
		event, err := row.event()
		return []changed{{placed{at: at, event: event}}}, err
	case "alerts":
		row, at, err := unwrap[changedAlert](value)
		if err != nil || row == nil {
			return nil, err
		}
		alert, err := row.alert()
		return []changed{{placed{at: at, alert: alert}}}, err
	default:
		return nil, fmt.Errorf("the changefeed gives rows of %s", table)
	}
}

// before is a moment just before m, as CockroachDB writes it.
func (m Moment) before() string {
	if m.Logical > 0 {
		return Moment{m.Wall, m.Logical - 1}.String()
	}
	return Moment{Wall: m.Wall - 1}.String()
}

func (m Moment) String() string { return fmt.Sprintf("%d.%010d", m.Wall, m.Logical) }

func parseMoment(s string) (m Moment, err error) {
	wall, logical, _ := strings.Cut(s, ".")
	if m.Wall, err = strconv.ParseInt(wall, 10, 64); err != nil {
		return m, fmt.Errorf("not a timestamp of CockroachDB: %q", s)
	}
	if logical != "" {
		// Decimals lose zeros at their end.
		logical += strings.Repeat("0", max(10-len(logical), 0))
		n, err := strconv.ParseInt(logical, 10, 32)
		if err != nil {
			return m, fmt.Errorf("not a timestamp of CockroachDB: %q", s)
		}
		m.Logical = int32(n)
	}
	return m, nil
}
