package clients

import (
	"context"

	"stockyard/service/client"
	"stockyard/service/inventory"
	"stockyard/service/soak/book"
)

// line is a quantity of a SKU at a place; without a location it is sourced.
type line struct {
	book.Place
	units int64
}

// move is a movement. What it must have done follows from its input, but for a count, whose answer says.
func move(kind inventory.Kind, lines ...line) book.Send {
	in := client.MovementRequest{Kind: string(kind)}
	for _, l := range lines {
		in.Lines = append(in.Lines, client.MovementLine{Location: l.Location, SKU: l.SKU, Quantity: l.units})
	}
	return func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		m, call, err := by.Move(ctx, key, in)
		if err != nil {
			return book.Answer{}, call, err
		}
		a := book.Answer{ID: m.ID, IsNew: true}
		for i, l := range lines {
			e := book.Effect{Place: l.Place, Kind: kind}
			switch kind {
			case inventory.KindSell:
				e.Deltas.OnHand = -l.units
			case inventory.KindCount:
				e.Deltas.OnHand, e.Deltas.Shortfall = m.Lines[i].Deltas["on_hand"], m.Lines[i].Deltas["shortfall"]
			default:
				e.Deltas.OnHand = l.units
			}
			a.Effects = append(a.Effects, e)
			a.Level = &m.Lines[i].Level
		}
		return a, call, nil
	}
}

// reserve holds units. Where from is for the answer to say, where a line leaves it open.
func reserve(expiresIn string, lines ...line) book.Send {
	in := client.ReservationRequest{ExpiresIn: expiresIn}
	for _, l := range lines {
		in.Lines = append(in.Lines, client.ReservationLine{Location: l.Location, SKU: l.SKU, Quantity: l.units})
	}
	return func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		r, call, err := by.Reserve(ctx, key, in)
		a := reserved(r, inventory.KindReserve, inventory.Balances{Held: 1})
		a.IsNew = true
		return a, call, err
	}
}

// reserved is the answer to a step of a whole reservation: each line's units change by so much.
func reserved(r client.Reservation, kind inventory.Kind, each inventory.Balances) book.Answer {
	a := book.Answer{ID: r.ID, Reservation: &r}
	for _, l := range r.Lines {
		a.Effects = append(a.Effects, book.Effect{
			Place: book.Place{Location: l.Location, SKU: l.SKU}, Kind: kind,
			Deltas: inventory.Balances{OnHand: l.Quantity * each.OnHand, Held: l.Quantity * each.Held, Allocated: l.Quantity * each.Allocated},
		})
	}
	return a
}

// step is what may be done to a whole reservation.
type step struct {
	kind inventory.Kind
	each inventory.Balances // of each unit
	call func(by *client.Client, ctx context.Context, key, id string) (client.Reservation, client.Call, error)
}

// extend is no kind of event: it changes no stock level.
const extend inventory.Kind = "extend"

var (
	confirm = step{inventory.KindConfirm, inventory.Balances{Held: -1, Allocated: 1}, (*client.Client).Confirm}
	fulfil  = step{inventory.KindFulfil, inventory.Balances{OnHand: -1, Allocated: -1}, (*client.Client).Fulfil}
	unhold  = step{inventory.KindRelease, inventory.Balances{Held: -1}, (*client.Client).Release}
	giveUp  = step{inventory.KindRelease, inventory.Balances{Allocated: -1}, (*client.Client).Release}
	prolong = step{kind: extend, call: func(by *client.Client, ctx context.Context, key, id string) (client.Reservation, client.Call, error) {
		return by.Extend(ctx, key, id, "3s")
	}}
)

func (s step) of(id string) book.Send {
	return func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		r, call, err := s.call(by, ctx, key, id)
		a := reserved(r, s.kind, s.each)
		if s.kind == extend {
			a.Effects = nil
		}
		return a, call, err
	}
}

// transfer plans a transfer: no stock moves yet.
func transfer(from, to book.Place, units int64) book.Send {
	in := client.TransferRequest{From: from.Location, To: to.Location, Lines: []client.TransferLine{{SKU: from.SKU, Quantity: units}}}
	return func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		t, call, err := by.CreateTransfer(ctx, key, in)
		return book.Answer{ID: t.ID, IsNew: true, Transfer: &t}, call, err
	}
}

// ship sends a transfer on its way, arrive takes all of it in.
func ship(id string, from, to book.Place, units int64) book.Send {
	return func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		t, call, err := by.ShipTransfer(ctx, key, id)
		return book.Answer{ID: t.ID, Transfer: &t, Effects: []book.Effect{
			{Place: from, Kind: inventory.KindTransferShip, Deltas: inventory.Balances{OnHand: -units}},
			{Place: to, Kind: inventory.KindTransferExpect, Deltas: inventory.Balances{Incoming: units}},
		}}, call, err
	}
}

func arrive(id string, to book.Place, units int64) book.Send {
	return func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		t, call, err := by.ReceiveTransfer(ctx, key, id, client.Arrival{SKU: to.SKU, Quantity: units})
		return book.Answer{ID: t.ID, Transfer: &t, Effects: []book.Effect{
			{Place: to, Kind: inventory.KindTransferReceive, Deltas: inventory.Balances{OnHand: units, Incoming: -units}},
		}}, call, err
	}
}

// Opening gives every SKU of a range units at a site.
func Opening(site string, units int64, wares Range) book.Send {
	var lines []line
	for _, p := range wares.Places() {
		if p.Location == site {
			lines = append(lines, line{p, units})
		}
	}
	return move(inventory.KindReceive, lines...)
}
