package inventory_test

import (
	"maps"
	"slices"
	"time"

	"stockyard/service/inventory"
)

// model is stock as somebody would keep it on paper: what is physically there, what of it is not
// for sale, and who was promised what until when. It knows neither held and allocated counters nor
// shortfall nor expiry runs, so that it can't be wrong in the way the rules may be.
type model struct {
	now     time.Time
	loose   bool // don't refuse what isn't available
	shelves map[inventory.LevelKey]shelf
	orders  map[inventory.ID]order
	trips   map[inventory.ID]trip
}

type shelf struct {
	physical    int64 // on hand - shortfall
	corrected   int64 // what counts have changed of it: no unit moved
	quarantined int64
	version     int64
	past        map[int64]int64 // what had moved by a version: physical - corrected
}

type order struct {
	status  inventory.Status // held stays held, whatever the time
	expires time.Time
	lines   []part
}

type part struct {
	key               inventory.LevelKey
	promised, shipped int64
}

func newModel() *model {
	return &model{now: epoch, shelves: map[inventory.LevelKey]shelf{}, orders: map[inventory.ID]order{}, trips: map[inventory.ID]trip{}}
}

func (m *model) clone() *model {
	c := &model{now: m.now, loose: m.loose, shelves: maps.Clone(m.shelves), orders: maps.Clone(m.orders), trips: maps.Clone(m.trips)}
	for key, s := range c.shelves {
		s.past = maps.Clone(s.past)
		c.shelves[key] = s
	}
	for id, o := range c.orders {
		o.lines = slices.Clone(o.lines)
		c.orders[id] = o
	}
	for id, trip := range c.trips {
		trip.lines = slices.Clone(trip.lines)
		c.trips[id] = trip
	}
	return c
}

func (m *model) status(o order) inventory.Status {
	if o.status == inventory.StatusHeld && !m.now.Before(o.expires) {
		return inventory.StatusExpired
	}
	return o.status
}

// available is what nobody was promised and nothing is wrong with.
func (m *model) available(key inventory.LevelKey) int64 {
	free := m.shelves[key].physical - m.shelves[key].quarantined
	for _, o := range m.orders {
		if s := m.status(o); s != inventory.StatusHeld && s != inventory.StatusAllocated {
			continue
		}
		for _, p := range o.lines {
			if p.key == key {
				free -= p.promised
			}
		}
	}
	return free
}

func (m *model) stock(key inventory.LevelKey, physical, quarantined int64) {
	s := m.shelves[key]
	s.physical += physical
	s.quarantined += quarantined
	m.shelves[key] = s
}

// observe notes at which versions the physical stock stands after a command.
func (m *model) observe(events []inventory.Event) {
	for _, e := range events {
		s := m.shelves[e.Key]
		if s.past == nil {
			s.past = map[int64]int64{0: 0}
		}
		s.version = e.Version
		m.shelves[e.Key] = s
	}
	for _, e := range events {
		s := m.shelves[e.Key]
		s.past[s.version] = s.physical - s.corrected
	}
}

const accepted = inventory.RefusalKind("")

// move takes a movement, or says why not. It is half done then: work on a clone.
func (m *model) move(c *inventory.Movement) inventory.RefusalKind {
	for _, l := range c.Lines {
		if l.Level.SKU == "ghost" {
			return inventory.NotFound
		}
		if l.IfVersion != nil && *l.IfVersion != m.shelves[l.Level].version {
			return inventory.VersionMismatch
		}
	}
	for _, l := range c.Lines {
		key, q, free := l.Level, l.Quantity, m.available(l.Level)
		short := false
		switch c.Kind {
		case inventory.KindReceive:
			m.stock(key, q, 0)
		case inventory.KindReturn:
			m.stock(key, q, 0)
			if l.To == inventory.Quarantined {
				m.stock(key, 0, q)
			}
		case inventory.KindSell:
			short = free < q && !l.AllowShortfall
			m.stock(key, -q, 0)
		case inventory.KindAdjust:
			short = q < 0 && free < -q
			m.stock(key, q, 0)
		case inventory.KindQuarantine:
			short = free < q
			m.stock(key, 0, q)
		case inventory.KindRestore:
			short = m.shelves[key].quarantined < q
			m.stock(key, 0, -q)
		case inventory.KindScrap:
			if l.From == inventory.Quarantined {
				short = m.shelves[key].quarantined < q
				m.stock(key, 0, -q)
			} else {
				short = free < q
			}
			m.stock(key, -q, 0)
		case inventory.KindCount:
			s := m.shelves[key]
			old := s.physical
			if n := l.AsOfVersion; n != nil {
				if *n > s.version {
					return inventory.VersionMismatch
				}
				q += s.physical - s.corrected - s.past[*n]
			}
			m.stock(key, q-s.physical, 0)
			s = m.shelves[key]
			s.corrected += q - old
			m.shelves[key] = s
		}
		if short && !m.loose {
			return inventory.InsufficientStock
		}
	}
	return accepted
}

