package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"go.opentelemetry.io/otel/attribute"
)

// Parameter types. They are declared, not inferred: CockroachDB takes `$1::int8[]` for text.
const (
	text   = pgtype.TextOID
	texts  = pgtype.TextArrayOID
	bigint = pgtype.Int8OID
	ints   = pgtype.Int8ArrayOID
	times  = pgtype.TimestamptzArrayOID
	moment = pgtype.TimestamptzOID
	blob   = pgtype.ByteaOID
	blobs  = pgtype.ByteaArrayOID
	bools  = pgtype.BoolArrayOID
	float  = pgtype.Float8OID
	flag   = pgtype.BoolOID
)

// statement is one SQL statement, prepared on each connection when it is first used there.
type statement struct {
	name  string
	sql   string
	types []uint32
	only  string // the one database that knows it; "": both do
}

// statements lists every statement, for the check that each finds its rows by an index.
var statements []*statement

func define(name, sql string, types ...uint32) *statement {
	st := &statement{name: name, sql: sql, types: types}
	statements = append(statements, st)
	return st
}

// defineOn defines a statement that only one of the databases knows.
func defineOn(database, name, sql string, types ...uint32) *statement {
	st := define(name, sql, types...)
	st.only = database
	return st
}

// keyedStatement is one statement for each of a few numbers of keys. Rows to be locked are named in
// an IN list: of all ways to name many rows it is the one that CockroachDB v21.1 locks them by.
type keyedStatement map[int]*statement

// maxKeys bounds an IN list; more keys take several statements of the same round trip.
const maxKeys = 128

// defineKeyed defines a statement for 1, 2, 4 ... maxKeys keys. In its SQL, $KEYS is the list of
// keys; a key has as many parts as there are casts, each a text that is cast so.
func defineKeyed(name, sql string, casts ...string) keyedStatement {
	family := keyedStatement{}
	for n := 1; n <= maxKeys; n *= 2 {
		keys := make([]string, n)
		types := make([]uint32, 0, n*len(casts))
		for i := range keys {
			parts := make([]string, len(casts))
			for j, cast := range casts {
				types = append(types, text)
				parts[j] = fmt.Sprintf("$%d%s", len(types), cast)
			}
			keys[i] = "(" + strings.Join(parts, ", ") + ")"
		}
		list := "(" + strings.Join(keys, ", ") + ")"
		family[n] = define(fmt.Sprintf("%s_%d", name, n), strings.ReplaceAll(sql, "$KEYS", list), types...)
	}
	return family
}

// queueKeyed queues the statement for keys, in their order. The last one is repeated to fill a list up.
func queueKeyed[Key any](tx *Tx, family keyedStatement, rows func(pgx.Rows) error, keys []Key, parts func(Key) []any) {
	for len(keys) > 0 {
		some := keys[:min(len(keys), maxKeys)]
		keys = keys[len(some):]
		n := 1
		for n < len(some) {
			n *= 2
		}
		var args []any
		for i := range n {
			args = append(args, parts(some[min(i, len(some)-1)])...)
		}
		tx.queue(family[n], rows, args...)
	}
}

// session is what we keep of a connection: the statements that it has prepared, a buffer for their
// parameters, and what spans say of its server.
type session struct {
	prepared map[string]*ready
	server   []attribute.KeyValue
	buffer   []byte
}

// ready is a statement as a connection has prepared it.
type ready struct {
	parameters []uint32 // their types
	results    []int16  // formats of the columns
}

const sessionKey = "stockyard.session"

// keptBuffer bounds the buffer that a connection keeps after a statement, in bytes: a batch of the
// usual size takes some 300 KiB.
const keptBuffer = 1 << 20

// call is a statement to be run with its arguments; rows, if any, scans each row of its result.
type call struct {
	st   *statement
	args []any
	rows func(pgx.Rows) error
}

