package store

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"stockyard/service/inventory"
)

// envelope is what a changefeed wraps rows in: a row with its moment, none where it was deleted, or the
// moment up to which all rows have come.
type envelope[Row any] struct {
	After    *Row   `json:"after"`
	Updated  string `json:"updated"`
	Resolved string `json:"resolved"`
}

// unwrap gives the row that a value has, if any, and its moment.
func unwrap[Row any](value []byte) (row *Row, at Moment, err error) {
	var e envelope[Row]
	if err := json.Unmarshal(value, &e); err != nil {
		return nil, at, fmt.Errorf("a row of the changefeed: %w", err)
	}
	switch {
	case e.Resolved != "":
		at, err = parseMoment(e.Resolved)
	case e.After != nil:
		at, err = parseMoment(e.Updated)
	}
	return e.After, at, err
}

// changedBatch is a row of feed_batches as a changefeed gives it.
type changedBatch struct {
	Events string `json:"events"`
}

func (c *changedBatch) unpack() ([]inventory.Event, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(c.Events, `\x`))
	if err != nil {
		return nil, fmt.Errorf("a batch of the changefeed: %w", err)
	}
	return inventory.UnpackEvents(raw)
}

// changedEvent is a row of stock_events as a changefeed gives it.
type changedEvent struct {
	Region           string         `json:"region"`
	SKU              string         `json:"sku"`
	Location         string         `json:"location"`
	Version          int64          `json:"version"`
	Kind             string         `json:"kind"`
	OnHandDelta      int64          `json:"on_hand_delta"`
	HeldDelta        int64          `json:"held_delta"`
	AllocatedDelta   int64          `json:"allocated_delta"`
	QuarantinedDelta int64          `json:"quarantined_delta"`
	IncomingDelta    int64          `json:"incoming_delta"`
	ShortfallDelta   int64          `json:"shortfall_delta"`
	OnHand           int64          `json:"on_hand"`
	Held             int64          `json:"held"`
	Allocated        int64          `json:"allocated"`
	Quarantined      int64          `json:"quarantined"`
	Incoming         int64          `json:"incoming"`
	Shortfall        int64          `json:"shortfall"`
	MovementHome     string         `json:"movement_home"`
	MovementID       string         `json:"movement_id"`
	ReservationHome  string         `json:"reservation_home"`
	ReservationID    string         `json:"reservation_id"`
	TransferHome     string         `json:"transfer_home"`
	TransferID       string         `json:"transfer_id"`
	UnitCost         jsontext.Value `json:"unit_cost"`
	Currency         string         `json:"currency"`
	Reason           string         `json:"reason"`
	Reference        string         `json:"reference"`
	Channel          string         `json:"channel"`
	Actor            string         `json:"actor"`
	EffectiveAt      time.Time      `json:"effective_at"`
	RecordedAt       time.Time      `json:"recorded_at"`
	Hash             string         `json:"hash"`
}

func (c *changedEvent) event() (*inventory.Event, error) {
	row := eventRow{
		movement: c.MovementID, reservationHome: c.ReservationHome, reservation: c.ReservationID,
		transferHome: c.TransferHome, transfer: c.TransferID,
	}
	if c.UnitCost.Kind() == jsontext.KindNumber {
		row.cost = inventory.Money{Amount: string(c.UnitCost), Currency: c.Currency}
	}
	row.e = inventory.Event{
		Key:     inventory.LevelKey{Region: c.Region, SKU: c.SKU, Location: c.Location},
		Version: c.Version,
		Kind:    inventory.Kind(c.Kind),
		Deltas: inventory.Balances{
			OnHand: c.OnHandDelta, Held: c.HeldDelta, Allocated: c.AllocatedDelta,
			Quarantined: c.QuarantinedDelta, Incoming: c.IncomingDelta, Shortfall: c.ShortfallDelta,
		},
		Balances: inventory.Balances{
			OnHand: c.OnHand, Held: c.Held, Allocated: c.Allocated,
			Quarantined: c.Quarantined, Incoming: c.Incoming, Shortfall: c.Shortfall,
		},
		Command: inventory.ID{Region: c.MovementHome},
		Meta: inventory.Meta{
			Actor: c.Actor, Reason: c.Reason, Reference: c.Reference, Channel: c.Channel, EffectiveAt: c.EffectiveAt,
		},
		RecordedAt: c.RecordedAt,
	}
	hash, err := hex.DecodeString(strings.TrimPrefix(c.Hash, `\x`))
	if err != nil {
		return nil, fmt.Errorf("the hash of a stock event of the changefeed: %w", err)
	}
	copy(row.e.Hash[:], hash)
	e, err := row.event()
	return &e, err
}

// changedAlert is a row of alerts as a changefeed gives it.
type changedAlert struct {
	Region    string    `json:"region"`
	RaisedAt  time.Time `json:"raised_at"`
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	SKU       string    `json:"sku"`
	Location  string    `json:"location"`
	Channel   string    `json:"channel"`
	Rule      string    `json:"rule"`
	Version   int64     `json:"version"`
	Available int64     `json:"available"`
	Threshold *int64    `json:"threshold"`
	Detail    string    `json:"detail"`
}

func (c *changedAlert) alert() (*inventory.Alert, error) {
	row := alertRow{id: c.ID, a: inventory.Alert{
		ID: inventory.ID{Region: c.Region}, Kind: inventory.AlertKind(c.Kind), RaisedAt: c.RaisedAt,
		SKU: c.SKU, Location: c.Location, Channel: c.Channel, Rule: c.Rule,
		Version: c.Version, Available: c.Available, Threshold: c.Threshold, Detail: c.Detail,
	}}
	return row.alert()
}
