package inventory_test

import (
	"slices"
	"testing"

	"stockyard/service/inventory"
)

var (
	toLondon = place(london)
	toBoston = place(boston)
	usPot    = at(boston, "pot")
)

// plan makes a draft from boston to london, over two regions.
func (w *world) plan(t *testing.T, lines ...inventory.TransferOrder) inventory.ID {
	t.Helper()
	id := inventory.NewID(toBoston.Level(lines[0].SKU), w.random(), true)
	return w.accept(t, &inventory.CreateTransfer{ID: id, From: toBoston, To: toLondon, Reference: "PO 7", Lines: lines}).Transfer.ID
}

func (w *world) ship(id inventory.ID) inventory.Command {
	return &inventory.ShipTransfer{ID: w.id(usTea), Reference: id, Meta: inventory.Meta{Actor: "tester", Reference: "lorry 9"}}
}

func (w *world) arrive(id inventory.ID, lines ...inventory.TransferArrival) inventory.Command {
	return &inventory.ReceiveTransfer{ID: w.id(usTea), Reference: id, Lines: lines}
}

func (w *world) closeAs(id inventory.ID, as inventory.Disposition) inventory.Command {
	return &inventory.CloseTransfer{ID: w.id(usTea), Reference: id, Disposition: as}
}

type (
	wanted  = inventory.TransferOrder
	arrived = inventory.TransferArrival
)

func TestLifeOfATransfer(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{usTea: 10, usPot: 4})
	id := w.plan(t, wanted{"tea", 8}, wanted{"pot", 4})
	w.has(t, usTea, balances{OnHand: 10})
	if len(w.ledger[tea]) != 0 {
		t.Errorf("a draft moves stock: %v", w.kinds(tea))
	}
	a := w.accept(t, w.ship(id)).Transfer
	if a.Status != inventory.TransferInTransit || a.Version != 2 || a.Lines[0].InTransit != 8 {
		t.Errorf("shipped, it is answered as %+v", a)
	}
	w.has(t, usTea, balances{OnHand: 2})
	w.has(t, tea, balances{Incoming: 8})
	a = w.accept(t, w.arrive(id, arrived{"tea", 3, 1}, arrived{"pot", 4, 0}, arrived{"tea", 2, 0})).Transfer
	if a.Status != inventory.TransferPartiallyReceived || a.Lines[0].Received != 5 || a.Lines[0].Quarantined != 1 || a.Lines[0].InTransit != 3 {
		t.Errorf("partly there, it is answered as %+v", a)
	}
	w.has(t, tea, balances{OnHand: 5, Quarantined: 1, Incoming: 3})
	a = w.accept(t, w.arrive(id, arrived{"tea", 3, 0})).Transfer
	if a.Status != inventory.TransferReceived || a.Version != 4 || a.Reference != "PO 7" || !slices.Equal(w.kinds(usTea), []inventory.Kind{"receive", "transfer_ship"}) {
		t.Errorf("there, it is answered as %+v; the origin saw %v", a, w.kinds(usTea))
	}
	w.has(t, tea, balances{OnHand: 8, Quarantined: 1})
	shipped := w.ledger[usTea][1]
	if *shipped.Transfer != id || shipped.Meta.Reference != "lorry 9" || shipped.Reservation != nil {
		t.Errorf("the ledger has %+v", shipped)
	}
}

func TestStepsOfATransferThatTheStatusDoesNotAllow(t *testing.T) {
	type path []func(*world, inventory.ID) inventory.Command
	ship := func(w *world, id inventory.ID) inventory.Command { return w.ship(id) }
	some := func(w *world, id inventory.ID) inventory.Command { return w.arrive(id, arrived{"tea", 1, 0}) }
	closes := func(w *world, id inventory.ID) inventory.Command { return w.closeAs(id, inventory.DispositionLost) }
	cancel := func(_ *world, id inventory.ID) inventory.Command {
		return &inventory.CancelTransfer{Reference: id}
	}
	reach := map[inventory.TransferStatus]path{
		inventory.TransferDraft: {}, inventory.TransferCancelled: {cancel}, inventory.TransferInTransit: {ship},
		inventory.TransferPartiallyReceived: {ship, some}, inventory.TransferReceived: {ship, some, some, some}, inventory.TransferClosed: {ship, some, closes},
	}
	const ok, conflict = accepted, inventory.Conflict
	want := map[inventory.TransferStatus][4]inventory.RefusalKind{ // ship, receive, close, cancel
		inventory.TransferDraft:             {ok, conflict, conflict, ok},
		inventory.TransferInTransit:         {conflict, ok, ok, conflict},
		inventory.TransferPartiallyReceived: {conflict, ok, ok, conflict},
		inventory.TransferReceived:          {conflict, conflict, conflict, conflict},
		inventory.TransferClosed:            {conflict, conflict, conflict, conflict},
		inventory.TransferCancelled:         {conflict, conflict, conflict, conflict},
	}
	for _, status := range inventory.TransferStatuses {
		for i, step := range (path{ship, some, closes, cancel}) {
			w := stock(t, map[inventory.LevelKey]int64{usTea: 3})
			id := w.plan(t, wanted{"tea", 3})
			for _, before := range reach[status] {
				w.accept(t, before(w, id))
			}
			if got := w.transfers[id].Status; got != status {
				t.Fatalf("it is %s, not %s", got, status)
			}
			if want[status][i] == ok {
				w.accept(t, step(w, id))
			} else {
				w.refuse(t, want[status][i], step(w, id))
			}
		}
	}
}

