package inventory

import (
	"fmt"
	"time"
)

// Command is something to decide. Needs names the rows it must see; Decide reads and changes them
// through the draft, and refuses with a *Refusal. A decision that ends in an error leaves no trace.
type Command interface {
	Needs() Needs
	Decide(d *Draft) (Answer, error)
}

// Needs are the rows a command must see. The stock levels of a reservation's lines are read along
// with the reservation, those at both ends of a transfer's lines along with the transfer.
type Needs struct {
	Levels       []LevelKey
	Reservations []ID
	Transfers    []ID
	Watermarks   []Watermark
	// SKUs are looked up in the catalogue where none of their levels has a row.
	SKUs []string
}

// Add adds another command's needs.
func (n *Needs) Add(o Needs) {
	n.Levels = append(n.Levels, o.Levels...)
	n.Reservations = append(n.Reservations, o.Reservations...)
	n.Transfers = append(n.Transfers, o.Transfers...)
	n.Watermarks = append(n.Watermarks, o.Watermarks...)
	n.SKUs = append(n.SKUs, o.SKUs...)
}

// Answer is what an accepted command gives back. It is stored under the command's key as JSON.
type Answer struct {
	Movement    *MovementAnswer    `json:"movement,omitempty"`
	Reservation *ReservationAnswer `json:"reservation,omitempty"`
	Transfer    *TransferAnswer    `json:"transfer,omitempty"`
	Group       []Answer           `json:"group,omitempty"`
}

// Draft is one command's view of the state: reads fall through, writes stay here until merged.
type Draft struct {
	state        *State
	levels       map[LevelKey]Level
	reservations map[ID]Reservation
	lines        map[LineKey]Line
	transfers    map[ID]Transfer
	events       []Event
	wantsLapsed  bool
}

func newDraft(s *State) *Draft {
	return &Draft{
		state: s, levels: map[LevelKey]Level{}, reservations: map[ID]Reservation{},
		lines: map[LineKey]Line{}, transfers: map[ID]Transfer{},
	}
}

// reset empties the draft for the next command. Its maps are kept: making them anew for each command
// of a batch would be most of what deciding costs.
func (d *Draft) reset() {
	clear(d.levels)
	clear(d.reservations)
	clear(d.lines)
	clear(d.transfers)
	d.events, d.wantsLapsed = d.events[:0], false
}

// Now is the time decisions go by: the database's, of this transaction.
func (d *Draft) Now() time.Time { return d.state.Now }

// recordedAt is the time that rows and events carry.
func (d *Draft) recordedAt() time.Time { return d.state.at }

// Level gives a stock level, refusing unknown and archived ones.
func (d *Draft) Level(key LevelKey) (Level, error) {
	if l, changed := d.levels[key]; changed {
		return l, nil
	}
	row, found := d.state.levels[key]
	if !found {
		if err := d.checkCatalogue("product", key.SKU); err != nil {
			return Level{}, err
		}
		if err := d.checkCatalogue("location", key.Location); err != nil {
			return Level{}, err
		}
		return Level{Key: key}, nil
	}
	if row.Closed {
		return Level{}, conflict("SKU %q at location %q takes no commands: the product or the location is archived", key.SKU, key.Location)
	}
	return row.Level, nil
}

func (d *Draft) checkCatalogue(resource, name string) error {
	switch entry := d.state.catalogue[resource+" "+name]; {
	case !entry.Known:
		return notFound(resource, name)
	case entry.Archived:
		return conflict("%s %q is archived", resource, name)
	}
	return nil
}

// cause is what all events of one step of a command share.
type cause struct {
	kind        Kind
	command     ID
	reservation *ID
	transfer    *ID
	unitCost    *Money
	meta        Meta
}

// post changes a stock level and records the event. Callers have made sure that the change is
// allowed; what is left to go wrong is a quantity beyond int64, which is refused.
func (d *Draft) post(key LevelKey, deltas Balances, why cause) (Level, error) {
	level, err := d.Level(key)
	if err != nil {
		return Level{}, err
	}
	after, ok := level.add(deltas)
	if !ok {
		return Level{}, &Refusal{
			Kind:   Conflict,
			Detail: fmt.Sprintf("the stock of SKU %q at location %q would leave the range 0 to 9223372036854775807", key.SKU, key.Location),
			Fields: []FieldError{{Field: "quantity", Message: "takes the stock level out of range"}},
		}
	}
	level.Balances = after
	level.Version++
	level.UpdatedAt = d.recordedAt()
	event := Event{
		Key: key, Version: level.Version, Kind: why.kind, Deltas: deltas, Balances: after,
		Command: why.command, Reservation: why.reservation, Transfer: why.transfer, UnitCost: why.unitCost, Meta: why.meta, RecordedAt: d.recordedAt(),
	}
	if event.Meta.EffectiveAt.IsZero() {
		event.Meta.EffectiveAt = event.RecordedAt
	}
	d.levels[key] = level
	d.events = append(d.events, event)
	return level, nil
}

// available gives a level of which want units are to be taken. Where too little is available and
// something is held, lapsed holds are expired first, as many as it takes, whether or not the
// worker has come by (I9). It is for the caller to see whether there is enough now; where lapsed
// holds have yet to be read, what the command makes of it doesn't count: it is decided again.
func (d *Draft) available(key LevelKey, want int64, by ID) (Level, error) {
	level, err := d.Level(key)
	if err != nil || level.Available() >= want || level.Held == 0 {
		return level, err
	}
	for _, lk := range d.state.lapsed[key] {
		line := d.line(lk)
		if line.Held == 0 || !line.lapsed(d.Now()) {
			continue
		}
		if level, err = d.expireLine(line, by); err != nil {
			return level, err
		}
		if level.Available() >= want {
			return level, nil
		}
	}
	if !d.state.lapsedKnown[key] {
		d.state.wantLapsed[key] = true
		d.wantsLapsed = true
	}
	return level, nil
}

// merge makes the draft part of the state. Events are chained only now: a reservation's own id is
// known once its first level is.
func (d *Draft) merge() {
	s := d.state
	for i := range d.events {
		e := &d.events[i]
		level := d.levels[e.Key] // its head is still that of before the command
		e.Hash = e.Chain(level.Head)
		level.Head = e.Hash
		d.levels[e.Key] = level
	}
	s.changes.Events = append(s.changes.Events, d.events...)
	for key, level := range d.levels {
		s.levels[key] = levelRow{Level: level, stored: s.levels[key].stored, dirty: true}
	}
	for id, r := range d.reservations {
		s.reservations[id] = r
	}
	for key, l := range d.lines {
		s.lines[key] = l
	}
	for id, t := range d.transfers {
		s.transfers[id] = t
	}
}
