package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"stockyard/service/store"
)

// early is what a reader of pages was given although the feed's cursor can't move past it yet, and
// when it was committed, in milliseconds, rounded up. CockroachDB gives changes seconds before it says
// that nothing older will come. A page's cursor names them, so that they don't come again with each
// page until then, whichever pod gives it.
type early map[entryID]int64

// entryID stands for an event or an alert: so many bits that no two are taken for one.
type entryID uint64

// maxEarly bounds what a cursor names, some 10 bytes each. A reader to whom so much came early gets
// more when the feed's cursor has moved on.
const maxEarly = 150

func (i *Item) id() entryID {
	var name string
	if e := i.Event; e != nil {
		name = strings.Join([]string{"event", e.Key.Region, e.Key.SKU, e.Key.Location, strconv.FormatInt(e.Version, 10)}, "\x00")
	} else {
		name = "alert\x00" + i.Alert.ID.String()
	}
	sum := sha256.Sum256([]byte(name))
	return entryID(binary.BigEndian.Uint64(sum[:]))
}

func (e early) has(i *Item) bool {
	if len(e) == 0 {
		return false
	}
	_, there := e[i.id()]
	return there
}

func (e early) add(i *Item) { e[i.id()] = milliseconds(i.fed.At) + 1 }

// note has it name those entries that a position is not past, as far as there is room, and drops what
// lies before it.
func (e early) note(items []*Item, p store.Position) {
	before := milliseconds(p.At)
	maps.DeleteFunc(e, func(_ entryID, at int64) bool { return at < before })
	for _, i := range items {
		if p.Past == nil && i.fed.After(p) && len(e) < maxEarly {
			e.add(i)
		}
	}
}

func milliseconds(m store.Moment) int64 { return m.Wall / int64(time.Millisecond) }

// append writes what is beyond a position.
func (e early) append(b []byte, p store.Position) []byte {
	base := milliseconds(p.At)
	b = binary.AppendVarint(binary.AppendVarint(b, base), int64(len(e)))
	for _, id := range slices.Sorted(maps.Keys(e)) {
		b = binary.BigEndian.AppendUint64(b, uint64(id))
		b = binary.AppendVarint(b, e[id]-base)
	}
	return b
}

// early reads what append wrote.
func (r *cursorReader) early() (e early, base int64) {
	base = r.number()
	n := r.number()
	r.bad = r.bad || n < 1 || n > maxEarly
	e = early{}
	for last := entryID(0); n > 0 && !r.bad; n-- {
		raw := r.bytes(8)
		if len(raw) < 8 {
			break
		}
		id := entryID(binary.BigEndian.Uint64(raw))
		r.bad = r.bad || id <= last
		e[id], last = base+r.number(), id
	}
	return e, base
}