func TestShippingNamesAllThatFallShortAndMovesNothing(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{usTea: 5, usPot: 5})
	w.reserve(t, from(usTea, 3))
	id := w.plan(t, wanted{"tea", 3}, wanted{"pot", 6})
	got := w.refuse(t, inventory.InsufficientStock, w.ship(id)).Shortages
	if want := []inventory.Shortage{
		{Line: 1, SKU: "tea", Location: "boston", Requested: 3, Available: 2}, {Line: 2, SKU: "pot", Location: "boston", Requested: 6, Available: 5},
	}; !slices.Equal(got, want) {
		t.Errorf("short are %+v", got)
	}
	w.lapse() // the hold's time is over, and nobody tidied it away
	w.accept(t, w.move(inventory.KindReceive, line(usPot, 1)))
	w.accept(t, w.ship(id))
	w.has(t, usTea, balances{OnHand: 2})
}

func TestReceivingIsNeverMoreThanIsInTransit(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{usTea: 5, usPot: 5})
	id := w.plan(t, wanted{"tea", 5}, wanted{"pot", 2})
	w.accept(t, w.ship(id))
	w.accept(t, w.arrive(id, arrived{"tea", 2, 0}))
	got := w.refuse(t, inventory.Conflict, w.arrive(id, arrived{"tea", 2, 0}, arrived{"pot", 3, 0}, arrived{"tea", 2, 0})).Fields
	if want := []inventory.FieldError{
		{Field: "lines[1].quantity", Message: `is 3, and 2 units of SKU "pot" are left in transit`},
		{Field: "lines[2].quantity", Message: `is 2, and 1 units of SKU "tea" are left in transit`},
	}; !slices.Equal(got, want) {
		t.Errorf("named are %+v", got)
	}
	if got := fields(w.refuse(t, inventory.Invalid, w.arrive(id, arrived{"old", 1, 0}, arrived{"tea", 1, 0}, arrived{"ghost", 1, 0})).Fields); !slices.Equal(got, []string{"lines[0].sku", "lines[2].sku"}) {
		t.Errorf("named are %v", got)
	}
	for _, bad := range []arrived{{"tea", 0, 0}, {"tea", -1, 0}, {"tea", 1, 2}, {"tea", 1, -1}} {
		w.refuse(t, inventory.Invalid, w.arrive(id, bad))
	}
	w.refuse(t, inventory.Invalid, w.arrive(id))
	w.has(t, tea, balances{OnHand: 2, Incoming: 3})
}

func TestUnitsThatArriveSettleAShortfallUnlessTheyAreUnfit(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{usTea: 10})
	oversold := line(tea, 4)
	oversold.AllowShortfall = true
	w.accept(t, w.move(inventory.KindSell, oversold))
	id := w.plan(t, wanted{"tea", 10})
	w.accept(t, w.ship(id))
	w.accept(t, w.arrive(id, arrived{"tea", 5, 3}))
	w.has(t, tea, balances{OnHand: 3, Quarantined: 3, Shortfall: 2, Incoming: 5})
	w.accept(t, w.arrive(id, arrived{"tea", 5, 0}))
	w.has(t, tea, balances{OnHand: 6, Quarantined: 3})
}

