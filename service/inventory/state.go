package inventory

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// State is what a batch of commands is decided on: the rows it read, and what its commands have
// changed of them so far. It belongs to one transaction and one goroutine.
type State struct {
	// Now is the database's time of the transaction: whether a hold has lapsed is decided by one
	// clock, not by that of whichever pod happens to run the command.
	Now time.Time

	levels       map[LevelKey]levelRow
	reservations map[ID]Reservation
	lines        map[LineKey]Line
	transfers    map[ID]Transfer
	lapsed       map[LevelKey][]LineKey
	lapsedKnown  map[LevelKey]bool
	watermarks   map[Watermark]Mark
	catalogue    map[string]CatalogueEntry

	wantLapsed map[LevelKey]bool
	changes    Changes
	draft      *Draft // of the command being decided
	// at is when the batch is recorded: now, or the newest change among the rows read where the
	// clocks of the database's nodes went back between two transactions. So a level's events are
	// recorded in the order of their versions.
	at time.Time
}

type levelRow struct {
	Level
	stored bool // the row exists in the database
	dirty  bool
}

// Watermark names the balances of a level as they were at one of its versions.
type Watermark struct {
	Key     LevelKey
	Version int64
}

// Mark is a level at a version: its balances then, and the units by which counts have corrected it
// since (on hand less shortfall).
type Mark struct {
	Then      Balances
	Corrected int64
}

// CatalogueEntry says what the catalogue knows of a name that a never-touched stock level needs.
type CatalogueEntry struct{ Known, Archived bool }

// Changes is what a batch writes.
type Changes struct {
	NewLevels       []Level
	Levels          []Level
	Events          []Event
	NewReservations []Reservation
	Reservations    []Reservation
	NewLines        []Line
	Lines           []Line
	NewTransfers    []Transfer
	Transfers       []Transfer
	// TransferLines are the changed lines of Transfers; those of NewTransfers are all new.
	TransferLines []TransferLine
}

// IsEmpty says whether there is nothing to write.
func (c *Changes) IsEmpty() bool {
	return len(c.Events) == 0 && len(c.NewReservations) == 0 && len(c.Reservations) == 0 && len(c.Lines) == 0 &&
		len(c.NewTransfers) == 0 && len(c.Transfers) == 0
}

// NewState makes an empty state at a time.
func NewState(now time.Time) *State {
	s := &State{
		Now:          now.UTC(),
		at:           now.UTC(),
		levels:       map[LevelKey]levelRow{},
		reservations: map[ID]Reservation{},
		lines:        map[LineKey]Line{},
		transfers:    map[ID]Transfer{},
		lapsed:       map[LevelKey][]LineKey{},
		lapsedKnown:  map[LevelKey]bool{},
		watermarks:   map[Watermark]Mark{},
		catalogue:    map[string]CatalogueEntry{},
		wantLapsed:   map[LevelKey]bool{},
	}
	s.draft = newDraft(s)
	return s
}

// AddLevel adds a row that was read.
func (s *State) AddLevel(l Level) {
	s.levels[l.Key] = levelRow{Level: l, stored: true}
	if l.UpdatedAt.After(s.at) {
		s.at = l.UpdatedAt.UTC()
	}
}

// AddReservation adds a reservation that was read, with all its lines.
func (s *State) AddReservation(r Reservation, lines []Line) {
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.Number, b.Number) })
	r.lines = make([]LineKey, len(lines))
	for i, l := range lines {
		r.lines[i] = l.Key()
		s.lines[l.Key()] = l
	}
	s.reservations[r.ID] = r
}

// AddTransfer adds a transfer that was read, with all its lines.
func (s *State) AddTransfer(t Transfer) {
	slices.SortFunc(t.Lines, func(a, b TransferLine) int { return cmp.Compare(a.Number, b.Number) })
	s.transfers[t.ID] = t
}

// AddLapsed adds the lapsed holds of a level, earliest first, for commands that find too little
// available. complete says that there are no more of them.
func (s *State) AddLapsed(key LevelKey, lines []Line, complete bool) {
	keys := make([]LineKey, len(lines))
	for i, l := range lines {
		keys[i] = l.Key()
		if _, known := s.lines[l.Key()]; !known {
			s.lines[l.Key()] = l
		}
	}
	s.lapsed[key] = keys
	s.lapsedKnown[key] = complete
	delete(s.wantLapsed, key)
}

