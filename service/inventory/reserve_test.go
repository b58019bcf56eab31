package inventory_test

import (
	"errors"
	"slices"
	"testing"

	"stockyard/service/inventory"
)

func TestReserveAnswersWhatItHolds(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5, usTea: 5})
	c := w.hold(anywhere("tea", 2), from(usTea, 1))
	c.OrderReference, c.Meta = "S-1", inventory.Meta{Actor: "ann", Channel: "web"}
	a := w.accept(t, c).Reservation
	if a.Status != inventory.StatusHeld || a.OrderReference != "S-1" || a.Channel != "web" || a.Version != 1 ||
		!a.ExpiresAt.Equal(epoch.Add(inventory.DefaultHold)) || !a.CreatedAt.Equal(epoch) || a.Shortages == nil {
		t.Errorf("answered %+v", a)
	}
	want := []inventory.LineAnswer{{Line: 1, SKU: "tea", Location: "london", Quantity: 2}, {Line: 2, SKU: "tea", Location: "boston", Quantity: 1}}
	if !slices.Equal(a.Lines, want) {
		t.Errorf("lines are %+v, want them in the order asked: %+v", a.Lines, want)
	}
	if a.ID.Region != "eu" || !a.ID.Spans() || a.ID.Lane() != tea.Hash() {
		t.Errorf("the id says home %s, spans %v, lane %d", a.ID.Region, a.ID.Spans(), a.ID.Lane())
	}
	if id := w.reserve(t, from(usTea, 1)); id.Region != "us" || id.Spans() {
		t.Errorf("the id says home %s, spans %v", id.Region, id.Spans())
	}
}

func TestPartialHoldsWhatThereIs(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5, usTea: 2, pot: 1})
	c := w.hold(from(tea, 8), anywhere("tea", 3), from(pot, 1), anywhere("pot", 1))
	c.Policy = inventory.Partial
	a := w.accept(t, c).Reservation
	wantShort := []inventory.Shortage{
		{Line: 1, SKU: "tea", Location: "london", Requested: 8, Available: 5},
		{Line: 2, SKU: "tea", Requested: 3, Available: 2},
		{Line: 4, SKU: "pot", Requested: 1, Available: 0},
	}
	if !slices.Equal(a.Shortages, wantShort) {
		t.Errorf("short are %+v, want %+v", a.Shortages, wantShort)
	}
	w.has(t, tea, balances{OnHand: 5, Held: 5})
	w.has(t, usTea, balances{OnHand: 2, Held: 2})
	w.has(t, pot, balances{OnHand: 1, Held: 1})
	nothing := w.hold(from(tea, 1), anywhere("pot", 1))
	nothing.Policy = inventory.Partial
	if s := w.refuse(t, inventory.InsufficientStock, nothing).Shortages; len(s) != 2 {
		t.Errorf("short are %+v", s)
	}
}

func TestSafetyStockIsKeptBackAtEachLevel(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5, parisTea: 2, usTea: 4})
	web := func(keep int64, lines ...inventory.ReserveLine) *inventory.Reserve {
		c := w.hold(lines...)
		c.KeepBack = keep
		return c
	}
	if s := w.refuse(t, inventory.InsufficientStock, web(3, from(tea, 3))).Shortages[0]; s.Available != 2 {
		t.Errorf("the shortage is %+v, want 2 that the channel may sell", s)
	}
	if s := w.refuse(t, inventory.InsufficientStock, web(3, anywhere("tea", 4))).Shortages[0]; s.Available != 3 {
		t.Errorf("the shortage is %+v, want 3 that the channel may sell", s)
	}
	w.accept(t, web(3, from(tea, 1), anywhere("tea", 2)))
	w.has(t, tea, balances{OnHand: 5, Held: 2})
	w.has(t, usTea, balances{OnHand: 4, Held: 1})
	w.accept(t, w.hold(anywhere("tea", 8))) // others may
}