func TestWhatNeverArrivedIsLostOrReturned(t *testing.T) {
	for _, as := range inventory.Dispositions {
		w := stock(t, map[inventory.LevelKey]int64{usTea: 5, usPot: 1})
		id := w.plan(t, wanted{"tea", 5}, wanted{"pot", 1})
		w.accept(t, w.ship(id))
		w.accept(t, w.arrive(id, arrived{"tea", 2, 0}, arrived{"pot", 1, 0}))
		oversold := line(usTea, 2)
		oversold.AllowShortfall = true
		w.accept(t, w.move(inventory.KindSell, oversold))
		a := w.accept(t, w.closeAs(id, as)).Transfer
		if l := a.Lines[0]; a.Status != inventory.TransferClosed || l.InTransit != 0 || l.Lost+l.Returned != 3 || (l.Lost > 0) != (as == inventory.DispositionLost) {
			t.Errorf("closed as %s, it is answered as %+v", as, a)
		}
		w.has(t, tea, balances{OnHand: 2})
		if len(w.ledger[pot]) != 2 { // its line was done
			t.Errorf("the pot saw %v", w.kinds(pot))
		}
		if as == inventory.DispositionLost {
			w.has(t, usTea, balances{Shortfall: 2})
		} else {
			w.has(t, usTea, balances{OnHand: 1})
		}
	}
	w := stock(t, map[inventory.LevelKey]int64{usTea: 5})
	id := w.plan(t, wanted{"tea", 5})
	w.accept(t, w.ship(id))
	w.refuse(t, inventory.Invalid, w.closeAs(id, "eaten"))
}

func TestTransfersOfWhatIsUnknownOrArchivedAreRefused(t *testing.T) {
	w := newWorld()
	for kind, c := range map[inventory.RefusalKind][]inventory.CreateTransfer{
		inventory.NotFound: {{From: toBoston, To: toLondon, Lines: []wanted{{"ghost", 1}}}},
		inventory.Conflict: {
			{From: toBoston, To: toLondon, Lines: []wanted{{"old", 1}}},
			{From: toBoston, To: inventory.Place{Region: "eu", Location: "attic"}, Lines: []wanted{{"tea", 1}}},
		},
		inventory.Invalid: {
			{From: toBoston, To: toBoston, Lines: []wanted{{"tea", 1}}},
			{From: toBoston, To: toLondon, Lines: []wanted{{"tea", 1}, {"tea", 1}}},
			{From: toBoston, To: toLondon, Lines: []wanted{{"tea", 0}}},
		},
	} {
		for _, one := range c {
			one.ID = inventory.NewID(usTea, w.random(), true)
			w.refuse(t, kind, &one)
		}
	}
	id := w.id(usTea)
	for _, c := range []inventory.Command{w.ship(id), w.arrive(id, arrived{"tea", 1, 0}), w.closeAs(id, "lost"), &inventory.CancelTransfer{Reference: id}} {
		if r := w.refuse(t, inventory.NotFound, c); r.Resource != "transfer" || r.Name != id.String() {
			t.Errorf("%T: %+v", c, r)
		}
	}
	bad := inventory.CreateTransfer{From: toBoston, To: toBoston, Lines: []wanted{{"tea", 0}, {"tea", -1}}}
	if got := fields(bad.Check()); !slices.Equal(got, []string{"lines[0].quantity", "lines[1].quantity", "lines[1].sku", "to"}) {
		t.Errorf("named are %v", got)
	}
}

func TestAnArchivedProductStopsTheShippingOfADraft(t *testing.T) {
	w := newWorld()
	id := w.plan(t, wanted{"pot", 1})
	w.products["pot"] = inventory.CatalogueEntry{Known: true, Archived: true}
	w.refuse(t, inventory.Conflict, w.ship(id))
	w.accept(t, &inventory.CancelTransfer{Reference: id})
}

func TestATransferBeyondInt64IsRefused(t *testing.T) {
	const most = 1<<63 - 1
	w := stock(t, map[inventory.LevelKey]int64{usTea: most})
	first := w.plan(t, wanted{"tea", most})
	w.accept(t, w.ship(first))
	w.accept(t, w.move(inventory.KindReceive, line(usTea, 1)))
	second := w.plan(t, wanted{"tea", 1})
	if got := fields(w.refuse(t, inventory.Conflict, w.ship(second)).Fields); !slices.Equal(got, []string{"lines[0].quantity"}) {
		t.Errorf("named are %v", got)
	}
	w.accept(t, w.move(inventory.KindReceive, line(tea, 1)))
	w.refuse(t, inventory.Conflict, w.arrive(first, arrived{"tea", most, 0}))
	w.accept(t, w.arrive(first, arrived{"tea", most - 1, 0}))
}

func TestStepsOfOneTransferInOneBatch(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{usTea: 5})
	id := w.plan(t, wanted{"tea", 5})
	w.accept(t, w.ship(id))
	got := w.together(t, w.arrive(id, arrived{"tea", 3, 0}), w.arrive(id, arrived{"tea", 3, 0}), w.arrive(id, arrived{"tea", 2, 0}), w.closeAs(id, "lost"))
	for i, ok := range []bool{true, false, true, false} {
		if (got[i].err == nil) != ok {
			t.Errorf("step %d: %v", i, got[i].err)
		}
	}
	w.has(t, tea, balances{OnHand: 5})
}
