package inventory

import "fmt"

// ShipTransfer sends a draft on its way: all of its units leave From and are expected at To.
type ShipTransfer struct {
	ID        ID // the step's own
	Reference ID
	Meta      Meta
}

// Needs implements Command.
func (c *ShipTransfer) Needs() Needs { return Needs{Transfers: []ID{c.Reference}} }

// Decide implements Command. A refusal names all lines that fall short.
func (c *ShipTransfer) Decide(d *Draft) (Answer, error) {
	t, err := d.transfer(c.Reference)
	if err != nil {
		return Answer{}, err
	}
	if t.Status != TransferDraft {
		return Answer{}, conflict("transfer %s is %s; only a draft can be shipped", t.ID, t.Status)
	}
	var shortages []Shortage
	for i := range t.Lines {
		l := &t.Lines[i]
		level, err := d.available(t.From.Level(l.SKU), l.Quantity, c.ID)
		if err != nil {
			return Answer{}, err
		}
		if level.Available() < l.Quantity {
			shortages = append(shortages, Shortage{Line: l.Number, SKU: l.SKU, Location: t.From.Location, Requested: l.Quantity, Available: max(level.Available(), 0)})
			continue
		}
		l.Shipped, l.dirty = l.Quantity, true
		why := cause{command: c.ID, transfer: &t.ID, meta: c.Meta}
		err = d.legs(i, why, leg{KindTransferShip, level.Key, Balances{OnHand: -l.Quantity}},
			leg{KindTransferExpect, t.To.Level(l.SKU), Balances{Incoming: l.Quantity}})
		if err != nil {
			return Answer{}, err
		}
	}
	if len(shortages) > 0 {
		return Answer{}, insufficient(shortages)
	}
	t.Status = TransferInTransit
	return d.putTransfer(t), nil
}

// ReceiveTransfer takes in units that arrived at To; what is left stays in transit.
type ReceiveTransfer struct {
	ID        ID
	Reference ID
	Lines     []TransferArrival
	Meta      Meta
}

// TransferArrival is units of a SKU that arrived, Quarantined of them not fit for sale.
type TransferArrival struct {
	SKU         string
	Quantity    int64
	Quarantined int64
}

// Check names every field that is wrong whatever the transfer is.
func (c *ReceiveTransfer) Check() (wrong []FieldError) {
	for i, l := range c.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		switch {
		case l.Quantity < 1:
			wrong = append(wrong, FieldError{Field: at + "quantity", Message: "must be at least 1"})
		case l.Quarantined < 0 || l.Quarantined > l.Quantity:
			wrong = append(wrong, FieldError{Field: at + "quarantined", Message: fmt.Sprintf("must be from 0 to the quantity, %d", l.Quantity)})
		}
	}
	return wrong
}

// Needs implements Command.
func (c *ReceiveTransfer) Needs() Needs { return Needs{Transfers: []ID{c.Reference}} }

// Decide implements Command.
func (c *ReceiveTransfer) Decide(d *Draft) (Answer, error) {
	t, err := d.transfer(c.Reference)
	if err != nil {
		return Answer{}, err
	}
	place := make(map[string]int, len(t.Lines))
	for i, l := range t.Lines {
		place[l.SKU] = i
	}
	if err := c.checkLines(t, place); err != nil {
		return Answer{}, err
	}
	if !t.Status.isUnderway() {
		return Answer{}, conflict("transfer %s is %s; only one in transit can be received", t.ID, t.Status)
	}
	var over []FieldError
	for i, arrived := range c.Lines {
		l := &t.Lines[place[arrived.SKU]]
		if left := l.InTransit(); arrived.Quantity > left {
			over = append(over, FieldError{
				Field:   fmt.Sprintf("lines[%d].quantity", i),
				Message: fmt.Sprintf("is %d, and %d units of SKU %q are left in transit", arrived.Quantity, left, l.SKU),
			})
			continue
		}
		level, err := d.Level(t.To.Level(l.SKU))
		if err != nil {
			return Answer{}, err
		}
		deltas := level.arrival(arrived.Quantity-arrived.Quarantined, arrived.Quarantined)
		deltas.Incoming = -arrived.Quantity
		l.Received, l.Quarantined, l.dirty = l.Received+arrived.Quantity, l.Quarantined+arrived.Quarantined, true
		if err := d.legs(i, cause{command: c.ID, transfer: &t.ID, meta: c.Meta}, leg{KindTransferReceive, level.Key, deltas}); err != nil {
			return Answer{}, err
		}
	}
	if len(over) > 0 {
		return Answer{}, &Refusal{Kind: Conflict, Detail: over[0].Field + " " + over[0].Message, Fields: over}
	}
	t.Status = TransferReceived
	for _, l := range t.Lines {
		if l.InTransit() > 0 {
			t.Status = TransferPartiallyReceived
		}
	}
	return d.putTransfer(t), nil
}

