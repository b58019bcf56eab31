package inventory_test

import (
	"slices"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// readTransfer gives the state a transfer's row and those of its levels, and the levels' keys.
func (w *world) readTransfer(s *inventory.State, id inventory.ID) []inventory.LevelKey {
	row, found := w.transfers[id]
	if !found {
		return nil
	}
	row.Lines = slices.Clone(row.Lines)
	slices.Reverse(row.Lines) // rows come in no order
	s.AddTransfer(row)
	for _, key := range row.Levels() {
		if l, found := w.levels[key]; found {
			s.AddLevel(l)
		}
	}
	return row.Levels()
}

// applyTransfers is apply for transfers: only what has a column survives.
func (w *world) applyTransfers(t rapid.TB, c *inventory.Changes) {
	t.Helper()
	for i, r := range append(slices.Clone(c.NewTransfers), c.Transfers...) {
		before, found := w.transfers[r.ID]
		if found != (i >= len(c.NewTransfers)) {
			t.Fatalf("transfer %s: written as new, or as changed, wrongly", r.ID)
		}
		row := inventory.Transfer{
			ID: r.ID, Status: r.Status, From: r.From, To: r.To, Reference: r.Reference, Lines: before.Lines,
			Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		}
		if !found {
			w.transferIDs = append(w.transferIDs, r.ID)
			for _, l := range r.Lines {
				row.Lines = append(row.Lines, columnsOf(l))
			}
		}
		w.transfers[r.ID] = row
	}
	for _, l := range c.TransferLines {
		lines := w.transfers[l.Transfer].Lines
		n := slices.IndexFunc(lines, func(o inventory.TransferLine) bool { return o.Number == l.Number && o.SKU == l.SKU })
		if n < 0 {
			t.Fatalf("a line of no transfer is written: %+v", l)
		}
		lines[n] = columnsOf(l)
	}
}

func columnsOf(l inventory.TransferLine) inventory.TransferLine {
	return inventory.TransferLine{
		Transfer: l.Transfer, Number: l.Number, SKU: l.SKU, Quantity: l.Quantity, Shipped: l.Shipped,
		Received: l.Received, Quarantined: l.Quarantined, Lost: l.Lost, Returned: l.Returned,
	}
}

// checkTransfers: no unit of a transfer gets lost or doubled, incoming is what is underway, and the
// ledger says where each unit went.
func (w *world) checkTransfers(t rapid.TB) {
	t.Helper()
	incoming := map[inventory.LevelKey]int64{}
	for id, row := range w.transfers {
		if id.Region != row.From.Region || id.Spans() != (row.From.Region != row.To.Region) {
			t.Fatalf("the id of transfer %s misleads about where it is: %+v", id, row)
		}
		for i, l := range row.Lines {
			if l.Number != i+1 || l.Transfer != id {
				t.Fatalf("line %d of %s is %+v", i+1, id, l)
			}
			incoming[row.To.Level(l.SKU)] += l.InTransit()
			if own := w.fromLedger(row, l); own != l {
				t.Fatalf("line %d of %s is %+v, the ledger says %+v", l.Number, id, l, own)
			}
		}
		checkTransferStatus(t, row)
	}
	for key, l := range w.levels {
		if l.Incoming != incoming[key] {
			t.Fatalf("%v has incoming %d; what is underway to it is %d", key, l.Incoming, incoming[key])
		}
	}
}

// fromLedger adds a line up from the events at both ends.
func (w *world) fromLedger(row inventory.Transfer, l inventory.TransferLine) inventory.TransferLine {
	own := inventory.TransferLine{Transfer: l.Transfer, Number: l.Number, SKU: l.SKU, Quantity: l.Quantity}
	for _, key := range []inventory.LevelKey{row.From.Level(l.SKU), row.To.Level(l.SKU)} {
		for _, e := range w.ledger[key] {
			if e.Transfer == nil || *e.Transfer != row.ID {
				continue
			}
			switch e.Kind {
			case inventory.KindTransferShip:
				own.Shipped -= e.Deltas.OnHand
			case inventory.KindTransferReceive:
				own.Received += e.Deltas.OnHand - e.Deltas.Shortfall
				own.Quarantined += e.Deltas.Quarantined
			case inventory.KindTransferLose:
				own.Lost -= e.Deltas.Incoming
			case inventory.KindTransferReturn:
				own.Returned += e.Deltas.OnHand - e.Deltas.Shortfall
			}
		}
	}
	return own
}

func checkTransferStatus(t rapid.TB, row inventory.Transfer) {
	t.Helper()
	shipped, inTransit, received, given := true, false, false, false
	for _, l := range row.Lines {
		shipped = shipped && l.Shipped == l.Quantity
		inTransit = inTransit || l.InTransit() > 0
		received = received || l.Received > 0
		given = given || l.Lost+l.Returned > 0
		if l.InTransit() < 0 || l.Quarantined < 0 || l.Quarantined > l.Received || l.Shipped != 0 && l.Shipped != l.Quantity {
			t.Fatalf("line %d of %s doesn't add up: %+v", l.Number, row.ID, l)
		}
	}
	consistent := map[inventory.TransferStatus]bool{
		inventory.TransferDraft:             !shipped && !received && !given,
		inventory.TransferCancelled:         !shipped && !received && !given,
		inventory.TransferInTransit:         shipped && inTransit && !received && !given,
		inventory.TransferPartiallyReceived: shipped && inTransit && received && !given,
		inventory.TransferReceived:          shipped && !inTransit && received && !given,
		inventory.TransferClosed:            shipped && !inTransit && given,
	}
	if !consistent[row.Status] {
		t.Fatalf("transfer %s is %s with lines %+v", row.ID, row.Status, row.Lines)
	}
}
