package store

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"stockyard/service/inventory"
)

// array is an array parameter in PostgreSQL's binary format. It is written only when its statement
// is sent, into the connection's buffer: batches are mostly arrays, and encoding them by reflection
// takes more time than deciding the commands does.
type array func(into []byte) []byte

// element is what a column of rows can hold. Ids travel as text: CockroachDB v21.1 takes no arrays
// of UUID.
type element interface {
	string | int64 | bool | time.Time | []byte | [16]byte | *inventory.ID
}

// column lays one field of many rows out as an array parameter. The rows must stay as they are until
// the statement is sent.
func column[Row any, Value element](rows []Row, field func(*Row) Value) array {
	return func(b []byte) []byte {
		switch field := any(field).(type) {
		case func(*Row) string:
			return appendElements(b, pgtype.TextOID, rows, func(b []byte, r *Row) []byte { return append(b, field(r)...) })
		case func(*Row) int64:
			return appendElements(b, pgtype.Int8OID, rows, func(b []byte, r *Row) []byte {
				return binary.BigEndian.AppendUint64(b, uint64(field(r)))
			})
		case func(*Row) time.Time:
			return appendElements(b, pgtype.TimestamptzOID, rows, func(b []byte, r *Row) []byte { return appendMoment(b, field(r)) })
		case func(*Row) []byte:
			return appendElements(b, pgtype.ByteaOID, rows, func(b []byte, r *Row) []byte { return append(b, field(r)...) })
		case func(*Row) bool:
			return appendElements(b, pgtype.BoolOID, rows, func(b []byte, r *Row) []byte { return appendFlag(b, field(r)) })
		case func(*Row) [16]byte:
			return appendElements(b, pgtype.TextOID, rows, func(b []byte, r *Row) []byte { return appendUUID(b, field(r)) })
		case func(*Row) *inventory.ID: // its UUID, or the empty text for none
			return appendElements(b, pgtype.TextOID, rows, func(b []byte, r *Row) []byte {
				if id := field(r); id != nil {
					return appendUUID(b, id.UUID)
				}
				return b
			})
		}
		panic("unreachable: the constraint lists the cases")
	}
}

// appendElements writes an array of one dimension: how it is laid out, then each element behind its
// length.
func appendElements[Row any](b []byte, oid uint32, rows []Row, value func([]byte, *Row) []byte) []byte {
	const fieldBytes = 4
	if len(rows) == 0 {
		b = binary.BigEndian.AppendUint32(b, 0) // dimensions
		b = binary.BigEndian.AppendUint32(b, 0) // no NULLs
		return binary.BigEndian.AppendUint32(b, oid)
	}
	for _, n := range [...]uint32{1, 0, oid, uint32(len(rows)), 1} { // the last: elements count from 1
		b = binary.BigEndian.AppendUint32(b, n)
	}
	for i := range rows {
		at := len(b)
		b = value(append(b, 0, 0, 0, 0), &rows[i])
		binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-fieldBytes))
	}
	return b
}

// appendMoment writes a timestamptz: microseconds since the year 2000.
func appendMoment(b []byte, t time.Time) []byte {
	const year2000 = 946_684_800_000_000 // in microseconds since 1970
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro()-year2000))
}

func appendFlag(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendUUID writes an id as text.
func appendUUID(b []byte, u [16]byte) []byte {
	b = append(hex.AppendEncode(b, u[:4]), '-')
	b = append(hex.AppendEncode(b, u[4:6]), '-')
	b = append(hex.AppendEncode(b, u[6:8]), '-')
	b = append(hex.AppendEncode(b, u[8:10]), '-')
	return hex.AppendEncode(b, u[10:])
}

// encode writes a statement's arguments in their formats. The values are good until the next call.
func (s *session) encode(types *pgtype.Map, oids []uint32, args []any) (values [][]byte, formats []int16, err error) {
	if len(oids) != len(args) {
		return nil, nil, fmt.Errorf("%d arguments for %d parameters", len(args), len(oids))
	}
	if s.buffer == nil || cap(s.buffer) > keptBuffer {
		s.buffer = make([]byte, 0, 4096)
	}
	b := s.buffer[:0]
	values, formats = make([][]byte, len(args)), make([]int16, len(args))
	for i, arg := range args {
		at := len(b)
		switch arg := arg.(type) {
		case array:
			b, formats[i] = arg(b), pgtype.BinaryFormatCode
		case string:
			b, formats[i] = append(b, arg...), pgtype.TextFormatCode
		default:
			formats[i] = types.FormatCodeForOID(oids[i])
			full, err := types.Encode(oids[i], formats[i], arg, b)
			if err != nil {
				return nil, nil, fmt.Errorf("$%d: %w", i+1, err)
			}
			if full == nil { // NULL
				continue
			}
			b = full
		}
		values[i] = b[at:len(b):len(b)]
	}
	s.buffer = b
	return values, formats, nil
}