// checkLines stands behind the callers' own checks, and finds SKUs that the transfer doesn't have.
func (c *ReceiveTransfer) checkLines(t Transfer, place map[string]int) error {
	wrong := c.Check()
	for i, l := range c.Lines {
		if _, found := place[l.SKU]; !found {
			wrong = append(wrong, FieldError{Field: fmt.Sprintf("lines[%d].sku", i), Message: fmt.Sprintf("is not on transfer %s", t.ID)})
		}
	}
	switch {
	case len(c.Lines) == 0:
		return invalid("lines", "must have at least one line")
	case len(wrong) > 0:
		return &Refusal{Kind: Invalid, Detail: wrong[0].Field + " " + wrong[0].Message, Fields: wrong}
	}
	return nil
}

// Disposition says what became of the units of a transfer that never arrived.
type Disposition string

// The dispositions.
const (
	DispositionLost     Disposition = "lost"
	DispositionReturned Disposition = "returned" // they are back at From
)

// Dispositions lists them.
var Dispositions = []Disposition{DispositionLost, DispositionReturned}

// CloseTransfer ends a transfer of which units are still in transit.
type CloseTransfer struct {
	ID          ID
	Reference   ID
	Disposition Disposition
	Meta        Meta
}

// Needs implements Command.
func (c *CloseTransfer) Needs() Needs { return Needs{Transfers: []ID{c.Reference}} }

// Decide implements Command.
func (c *CloseTransfer) Decide(d *Draft) (Answer, error) {
	if wrong := oneOf("disposition", c.Disposition, Dispositions...); len(wrong) > 0 {
		return Answer{}, invalid(wrong[0].Field, wrong[0].Message)
	}
	t, err := d.transfer(c.Reference)
	if err != nil {
		return Answer{}, err
	}
	if !t.Status.isUnderway() {
		return Answer{}, conflict("transfer %s is %s; only one in transit can be closed", t.ID, t.Status)
	}
	for i := range t.Lines {
		if err := c.end(d, &t, i); err != nil {
			return Answer{}, err
		}
	}
	t.Status = TransferClosed
	return d.putTransfer(t), nil
}

// end takes what is left of a line off what is expected at To.
func (c *CloseTransfer) end(d *Draft, t *Transfer, i int) error {
	l := &t.Lines[i]
	rest := l.InTransit()
	if rest == 0 {
		return nil
	}
	why := cause{command: c.ID, transfer: &t.ID, meta: c.Meta}
	l.dirty = true
	if c.Disposition == DispositionLost {
		l.Lost += rest
		return d.legs(i, why, leg{KindTransferLose, t.To.Level(l.SKU), Balances{Incoming: -rest}})
	}
	from, err := d.Level(t.From.Level(l.SKU))
	if err != nil {
		return err
	}
	l.Returned += rest
	return d.legs(i, why, leg{KindTransferRecall, t.To.Level(l.SKU), Balances{Incoming: -rest}},
		leg{KindTransferReturn, from.Key, from.arrival(rest, 0)})
}

// CancelTransfer gives up a draft.
type CancelTransfer struct{ Reference ID }

// Needs implements Command.
func (c *CancelTransfer) Needs() Needs { return Needs{Transfers: []ID{c.Reference}} }

// Decide implements Command.
func (c *CancelTransfer) Decide(d *Draft) (Answer, error) {
	t, err := d.transfer(c.Reference)
	switch {
	case err != nil:
		return Answer{}, err
	case t.Status.isUnderway():
		return Answer{}, conflict("transfer %s is %s; only a draft can be cancelled: close it as lost or returned instead", t.ID, t.Status)
	case t.Status != TransferDraft:
		return Answer{}, conflict("transfer %s is %s; only a draft can be cancelled", t.ID, t.Status)
	}
	t.Status = TransferCancelled
	return d.putTransfer(t), nil
}

// leg is what one end of a transfer sees of a step.
type leg struct {
	kind   Kind
	level  LevelKey
	deltas Balances
}

// legs posts what a line's step does at its ends; line counts from 0.
func (d *Draft) legs(line int, why cause, legs ...leg) error {
	for _, l := range legs {
		why.kind = l.kind
		if _, err := d.post(l.level, l.deltas, why); err != nil {
			return nameLine(err, line)
		}
	}
	return nil
}
