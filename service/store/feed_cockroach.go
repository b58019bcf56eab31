package store

import (
	"context"
	"encoding/hex"
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
func (changefeed) setUp(ctx context.Context, s *Store) error {
	if err := s.tellSoon(ctx); err != nil {
		return err
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

// tailGather bounds how many rows are given at once.
const tailGather = 1024

func (t *changefeedTail) Run(ctx context.Context, _ <-chan struct{}, give func(Fresh) error) error {
	t.order.forgetHeld() // they come again
	following, stop := context.WithCancel(ctx)
	rows := make(chan changed, tailGather)
	ended := make(chan error, 1)
	go func() {
		defer close(rows)
		ended <- t.follow(following, t.order.upTo.At, rows)
	}()
	err := t.pass(ctx, rows, give)
	stop()
	for range rows { // until the other one has ended
	}
	if cause := <-ended; err == nil {
		err = cause
	}
	return classify(err)
}

// pass gives rows as they come, until there are no more, or the feed stands still.
func (t *changefeedTail) pass(ctx context.Context, rows <-chan changed, give func(Fresh) error) error {
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

// gather waits for a row and takes those that are there already with it; none at the end.
func gather(ctx context.Context, rows <-chan changed, tooLate <-chan time.Time) (gathered []changed, err error) {
	select {
	case c, open := <-rows:
		if !open {
			return nil, nil
		}
		gathered = append(gathered, c)
	case <-tooLate:
		return nil, &lostError{errStandsStill}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for len(gathered) < tailGather {
		select {
		case c, open := <-rows:
			if !open {
				return gathered, nil
			}
			gathered = append(gathered, c)
		default:
			return gathered, nil
		}
	}
	return gathered, nil
}

// changed is a row of the changefeed, or, where neither event nor alert is there, the moment up to
// which all rows have come.
type changed struct{ placed }

func (c changed) resolved() bool { return c.event == nil && c.alert == nil }

// follow runs the changefeed; it doesn't end by itself.
func (t *changefeedTail) follow(ctx context.Context, from Moment, rows chan<- changed) error {
	return t.store.onOwnConn(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SET statement_timeout = 0", pgx.QueryExecModeSimpleProtocol); err != nil {
			return &lostError{err}
		}
		results := conn.PgConn().Exec(ctx, fmt.Sprintf(
			"CREATE CHANGEFEED FOR TABLE stock_events, alerts WITH updated, resolved = '100ms', cursor = '%s', schema_change_policy = 'nobackfill'",
			from.before()))
		var broken error
		for broken == nil && results.NextResult() {
			reader := results.ResultReader()
			for broken == nil && reader.NextRow() {
				broken = sendRow(ctx, rows, reader.Values())
			}
		}
		if broken != nil {
			// The server goes on until the connection is gone.
			_ = conn.PgConn().Conn().Close()
			_ = results.Close()
			return broken
		}
		err := results.Close()
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

func sendRow(ctx context.Context, rows chan<- changed, values [][]byte) error {
	if len(values) != 3 {
		return fmt.Errorf("a row of the changefeed has %d columns", len(values))
	}
	value, err := hex.DecodeString(strings.TrimPrefix(string(values[2]), `\x`)) // bytes, as text
	if err != nil {
		return fmt.Errorf("a row of the changefeed: %w", err)
	}
	c, err := parseChanged(string(values[0]), value)
	if err != nil || c.at == (Moment{}) {
		return err
	}
	select {
	case rows <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// parseChanged reads a row: the table's name, "" with a resolved moment, and the value. A row that
// was deleted gives nothing.
func parseChanged(table string, value []byte) (c changed, err error) {
	switch table {
	case "", "stock_events":
		row, at, err := unwrap[changedEvent](value)
		if c.at = at; err == nil && row != nil {
			c.event, err = row.event()
		}
		return c, err
	case "alerts":
		row, at, err := unwrap[changedAlert](value)
		if c.at = at; err == nil && row != nil {
			c.alert, err = row.alert()
		}
		return c, err
	}
	return c, fmt.Errorf("the changefeed gives rows of %s", table)
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
