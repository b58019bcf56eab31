package inventory

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"time"
)

// Hash is a SHA-256. The zero Hash stands for none.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText makes hashes hexadecimal in JSON.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Chain is the hash of an event that follows one with the hash before: of everything that the
// event says. A level carries the hash of its last event, so that an event can't be changed, taken
// out or put in without changing every one after it, and the level.
func (e *Event) Chain(before Hash) Hash {
	var space [512]byte // what an event takes, as a rule, so that nothing is allocated
	b := append(space[:0], chainFormat)
	b = append(b, before[:]...)
	b = appendText(b, e.Key.Region, e.Key.SKU, e.Key.Location, string(e.Kind))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Version))
	for _, q := range [...]Balances{e.Deltas, e.Balances} {
		for _, n := range [...]int64{q.OnHand, q.Held, q.Allocated, q.Quarantined, q.Incoming, q.Shortfall} {
			b = binary.BigEndian.AppendUint64(b, uint64(n))
		}
	}
	b = appendText(b, e.Command.Region)
	b = append(b, e.Command.UUID[:]...)
	b = appendText(b, e.Meta.Reason, e.Meta.Reference, e.Meta.Channel, e.Meta.Actor)
	b = appendTime(appendTime(b, e.Meta.EffectiveAt), e.RecordedAt)
	b = appendID(appendID(b, 'r', e.Reservation), 't', e.Transfer)
	if e.UnitCost != nil {
		b = appendText(append(b, 'c'), e.UnitCost.Amount, e.UnitCost.Currency)
	}
	return sha256.Sum256(b)
}

// chainFormat leads what is hashed. Fields that only some events have are led by a letter each, so
// that new ones leave the hashes of old events as they are.
const chainFormat = 1

// appendText writes texts with their lengths: "ab", "c" isn't "a", "bc".
func appendText(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro())) // what the database keeps
}

func appendID(b []byte, tag byte, id *ID) []byte {
	if id == nil {
		return b
	}
	b = appendText(append(b, tag), id.Region)
	return append(b, id.UUID[:]...)
}

// Seal is a location's ledger at a moment in one hash: of the seal before it, and of the last
// events, up to then, of all stock levels that changed since that one.
type Seal struct {
	Location string    `json:"location"`
	Region   string    `json:"region"`
	UpTo     time.Time `json:"up_to"` // not included
	Root     Hash      `json:"root"`
	Levels   int64     `json:"levels"` // that changed since the seal before
	SealedAt time.Time `json:"sealed_at"`
}

// Sealer adds up a seal. Levels come in the order of their SKUs.
type Sealer struct {
	sum    hash.Hash
	levels int64
}

// NewSealer begins the seal of a location that follows one with the root before.
func NewSealer(location string, upTo time.Time, before Hash) *Sealer {
	s := &Sealer{sum: sha256.New()}
	b := append([]byte{chainFormat}, before[:]...)
	s.sum.Write(appendTime(appendText(b, location), upTo))
	return s
}

// Add adds a level by its last event before the seal's moment.
func (s *Sealer) Add(sku string, version int64, head Hash) {
	b := appendText(nil, sku)
	b = binary.BigEndian.AppendUint64(b, uint64(version))
	s.sum.Write(append(b, head[:]...))
	s.levels++
}

// Root is the seal's hash, and of how many levels.
func (s *Sealer) Root() (root Hash, levels int64) {
	s.sum.Sum(root[:0])
	return root, s.levels
}
