package inventory

import (
	"fmt"
	"slices"
	"time"
)

// TransferStatus is where a transfer stands: draft -> in_transit -> partially_received -> received,
// or closed with units that never arrived, or cancelled before any left.
type TransferStatus string

// The statuses.
const (
	TransferDraft             TransferStatus = "draft"
	TransferInTransit         TransferStatus = "in_transit"
	TransferPartiallyReceived TransferStatus = "partially_received"
	TransferReceived          TransferStatus = "received"
	TransferClosed            TransferStatus = "closed"
	TransferCancelled         TransferStatus = "cancelled"
)

// TransferStatuses lists them all, in the order of a transfer's life.
var TransferStatuses = []TransferStatus{
	TransferDraft, TransferInTransit, TransferPartiallyReceived, TransferReceived, TransferClosed, TransferCancelled,
}

// IsOpen says that there are steps yet to come.
func (s TransferStatus) IsOpen() bool { return s == TransferDraft || s.isUnderway() }

// isUnderway says that units have left and not all of them have got anywhere.
func (s TransferStatus) isUnderway() bool {
	return s == TransferInTransit || s == TransferPartiallyReceived
}

// Place is a location with its home region.
type Place struct{ Region, Location string }

// Level is the place's stock level of a SKU.
func (p Place) Level(sku string) LevelKey {
	return LevelKey{Region: p.Region, SKU: sku, Location: p.Location}
}

// Transfer is stock on its way from one place to another. Its rows live in the home region of From.
type Transfer struct {
	ID        ID
	Status    TransferStatus
	From, To  Place
	Reference string
	Lines     []TransferLine // in order: number 1 first
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time

	isNew, dirty bool
}

// TransferLine is one SKU of a transfer; each SKU is there once. What was shipped is received, lost
// or returned, or else still in transit. Quarantined is a part of received.
type TransferLine struct {
	Transfer    ID
	Number      int // from 1
	SKU         string
	Quantity    int64
	Shipped     int64
	Received    int64
	Quarantined int64
	Lost        int64
	Returned    int64

	dirty bool
}

// InTransit is how many units have left and got nowhere yet.
func (l TransferLine) InTransit() int64 { return l.Shipped - l.Received - l.Lost - l.Returned }

// Levels are the stock levels at both ends of every line.
func (t Transfer) Levels() []LevelKey {
	keys := make([]LevelKey, 0, 2*len(t.Lines))
	for _, l := range t.Lines {
		keys = append(keys, t.From.Level(l.SKU), t.To.Level(l.SKU))
	}
	return keys
}

// TransferAnswer is a transfer as callers see it.
type TransferAnswer struct {
	ID        ID                   `json:"id"`
	Region    string               `json:"region"`
	Status    TransferStatus       `json:"status"`
	From      string               `json:"from"`
	To        string               `json:"to"`
	Reference string               `json:"reference"`
	Lines     []TransferLineAnswer `json:"lines"`
	Version   int64                `json:"version"`
	CreatedAt time.Time            `json:"created_at"`
	UpdatedAt time.Time            `json:"updated_at"`
}

// TransferLineAnswer is a line of a transfer as callers see it.
type TransferLineAnswer struct {
	Line        int    `json:"line"`
	SKU         string `json:"sku"`
	Quantity    int64  `json:"quantity"`
	Shipped     int64  `json:"shipped"`
	Received    int64  `json:"received"`
	Quarantined int64  `json:"quarantined"`
	Lost        int64  `json:"lost"`
	Returned    int64  `json:"returned"`
	InTransit   int64  `json:"in_transit"`
}

// DescribeTransfer is a transfer as callers see it.
func DescribeTransfer(t Transfer) *TransferAnswer {
	a := &TransferAnswer{
		ID: t.ID, Region: t.ID.Region, Status: t.Status, From: t.From.Location, To: t.To.Location, Reference: t.Reference,
		Lines: make([]TransferLineAnswer, len(t.Lines)), Version: t.Version, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}
	for i, l := range t.Lines {
		a.Lines[i] = TransferLineAnswer{
			Line: l.Number, SKU: l.SKU, Quantity: l.Quantity, Shipped: l.Shipped, Received: l.Received,
			Quarantined: l.Quarantined, Lost: l.Lost, Returned: l.Returned, InTransit: l.InTransit(),
		}
	}
	return a
}

// CreateTransfer plans a transfer; no stock moves yet.
type CreateTransfer struct {
	ID        ID // becomes the transfer's
	From, To  Place
	Reference string
	Lines     []TransferOrder
}

// TransferOrder asks for units of a SKU to be transferred.
type TransferOrder struct {
	SKU      string
	Quantity int64
}

// Check names every field that is wrong whatever the stock is.
func (c *CreateTransfer) Check() (wrong []FieldError) {
	if c.From.Location != "" && c.From.Location == c.To.Location {
		wrong = append(wrong, FieldError{Field: "to", Message: "must be another location than from"})
	}
	seen := map[string]bool{}
	for i, l := range c.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		if l.SKU != "" && seen[l.SKU] {
			wrong = append(wrong, FieldError{Field: at + "sku", Message: "is there twice; a transfer names each SKU once"})
		}
		if l.Quantity < 1 {
			wrong = append(wrong, FieldError{Field: at + "quantity", Message: "must be at least 1"})
		}
		seen[l.SKU] = true
	}
	return wrong
}

// Needs implements Command. The levels say whether the names are known and not archived.
func (c *CreateTransfer) Needs() Needs {
	var n Needs
	for _, l := range c.Lines {
		n.Levels = append(n.Levels, c.From.Level(l.SKU), c.To.Level(l.SKU))
	}
	return n
}

// Decide implements Command.
func (c *CreateTransfer) Decide(d *Draft) (Answer, error) {
	if wrong := c.Check(); len(wrong) > 0 {
		return Answer{}, &Refusal{Kind: Invalid, Detail: wrong[0].Field + " " + wrong[0].Message, Fields: wrong}
	}
	t := Transfer{
		ID: c.ID, Status: TransferDraft, From: c.From, To: c.To, Reference: c.Reference,
		Lines: make([]TransferLine, len(c.Lines)), CreatedAt: d.recordedAt(), isNew: true,
	}
	for i, l := range c.Lines {
		t.Lines[i] = TransferLine{Transfer: c.ID, Number: i + 1, SKU: l.SKU, Quantity: l.Quantity}
	}
	for _, key := range t.Levels() {
		if _, err := d.Level(key); err != nil {
			return Answer{}, err
		}
	}
	return d.putTransfer(t), nil
}

// transfer gives a transfer that its caller may change.
func (d *Draft) transfer(id ID) (Transfer, error) {
	t, found := d.transfers[id]
	if !found {
		t, found = d.state.transfers[id]
	}
	if !found {
		return Transfer{}, notFound("transfer", id.String())
	}
	t.Lines = slices.Clone(t.Lines)
	return t, nil
}

// putTransfer writes a transfer as it now stands and gives the answer that shows it.
func (d *Draft) putTransfer(t Transfer) Answer {
	t.dirty = !t.isNew
	t.Version++
	t.UpdatedAt = d.recordedAt()
	d.transfers[t.ID] = t
	return Answer{Transfer: DescribeTransfer(t)}
}
