package inventory

import (
	"encoding/binary"
	"errors"
	"time"
)

// packing is the first byte of packed events: what the rest looks like. A pod that doesn't know it can't
// follow the feed: a release with another one is rolled out while the feed is by events.
const packing = 1

// PackEvents writes events as they go through the change feed of CockroachDB: as small, and as cheap to
// read, as there are many. Texts are as long as they say, numbers and moments (microseconds since 1970)
// variable, ids and hashes as they are.
func PackEvents(events []Event) []byte {
	p := packer{b: make([]byte, 0, 16+len(events)*320)}
	p.b = append(p.b, packing)
	p.number(int64(len(events)))
	for i := range events {
		p.event(&events[i])
	}
	return p.b
}

type packer struct{ b []byte }

func (p *packer) number(n int64) { p.b = binary.AppendVarint(p.b, n) }

func (p *packer) text(s string) {
	p.b = binary.AppendUvarint(p.b, uint64(len(s)))
	p.b = append(p.b, s...)
}

func (p *packer) moment(t time.Time) { p.number(t.UnixMicro()) }

func (p *packer) id(id ID) {
	p.text(id.Region)
	p.b = append(p.b, id.UUID[:]...)
}

func (p *packer) maybeID(id *ID) {
	if id == nil {
		p.text("")
		return
	}
	p.id(*id)
}

func (p *packer) maybeMoney(m *Money) {
	if m == nil {
		p.number(0)
		return
	}
	p.number(1)
	p.text(m.Amount)
	p.text(m.Currency)
}

func (p *packer) balances(b Balances) {
	for _, n := range [...]int64{b.OnHand, b.Held, b.Allocated, b.Quarantined, b.Incoming, b.Shortfall} {
		p.number(n)
	}
}

func (p *packer) event(e *Event) {
	p.text(e.Key.Region)
	p.text(e.Key.SKU)
	p.text(e.Key.Location)
	p.number(e.Version)
	p.text(string(e.Kind))
	p.balances(e.Deltas)
	p.balances(e.Balances)
	p.id(e.Command)
	p.maybeID(e.Reservation)
	p.maybeID(e.Transfer)
	p.maybeMoney(e.UnitCost)
	p.text(e.Meta.Reason)
	p.text(e.Meta.Reference)
	p.text(e.Meta.Channel)
	p.text(e.Meta.Actor)
	p.moment(e.Meta.EffectiveAt)
	p.moment(e.RecordedAt)
	p.b = append(p.b, e.Hash[:]...)
}

var errBadlyPacked = errors.New("packed events can't be read")

// UnpackEvents reads what PackEvents wrote.
func UnpackEvents(raw []byte) ([]Event, error) {
	if len(raw) == 0 || raw[0] != packing {
		return nil, errBadlyPacked
	}
	u := unpacker{b: raw[1:]}
	n := u.number()
	if n < 0 || n > int64(len(u.b)) {
		return nil, errBadlyPacked
	}
	events := make([]Event, n)
	for i := range events {
		u.event(&events[i])
	}
	if u.bad || len(u.b) > 0 {
		return nil, errBadlyPacked
	}
	return events, nil
}

type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) number() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unpacker) bytes(n uint64) []byte {
	if n > uint64(len(u.b)) {
		u.bad, u.b = true, nil
		return nil
	}
	b := u.b[:n]
	u.b = u.b[n:]
	return b
}

func (u *unpacker) text() string {
	n, width := binary.Uvarint(u.b)
	if width <= 0 {
		u.bad, u.b = true, nil
		return ""
	}
	u.b = u.b[width:]
	return string(u.bytes(n))
}

func (u *unpacker) moment() time.Time { return time.UnixMicro(u.number()).UTC() }

func (u *unpacker) id() (id ID) {
	id.Region = u.text()
	copy(id.UUID[:], u.bytes(16))
	return id
}

func (u *unpacker) maybeID() *ID {
	region := u.text()
	if region == "" {
		return nil
	}
	id := &ID{Region: region}
	copy(id.UUID[:], u.bytes(16))
	return id
}

func (u *unpacker) maybeMoney() *Money {
	if u.number() == 0 {
		return nil
	}
	return &Money{Amount: u.text(), Currency: u.text()}
}

func (u *unpacker) balances() Balances {
	return Balances{
		OnHand: u.number(), Held: u.number(), Allocated: u.number(),
		Quarantined: u.number(), Incoming: u.number(), Shortfall: u.number(),
	}
}

func (u *unpacker) event(e *Event) {
	e.Key = LevelKey{Region: u.text(), SKU: u.text(), Location: u.text()}
	e.Version = u.number()
	e.Kind = Kind(u.text())
	e.Deltas, e.Balances = u.balances(), u.balances()
	e.Command = u.id()
	e.Reservation, e.Transfer = u.maybeID(), u.maybeID()
	e.UnitCost = u.maybeMoney()
	e.Meta = Meta{Reason: u.text(), Reference: u.text(), Channel: u.text(), Actor: u.text(), EffectiveAt: u.moment()}
	e.RecordedAt = u.moment()
	copy(e.Hash[:], u.bytes(uint64(len(e.Hash))))
}
