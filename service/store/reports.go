package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"stockyard/service/report"
)

// Bounds of a report. ReportTimeout is how long it may take unless its caller says otherwise.
const (
	MaxReportRows = 100_000
	ReportTimeout = time.Minute
)

// What a report is refused for; none of it says that something is broken.
var (
	// ErrTooManyRows: it found more than MaxReportRows.
	ErrTooManyRows = errors.New("more rows than a report may have")
	// ErrTooLarge: its numbers are larger than the database can add up.
	ErrTooLarge = errors.New("numbers too large to be added up")
	// ErrTooSlow: it was still at work when its time was up.
	ErrTooSlow = errors.New("the report took too long")
)

var typesOfParams = map[report.Type]uint32{report.Text: text, report.Integer: bigint, report.Date: pgtype.DateOID, report.Time: moment}

// Report runs a report at one moment, read-only and without locks: of AtMost's store, one that the
// nearest replica can tell of. It has a connection of its own, so that it takes none from the tills.
// Errors: ErrTooManyRows, ErrTooLarge, ErrTooSlow, ErrUnavailable, the context's.
func (s *Store) Report(ctx context.Context, r *report.Report, values report.Values, timeout time.Duration) (found report.Result, err error) {
	const tries = 3
	for attempt := 1; ; attempt++ {
		err = s.onOwnConn(ctx, func(conn *pgx.Conn) error {
			found, err = s.reportOn(ctx, conn, r, values, timeout)
			if err != nil && conn.IsClosed() {
				return &lostError{err}
			}
			return err
		})
		if s.begin != "" && isBeforeSchema(err) {
			return s.now.Report(ctx, r, values, timeout)
		}
		if !isLost(err) || attempt == tries || pause(ctx, attempt) != nil {
			return found, reportError(ctx, err)
		}
	}
}

// reportError sorts what ended a report.
func reportError(ctx context.Context, err error) error {
	const outOfRange, noInterval, canceled = "22003", "22008", "57014"
	switch code := sqlState(err); {
	case ctx.Err() != nil && err != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case code == outOfRange, code == noInterval:
		return join(ErrTooLarge, err)
	case code == canceled:
		return join(ErrTooSlow, err)
	case errors.Is(err, ErrTooManyRows):
		return err
	}
	return classify(err)
}

func (s *Store) reportOn(ctx context.Context, conn *pgx.Conn, r *report.Report, values report.Values, timeout time.Duration) (found report.Result, err error) {
	begin := s.begin
	if begin == "" {
		begin = s.dialect.snapshot
	}
	for _, set := range []string{s.dialect.report, begin, fmt.Sprintf("SET statement_timeout = '%dms'", max(timeout.Milliseconds(), 1))} {
		if _, err := conn.Exec(ctx, set, pgx.QueryExecModeSimpleProtocol); err != nil {
			return found, err
		}
	}
	found.Report = r
	if err := conn.QueryRow(ctx, "SELECT now()", pgx.QueryExecModeSimpleProtocol).Scan(&found.AsOf); err != nil {
		return found, err
	}
	found.AsOf = found.AsOf.UTC()
	found.Params = r.At(values, found.AsOf)
	args, types := make([][]byte, len(r.Params)), make([]uint32, len(r.Params))
	for i, p := range r.Params {
		args[i], types[i] = []byte(found.Params[i]), typesOfParams[p.Type]
	}
	most := int64(MaxReportRows)
	place, limit, limited := r.Limit(found.Params)
	if limited = limited && limit <= MaxReportRows; limited { // one row more, so that the end is known from a cut
		most, args[place] = limit, strconv.AppendInt(nil, limit+1, 10)
	}
	reader := conn.PgConn().ExecParams(ctx, r.SQL, args, types, nil, nil) // values as text, both ways: no digit is lost
	found.Rows, err = readReport(r, reader, most)
	_, closing := reader.Close()
	if found.More = limited && errors.Is(err, ErrTooManyRows); found.More {
		err = nil
	}
	if err == nil {
		err = closing
	}
	return found, err
}

// readReport reads up to so many rows. Errors: ErrTooManyRows with the rows before, or that the
// report isn't what its header says.
func readReport(r *report.Report, reader *pgconn.ResultReader, most int64) (rows [][]report.Value, err error) {
	rows = [][]report.Value{}
	for reader.NextRow() {
		if int64(len(rows)) == most {
			return rows, cmp.Or(checkColumns(r, reader.FieldDescriptions()), ErrTooManyRows)
		}
		values := reader.Values()
		if len(values) != len(r.Columns) {
			break
		}
		row := make([]report.Value, len(r.Columns))
		for i, raw := range values {
			if raw == nil {
				continue
			}
			if row[i], err = r.Columns[i].Read(string(raw)); err != nil {
				return nil, fmt.Errorf("report %s: %w", r.Name, err)
			}
		}
		rows = append(rows, row)
	}
	if fields := reader.FieldDescriptions(); fields != nil { // none where the statement failed
		return rows, checkColumns(r, fields)
	}
	return rows, nil
}

// typesOfColumns are what the databases may give for what a header says; any will do for text.
var typesOfColumns = map[report.Type][]uint32{
	report.Integer: {pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID},
	report.Decimal: {pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.Float8OID},
	report.Date:    {pgtype.DateOID},
	report.Time:    {pgtype.TimestamptzOID},
	report.Boolean: {pgtype.BoolOID},
}

// checkColumns holds the statement's columns against the header.
func checkColumns(r *report.Report, fields []pgconn.FieldDescription) error {
	if len(fields) != len(r.Columns) {
		return fmt.Errorf("report %s: it has %d columns; the header says %d", r.Name, len(fields), len(r.Columns))
	}
	for i, f := range fields {
		c := r.Columns[i]
		if types := typesOfColumns[c.Type]; f.Name != c.Name || types != nil && !slices.Contains(types, f.DataTypeOID) {
			return fmt.Errorf("report %s: column %d is %s of type %d; the header says %s, %s", r.Name, i+1, f.Name, f.DataTypeOID, c.Name, c.Type)
		}
	}
	return nil
}
