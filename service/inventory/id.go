package inventory

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
)

// ID is an id that Stockyard made. It carries the home region of what it names, so that any
// region's endpoint goes straight to the right rows, and the hash of a stock level, so that it goes
// to the right lane. Its text form is opaque to callers: "<region>.<26 letters and digits>".
type ID struct {
	Region string
	UUID   [16]byte
}

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

var errBadID = errors.New("no id of this system")

// An id's bytes: where among all ids made at its time it lies (1), the time (6), chance (6), the hash
// of the level (2), chance and whether it spans (1). Rows that are made together so lie in few places,
// whose pages are at hand and whose neighbours share a range, but in more than one: where a database
// grows at one end, one node writes.
const (
	spread = 64
	laneAt = 13
)

// NewID makes an id at home in the level's region from 16 bytes of which those from the second to the
// seventh are the time, and the others random. spans says that the rows it names lie in more regions
// than its own.
func NewID(level LevelKey, random [16]byte, spans bool) ID {
	hash := level.Hash()
	random[0] = byte(hash % spread)
	binary.BigEndian.PutUint16(random[laneAt:], hash)
	random[15] &^= 1
	if spans {
		random[15] |= 1
	}
	return ID{Region: level.Region, UUID: random}
}

// Lane is the hash of the stock level that the id was made for.
func (id ID) Lane() uint16 { return binary.BigEndian.Uint16(id.UUID[laneAt:]) }

// Spans says whether rows of this id lie in other regions too.
func (id ID) Spans() bool { return id.UUID[15]&1 == 1 }

// Compare orders ids the way the database's primary keys do.
func (id ID) Compare(o ID) int {
	if c := strings.Compare(id.Region, o.Region); c != 0 {
		return c
	}
	return bytes.Compare(id.UUID[:], o.UUID[:])
}

// IsZero says that there is no id.
func (id ID) IsZero() bool { return id == ID{} }

func (id ID) String() string {
	return id.Region + "." + idEncoding.EncodeToString(id.UUID[:])
}

// ParseID reads the text form. Whether the region exists is for the caller to see.
func ParseID(s string) (ID, error) {
	region, rest, found := strings.Cut(s, ".")
	if !found || region == "" || len(rest) != 26 {
		return ID{}, errBadID
	}
	raw, err := idEncoding.DecodeString(rest)
	if err != nil || len(raw) != 16 {
		return ID{}, errBadID
	}
	id := ID{Region: region}
	copy(id.UUID[:], raw)
	if id.String() != s { // the last letter has spare bits: only one spelling is ours
		return ID{}, errBadID
	}
	return id, nil
}

// MarshalText makes ids strings in JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}
