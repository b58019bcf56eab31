package inventory_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// trip is a transfer on paper: what is on the lorry.
type trip struct {
	from, to inventory.Place
	status   inventory.TransferStatus
	lines    []parcel
}

type parcel struct {
	sku            string
	planned, aside int64 // aside: what was no longer fit for sale when it arrived
	aboard         int64
	arrived        int64
	lost, back     int64
}

// underway is what is on its way to a stock level.
func (m *model) underway(key inventory.LevelKey) (units int64) {
	for _, trip := range m.trips {
		for _, p := range trip.lines {
			if trip.to.Level(p.sku) == key {
				units += p.aboard
			}
		}
	}
	return units
}

// travel takes a step of a transfer, or says why not. It is half done then: work on a clone.
func (m *model) travel(c inventory.Command) inventory.RefusalKind {
	switch c := c.(type) {
	case *inventory.CreateTransfer:
		return m.plan(c)
	case *inventory.ShipTransfer:
		return m.onTrip(c.Reference, m.depart)
	case *inventory.ReceiveTransfer:
		return m.onTrip(c.Reference, func(trip *trip) inventory.RefusalKind { return m.unload(trip, c.Lines) })
	case *inventory.CloseTransfer:
		return m.onTrip(c.Reference, func(trip *trip) inventory.RefusalKind { return m.giveUp(trip, c.Disposition) })
	case *inventory.CancelTransfer:
		return m.onTrip(c.Reference, func(trip *trip) inventory.RefusalKind {
			if trip.status != inventory.TransferDraft {
				return inventory.Conflict
			}
			trip.status = inventory.TransferCancelled
			return accepted
		})
	}
	panic("no step of a transfer")
}

func (m *model) onTrip(id inventory.ID, step func(*trip) inventory.RefusalKind) inventory.RefusalKind {
	trip, found := m.trips[id]
	if !found {
		return inventory.NotFound
	}
	kind := step(&trip)
	m.trips[id] = trip
	return kind
}

func (m *model) plan(c *inventory.CreateTransfer) inventory.RefusalKind {
	trip := trip{from: c.From, to: c.To, status: inventory.TransferDraft}
	for _, l := range c.Lines {
		if l.SKU == "ghost" {
			return inventory.NotFound
		}
		trip.lines = append(trip.lines, parcel{sku: l.SKU, planned: l.Quantity})
	}
	m.trips[c.ID] = trip
	return accepted
}

func (m *model) depart(trip *trip) inventory.RefusalKind {
	if trip.status != inventory.TransferDraft {
		return inventory.Conflict
	}
	for i, p := range trip.lines {
		key := trip.from.Level(p.sku)
		if m.available(key) < p.planned && !m.loose {
			return inventory.InsufficientStock
		}
		m.stock(key, -p.planned, 0)
		trip.lines[i].aboard = p.planned
	}
	trip.status = inventory.TransferInTransit
	return accepted
}

func (m *model) unload(trip *trip, arrivals []inventory.TransferArrival) inventory.RefusalKind {
	at := func(sku string) int {
		return slices.IndexFunc(trip.lines, func(p parcel) bool { return p.sku == sku })
	}
	for _, a := range arrivals {
		if at(a.SKU) < 0 {
			return inventory.Invalid
		}
	}
	if trip.status != inventory.TransferInTransit && trip.status != inventory.TransferPartiallyReceived {
		return inventory.Conflict
	}
	left := int64(0)
	for _, a := range arrivals {
		p := &trip.lines[at(a.SKU)]
		if a.Quantity > p.aboard {
			return inventory.Conflict
		}
		p.aboard, p.arrived, p.aside = p.aboard-a.Quantity, p.arrived+a.Quantity, p.aside+a.Quarantined
		m.stock(trip.to.Level(a.SKU), a.Quantity, a.Quarantined)
	}
	for _, p := range trip.lines {
		left = max(left, p.aboard)
	}
	trip.status = inventory.TransferPartiallyReceived
	if left == 0 {
		trip.status = inventory.TransferReceived
	}
	return accepted
}

func (m *model) giveUp(trip *trip, as inventory.Disposition) inventory.RefusalKind {
	if trip.status != inventory.TransferInTransit && trip.status != inventory.TransferPartiallyReceived {
		return inventory.Conflict
	}
	for i := range trip.lines {
		p := &trip.lines[i]
		if as == inventory.DispositionLost {
			p.lost = p.aboard
		} else {
			p.back = p.aboard
			m.stock(trip.from.Level(p.sku), p.back, 0)
		}
		p.aboard = 0
	}
	trip.status = inventory.TransferClosed
	return accepted
}