// roundTrip sends calls, framed by plain commands such as BEGIN and COMMIT, in one pipeline. A
// failing call is named in the error; none after it has run.
func roundTrip(ctx context.Context, conn *pgx.Conn, before string, calls []call, after string) error {
	trip := beginTrip(ctx, conn)
	err := pipelined(ctx, conn, trip, before, calls, after)
	trip.end(err)
	if err != nil && conn.IsClosed() {
		return &lostError{err}
	}
	return err
}

func pipelined(ctx context.Context, conn *pgx.Conn, trip *trip, before string, calls []call, after string) error {
	s, err := prepareAll(ctx, conn, calls)
	if err != nil {
		return err
	}
	pipeline := conn.PgConn().StartPipeline(ctx)
	if err := s.send(conn.TypeMap(), pipeline, before, calls, after); err != nil {
		_ = pipeline.Close()
		return err
	}
	trip.sent()
	err = receive(conn, pipeline, trip, before, calls, after)
	if closeErr := pipeline.Close(); err == nil {
		err = closeErr
	}
	return err
}

func prepareAll(ctx context.Context, conn *pgx.Conn, calls []call) (*session, error) {
	s, ok := conn.PgConn().CustomData()[sessionKey].(*session)
	if !ok {
		return nil, fmt.Errorf("the connection was not set up")
	}
	for _, c := range calls {
		if s.prepared[c.st.name] != nil {
			continue
		}
		sd, err := conn.PgConn().Prepare(ctx, c.st.name, c.st.sql, c.st.types)
		if err != nil {
			return nil, fmt.Errorf("prepare %s: %w", c.st.name, err)
		}
		r := &ready{parameters: sd.ParamOIDs}
		for _, f := range sd.Fields {
			r.results = append(r.results, conn.TypeMap().FormatCodeForOID(f.DataTypeOID))
		}
		s.prepared[c.st.name] = r
	}
	return s, nil
}

func (s *session) send(types *pgtype.Map, p *pgconn.Pipeline, before string, calls []call, after string) error {
	if before != "" {
		p.SendQueryParams(before, nil, nil, nil, nil)
	}
	for _, c := range calls {
		r := s.prepared[c.st.name]
		values, formats, err := s.encode(types, r.parameters, c.args)
		if err != nil {
			// Nothing was sent yet, so the connection stays in step.
			return fmt.Errorf("encode %s: %w", c.st.name, err)
		}
		p.SendQueryPrepared(c.st.name, values, formats, r.results) // copies the values
	}
	if after != "" {
		p.SendQueryParams(after, nil, nil, nil, nil)
	}
	return p.Sync()
}

func receive(conn *pgx.Conn, p *pgconn.Pipeline, trip *trip, before string, calls []call, after string) error {
	if before != "" {
		_, err := finish(p)
		trip.answered(before, before, err)
		if err != nil {
			return &callError{before, err}
		}
	}
	for _, c := range calls {
		err := c.receive(conn, p)
		trip.answered(c.st.name, c.st.sql, err)
		if err != nil {
			return &callError{c.st.name, err}
		}
	}
	if after == "" {
		return nil
	}
	tag, err := finish(p)
	trip.answered(after, after, err)
	if err != nil {
		return &callError{after, err}
	}
	if tag.String() != after {
		return &callError{after, fmt.Errorf("the server answered %s", tag)}
	}
	return nil
}

func (c call) receive(conn *pgx.Conn, p *pgconn.Pipeline) error {
	results, err := p.GetResults()
	if err != nil {
		return err
	}
	reader, ok := results.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("unexpected results %T", results)
	}
	rows := pgx.RowsFromResultReader(conn.TypeMap(), reader)
	for rows.Next() {
		if c.rows == nil {
			continue
		}
		if err := c.rows(rows); err != nil {
			return err
		}
	}
	rows.Close()
	return rows.Err()
}

func finish(p *pgconn.Pipeline) (pgconn.CommandTag, error) {
	results, err := p.GetResults()
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	reader, ok := results.(*pgconn.ResultReader)
	if !ok {
		return pgconn.CommandTag{}, fmt.Errorf("unexpected results %T", results)
	}
	return reader.Close()
}
