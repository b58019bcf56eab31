package feed

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Earliest is the cursor before everything.
const Earliest = "earliest"

// A cursor's text begins with the database that it is of: places in one are nothing to the other.
const (
	ofCockroach = 'c'
	ofPostgres  = 'p'
	ofPages     = 'e' // CockroachDB's, with what came early
)

var (
	errForeignCursor = errors.New("is of another database than this one")
	errBadCursor     = errors.New("is not a cursor that this feed gave")
)

// maxCursor is more than any cursor is long.
const maxCursor = 4096

func databaseMark(cockroach bool) byte {
	if cockroach {
		return ofCockroach
	}
	return ofPostgres
}

// encode gives a position's text: what it says only moves a window over a feed that its reader may
// see anyway, so that it needs no signature, just care.
func encode(p store.Position, cockroach bool) string {
	return base64.RawURLEncoding.EncodeToString(appendPosition([]byte{databaseMark(cockroach)}, p))
}

// encodePage gives the text of a position and of what a reader of pages has beyond it.
func encodePage(p store.Position, e early) string {
	if len(e) == 0 {
		return encode(p, true)
	}
	return base64.RawURLEncoding.EncodeToString(appendPosition(e.append([]byte{ofPages}, p), p))
}

func appendPosition(b []byte, p store.Position) []byte {
	b = binary.AppendVarint(b, p.At.Wall)
	b = binary.AppendVarint(b, int64(p.At.Logical))
	b = binary.AppendVarint(b, int64(p.Given))
	if past := p.Past; past != nil {
		b = binary.AppendVarint(b, past.UpTo.Wall)
		b = binary.AppendVarint(b, int64(past.UpTo.Logical))
		b = binary.AppendVarint(b, past.Version)
		for _, s := range []string{past.Key.Region, past.Key.SKU, past.Key.Location} {
			b = appendText(b, s)
		}
		if past.Alerts {
			b = appendText(b, past.After.Region)
			b = append(b, past.After.UUID[:]...)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decode reads a cursor; what came early is nil where it names nothing. Errors: errBadCursor,
// errForeignCursor.
func decode(cursor string, cockroach bool) (p store.Position, e early, err error) {
	if cursor == Earliest {
		return p, nil, nil
	}
	if len(cursor) > maxCursor {
		return p, nil, errBadCursor
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) == 0 || !strings.ContainsRune(string([]rune{ofCockroach, ofPostgres, ofPages}), rune(raw[0])) {
		return p, nil, errBadCursor
	}
	if cockroach == (raw[0] == ofPostgres) {
		return p, nil, errForeignCursor
	}
	r := cursorReader{rest: raw[1:]}
	base := int64(0)
	if raw[0] == ofPages {
		e, base = r.early()
	}
	p.At, p.Given = r.moment(), int(r.number())
	if len(r.rest) > 0 && !r.bad {
		p.Past = r.past()
	}
	if r.bad || len(r.rest) > 0 || p.At.Wall < 0 || p.At.Logical < 0 || p.Given < 0 || p.Past != nil && !cockroach || e != nil && base != milliseconds(p.At) {
		return store.Position{}, nil, errBadCursor
	}
	return p, e, nil
}

// cursorReader takes a cursor apart; bad says that it did not hold what was looked for.
type cursorReader struct {
	rest []byte
	bad  bool
}

func (r *cursorReader) past() *store.PastPosition {
	past := &store.PastPosition{UpTo: r.moment(), Version: r.number()}
	past.Key = inventory.LevelKey{Region: r.text(), SKU: r.text(), Location: r.text()}
	r.bad = r.bad || past.Version < 0
	if past.Alerts = len(r.rest) > 0; past.Alerts {
		past.After.Region = r.text()
		copy(past.After.UUID[:], r.bytes(len(past.After.UUID)))
	}
	return past
}

func (r *cursorReader) moment() store.Moment {
	m := store.Moment{Wall: r.number()}
	logical := r.number()
	m.Logical = int32(logical)
	r.bad = r.bad || int64(m.Logical) != logical
	return m
}

func (r *cursorReader) number() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *cursorReader) text() string {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)-size) {
		r.bad = true
		return ""
	}
	r.rest = r.rest[size:]
	return string(r.bytes(int(n)))
}

func (r *cursorReader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.bad = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