// sameTrip holds a transfer's answer against the paper.
func (m *model) sameTrip(t rapid.TB, a *inventory.TransferAnswer) {
	t.Helper()
	trip := m.trips[a.ID]
	if a.Status != trip.status || a.From != trip.from.Location || a.To != trip.to.Location || len(a.Lines) != len(trip.lines) {
		t.Fatalf("answered %+v, want %+v", a, trip)
	}
	for i, l := range a.Lines {
		p := parcel{l.SKU, l.Quantity, l.Quarantined, l.InTransit, l.Received, l.Lost, l.Returned}
		if p != trip.lines[i] || l.Line != i+1 || l.Shipped != p.aboard+p.arrived+p.lost+p.back {
			t.Fatalf("line %d is answered as %+v, want %+v", i+1, l, trip.lines[i])
		}
	}
}

// transfer draws a step of a transfer.
func (s script) transfer(t *rapid.T) inventory.Command {
	step := s.world.id(at(london, "tea"))
	switch rapid.SampledFrom([]string{"create", "ship", "receive", "receive", "close", "cancel"}).Draw(t, "step") {
	case "create":
		return s.plan(t)
	case "ship":
		return &inventory.ShipTransfer{ID: step, Reference: s.trip(t)}
	case "receive":
		return s.arrive(t, step)
	case "close":
		as := rapid.SampledFrom(inventory.Dispositions).Draw(t, "disposition")
		return &inventory.CloseTransfer{ID: step, Reference: s.trip(t), Disposition: as}
	}
	return &inventory.CancelTransfer{Reference: s.trip(t)}
}

func (s script) plan(t *rapid.T) inventory.Command {
	ends := rapid.Permutation(sites).Draw(t, "ends")
	c := &inventory.CreateTransfer{From: place(ends[0]), To: place(ends[1])}
	for _, sku := range slices.Compact([]string{s.sku(t), s.sku(t)}) {
		c.Lines = append(c.Lines, inventory.TransferOrder{SKU: sku, Quantity: s.quantity(t)})
	}
	c.ID = inventory.NewID(c.From.Level(c.Lines[0].SKU), s.world.random(), c.From.Region != c.To.Region)
	if wrong := c.Check(); len(wrong) > 0 {
		t.Fatalf("%+v is found invalid: %v", c, wrong)
	}
	return c
}

func place(s inventory.Site) inventory.Place {
	return inventory.Place{Region: s.Region, Location: s.Location}
}

func (s script) trip(t *rapid.T) inventory.ID {
	if len(s.world.transferIDs) == 0 || oneIn(t, 30, "unknown") {
		return s.world.id(at(boston, "pot"))
	}
	return rapid.SampledFrom(s.world.transferIDs).Draw(t, "transfer")
}

func (s script) arrive(t *rapid.T, step inventory.ID) inventory.Command {
	c := &inventory.ReceiveTransfer{ID: step, Reference: s.trip(t)}
	lines := s.world.transfers[c.Reference].Lines
	for range rapid.IntRange(1, 2).Draw(t, "arrivals") {
		a := inventory.TransferArrival{SKU: s.sku(t), Quantity: s.quantity(t)}
		if len(lines) > 0 {
			l := rapid.SampledFrom(lines).Draw(t, "line")
			a.SKU, a.Quantity = l.SKU, rapid.Int64Range(1, max(l.InTransit(), 1)).Draw(t, "arrived")
		}
		a.Quarantined = rapid.Int64Range(0, a.Quantity).Draw(t, "aside")
		c.Lines = append(c.Lines, a)
	}
	return c
}

// TestAnySequenceOfTransfersEndsAsOnPaper: units that left have arrived, are in transit, were lost
// or are back, whatever the order of the steps and whatever else moves meanwhile.
func TestAnySequenceOfTransfersEndsAsOnPaper(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		play(t, &judge{model: newModel(), strict: true, seen: seen}, script{kinds: []string{"movement", "reserve", "transfer", "transfer", "transfer", "transfer", "transfer", "group"}})
	})
	for _, what := range []string{
		"*inventory.CreateTransfer ", "*inventory.CreateTransfer not-found", "*inventory.CancelTransfer ", "*inventory.CancelTransfer conflict",
		"*inventory.ShipTransfer ", "*inventory.ShipTransfer insufficient-stock", "*inventory.ShipTransfer conflict",
		"*inventory.ReceiveTransfer ", "*inventory.ReceiveTransfer conflict", "*inventory.ReceiveTransfer not-found",
		"*inventory.CloseTransfer as lost ", "*inventory.CloseTransfer as returned ", "*inventory.CloseTransfer as lost conflict",
	} {
		if seen[what] == 0 {
			t.Errorf("no run came to: %s", what)
		}
	}
	t.Logf("outcomes: %v", seen)
}