// AddWatermark adds what is known of a level at one of its versions.
func (s *State) AddWatermark(w Watermark, m Mark) { s.watermarks[w] = m }

// AddProduct adds what the catalogue knows of a SKU.
func (s *State) AddProduct(sku string, e CatalogueEntry) { s.catalogue["product "+sku] = e }

// AddLocation adds what the catalogue knows of a location.
func (s *State) AddLocation(name string, e CatalogueEntry) { s.catalogue["location "+name] = e }

// Untouched lists the keys among those given that have no row yet.
func (s *State) Untouched(keys []LevelKey) []LevelKey {
	var missing []LevelKey
	for _, k := range keys {
		if _, found := s.levels[k]; !found {
			missing = append(missing, k)
		}
	}
	return missing
}

// Unstocked lists the SKUs among those given of which no level was read.
func (s *State) Unstocked(skus []string) []string {
	if len(skus) == 0 {
		return nil
	}
	stocked := make(map[string]bool, len(s.levels))
	for key := range s.levels {
		stocked[key.SKU] = true
	}
	var missing []string
	for _, sku := range skus {
		if !stocked[sku] {
			missing = append(missing, sku)
		}
	}
	return missing
}

// RecordedAt is the time that everything this batch writes carries.
func (s *State) RecordedAt() time.Time { return s.at }

// Events is how many events the batch has made so far.
func (s *State) Events() int { return len(s.changes.Events) }

// WantsLapsed lists the levels whose lapsed holds must be read before the batch can be decided:
// a command found too little available there while something is held.
func (s *State) WantsLapsed() []LevelKey {
	keys := make([]LevelKey, 0, len(s.wantLapsed))
	for k := range s.wantLapsed {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, LevelKey.Compare)
	return keys
}

// ErrWantsLapsed means that a decision waits for the lapsed holds that WantsLapsed lists. It never
// reaches a caller: the command is decided again, after the others of its batch, once they are read.
var ErrWantsLapsed = errors.New("lapsed holds must be read first")

// Decide decides one command on the state that the ones before left. A refused command leaves no
// trace. With dry, an accepted one doesn't either.
func (s *State) Decide(c Command, dry bool) (Answer, error) {
	d := s.draft
	d.reset()
	answer, err := c.Decide(d)
	if d.wantsLapsed {
		return Answer{}, ErrWantsLapsed
	}
	if err != nil {
		return Answer{}, err
	}
	if !dry {
		d.merge()
	}
	return answer, nil
}

// Changes gives what must be written, stock levels in key order.
func (s *State) Changes() *Changes {
	c := s.changes
	for _, row := range s.levels {
		switch {
		case !row.dirty:
		case row.stored:
			c.Levels = append(c.Levels, row.Level)
		default:
			c.NewLevels = append(c.NewLevels, row.Level)
		}
	}
	byKey := func(a, b Level) int { return a.Key.Compare(b.Key) }
	slices.SortFunc(c.Levels, byKey)
	slices.SortFunc(c.NewLevels, byKey)
	for _, r := range s.reservations {
		switch {
		case r.isNew:
			c.NewReservations = append(c.NewReservations, r)
		case r.dirty:
			c.Reservations = append(c.Reservations, r)
		}
	}
	for _, l := range s.lines {
		switch {
		case l.isNew:
			c.NewLines = append(c.NewLines, l)
		case l.dirty:
			c.Lines = append(c.Lines, l)
		}
	}
	slices.SortFunc(c.Reservations, func(a, b Reservation) int { return a.ID.Compare(b.ID) })
	slices.SortFunc(c.Lines, func(a, b Line) int { return a.Key().compare(b.Key()) })
	s.changedTransfers(&c)
	return &c
}

func (s *State) changedTransfers(c *Changes) {
	for _, t := range s.transfers {
		switch {
		case t.isNew:
			c.NewTransfers = append(c.NewTransfers, t)
		case t.dirty:
			c.Transfers = append(c.Transfers, t)
		}
	}
	byID := func(a, b Transfer) int { return a.ID.Compare(b.ID) }
	slices.SortFunc(c.NewTransfers, byID)
	slices.SortFunc(c.Transfers, byID)
	for _, t := range c.Transfers {
		for _, l := range t.Lines {
			if l.dirty {
				c.TransferLines = append(c.TransferLines, l)
			}
		}
	}
}