// However much is kept back and however much is short, the difference never comes round as stock.
func TestSafetyStockAsLargeAsInt64(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	short := inventory.MovementLine{Level: tea, Quantity: most, AllowShortfall: true}
	for range 2 { // the second time, everything there ever was is short
		for _, c := range []*inventory.Reserve{w.hold(from(tea, 1)), w.hold(anywhere("tea", 1)), w.hold(from(tea, most), from(tea, most))} {
			c.KeepBack = most
			w.refuse(t, inventory.InsufficientStock, c)
		}
		w.together(t, w.move(inventory.KindSell, short))
	}
	w.has(t, tea, balances{Shortfall: most - 5})
}

func TestReserveOfNothingIsInvalid(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	w.refuse(t, inventory.Invalid, w.hold())
	for _, q := range []int64{0, -1, -1 << 63} {
		for _, l := range []inventory.ReserveLine{from(tea, q), anywhere("tea", q)} {
			refusal := w.refuse(t, inventory.Invalid, w.hold(from(tea, 1), l))
			if got := fields(refusal.Fields); !slices.Equal(got, []string{"lines[1].quantity"}) {
				t.Errorf("%d units: named are %v", q, got)
			}
		}
	}
}

// A channel that doesn't stock a product is short of it; that doesn't make the product unknown,
// whichever rows the other commands of the batch had read.
func TestAKnownProductThatNoSiteStocksIsShortNotUnknown(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5})
	parisOnly := func() *inventory.Reserve {
		c := w.hold(anywhere("tea", 1))
		c.Sites, c.Consider = []inventory.Site{paris}, nil
		return c
	}
	w.refuse(t, inventory.InsufficientStock, parisOnly())
	o := w.together(t, w.move(inventory.KindSell, line(tea, 1)), parisOnly())
	refusal, ok := errors.AsType[*inventory.Refusal](o[1].err)
	if !ok || refusal.Kind != inventory.InsufficientStock {
		t.Errorf("beside a sale: %v", o[1].err)
	}
}

// A glimpse is no ground for a refusal, and one that doesn't suffice leaves no trace.
func TestAGlimpseThatIsTooLittleAsksToLookWider(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 5, usTea: 5})
	c := w.hold(anywhere("tea", 5))
	c.Consider, c.Glimpsed = []inventory.LevelKey{tea}, true
	w.accept(t, c)
	again := w.hold(anywhere("tea", 5))
	again.Consider, again.Glimpsed = []inventory.LevelKey{tea}, true
	s := w.read([]request{{command: again}})
	s.AddLapsed(tea, nil, true)
	if _, err := s.Decide(again, false); !errors.Is(err, inventory.ErrLookWider) || !s.Changes().IsEmpty() {
		t.Errorf("decided with %v, changing %+v", err, s.Changes())
	}
	again.Consider, again.Glimpsed = []inventory.LevelKey{tea, usTea}, false
	w.accept(t, again)
	w.has(t, usTea, balances{OnHand: 5, Held: 5})
}

// Holds that end to make room are recorded as ended by the reservation that needed it, although
// its id depends on where the room was found.
func TestHoldsThatMakeRoomNameTheReservationTheyMadeItFor(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{usTea: 5})
	old := w.reserve(t, from(usTea, 5))
	w.lapse()
	id := w.reserve(t, anywhere("tea", 5))
	ledger := w.ledger[usTea]
	ended, held := ledger[len(ledger)-2], ledger[len(ledger)-1]
	if ended.Kind != inventory.KindExpire || ended.Command != id || *ended.Reservation != old || ended.Meta.Actor != "stockyard" {
		t.Errorf("the end of the old hold is recorded as %+v", ended)
	}
	if held.Kind != inventory.KindReserve || held.Command != id || *held.Reservation != id {
		t.Errorf("the new hold is recorded as %+v", held)
	}
}

func TestAnEmptyGroupIsAcceptedAndChangesNothing(t *testing.T) {
	w := newWorld()
	if a := w.accept(t, &inventory.Group{}); len(a.Group) != 0 || len(w.levels) != 0 {
		t.Errorf("answered %+v", a)
	}
}