// offer is what a reservation could be given: by each line with a location, in order, and by each
// SKU without. It looks at sums alone; where the units come from is not its business.
type offer struct {
	located []int64 // by line
	sourced map[string]int64
}

func (m *model) reserve(c *inventory.Reserve) (o offer, refusal inventory.RefusalKind) {
	for _, l := range c.Lines {
		if l.Level != nil && l.IfVersion != nil && *l.IfVersion != m.shelves[*l.Level].version {
			return o, inventory.VersionMismatch
		}
	}
	for _, l := range c.Lines {
		if l.SKU == "ghost" {
			return o, inventory.NotFound
		}
	}
	partial, whole, total := c.Policy == inventory.Partial, true, int64(0)
	o = offer{located: make([]int64, len(c.Lines)), sourced: map[string]int64{}}
	taken := map[inventory.LevelKey]int64{}
	free := func(key inventory.LevelKey) int64 { return max(m.available(key)-c.KeepBack, 0) - taken[key] }
	for i, l := range c.Lines {
		if l.Level != nil {
			give := min(l.Quantity, free(*l.Level))
			whole = whole && give == l.Quantity
			if whole || partial {
				o.located[i] = give
				taken[*l.Level] += give
				total += give
			}
		}
	}
	asked := map[string]int64{}
	for _, l := range c.Lines {
		if l.Level == nil {
			asked[l.SKU] += l.Quantity
		}
	}
	for sku, want := range asked {
		have := int64(0)
		for _, s := range c.Sites {
			have += free(at(s, sku))
		}
		whole = whole && have >= want
		o.sourced[sku] = min(want, have)
		total += o.sourced[sku]
	}
	if !whole && (!partial || total == 0) {
		return o, inventory.InsufficientStock
	}
	return o, accepted
}

// confirm, extend, release, fulfil: the steps of an order.
func (m *model) confirm(id inventory.ID) inventory.RefusalKind {
	o, found := m.orders[id]
	if !found {
		return inventory.NotFound
	}
	switch m.status(o) {
	case inventory.StatusHeld:
	case inventory.StatusExpired:
		needs := map[inventory.LevelKey]int64{}
		for _, p := range o.lines {
			needs[p.key] += p.promised
		}
		for key, need := range needs {
			if need > 0 && need > m.available(key) {
				return inventory.ReservationExpired
			}
		}
	default:
		return inventory.Conflict
	}
	o.status = inventory.StatusAllocated
	m.orders[id] = o
	return accepted
}

func (m *model) extend(id inventory.ID, by time.Duration) inventory.RefusalKind {
	o, found := m.orders[id]
	switch {
	case !found:
		return inventory.NotFound
	case m.status(o) == inventory.StatusExpired:
		return inventory.ReservationExpired
	case m.status(o) != inventory.StatusHeld:
		return inventory.Conflict
	}
	o.expires = m.now.Add(by)
	m.orders[id] = o
	return accepted
}

// give releases or ships units of an order.
func (m *model) give(id inventory.ID, selected []inventory.LineSelection, ship bool) inventory.RefusalKind {
	o, found := m.orders[id]
	if !found {
		return inventory.NotFound
	}
	if s := m.status(o); s != inventory.StatusAllocated && (ship || s != inventory.StatusHeld) {
		return inventory.Conflict
	}
	if len(selected) == 0 {
		for i := range o.lines {
			selected = append(selected, inventory.LineSelection{Line: i + 1})
		}
	}
	for _, sel := range selected {
		var has, matched int64
		for i, p := range o.lines {
			if sel.Line == i+1 || sel.Line == 0 && sel.SKU == p.key.SKU && (sel.Location == "" || sel.Location == p.key.Location) {
				matched++
				units := p.promised
				if sel.Quantity != nil {
					units = min(units, *sel.Quantity-has)
				}
				has += units
				o.lines[i].promised -= units
				if ship {
					o.lines[i].shipped += units
					m.stock(p.key, -units, 0)
				}
			}
		}
		if matched == 0 || sel.Quantity != nil && has < *sel.Quantity {
			return inventory.Conflict
		}
	}
	var promised, shipped int64
	for _, p := range o.lines {
		promised += p.promised
		shipped += p.shipped
	}
	switch {
	case promised == 0 && shipped > 0:
		o.status = inventory.StatusFulfilled
	case promised == 0:
		o.status = inventory.StatusReleased
	}
	m.orders[id] = o
	return accepted
}
