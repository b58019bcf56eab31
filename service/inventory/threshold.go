package inventory

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// Threshold is a rule that raises an alert where less than so many units are left, and another one
// where as many are there again.
type Threshold struct {
	Name string `json:"name"`
	// SKU is the one that it is about; "" for every one.
	SKU string `json:"sku,omitempty"`
	// Location is the one whose stock levels it looks at, Channel the one whose sellable units, summed
	// over its locations; with neither it looks at every stock level, each by itself.
	Location string `json:"location,omitempty"`
	Channel  string `json:"channel,omitempty"`
	Below    int64  `json:"below"`
	Active   bool   `json:"active"`
	Stamp
}

// Check names every invalid field.
func (t *Threshold) Check() []FieldError {
	var w wrongs
	w.add("name", CheckIdentifier(t.Name))
	if t.SKU != "" {
		w.add("sku", CheckSKU(t.SKU))
	}
	if t.Location != "" {
		w.add("location", CheckIdentifier(t.Location))
	}
	if t.Channel != "" {
		w.add("channel", CheckIdentifier(t.Channel))
	}
	if t.Location != "" && t.Channel != "" {
		w.add("channel", "and location exclude each other")
	}
	if t.Below < 1 {
		w.add("below", "must be at least 1")
	}
	return w.list
}

// Concerns says whether a change of a stock level matters to the rule; of a rule about a channel, as
// far as the rule itself can say.
func (t *Threshold) Concerns(key LevelKey) bool {
	return t.Active && t.ArchivedAt == nil && (t.SKU == "" || t.SKU == key.SKU) && (t.Location == "" || t.Location == key.Location)
}

// Crossings gives the alerts that a change of a stock level raises, by itself and by rules about
// locations. The same event and rules give the same alerts with the same ids, however often it is
// asked. A level's first event brings nothing back: nobody missed what never was there.
func Crossings(e *Event, rules []Threshold) (alerts []Alert) {
	after := e.Balances.Available()
	before := after - e.Deltas.Available()
	raise := func(kind AlertKind, rule string, threshold *int64) {
		alerts = append(alerts, Alert{
			ID:   alertID(e.Key.Region, e.Key.SKU, e.Key.Location, strconv.FormatInt(e.Version, 10), string(kind), rule),
			Kind: kind, RaisedAt: e.RecordedAt, SKU: e.Key.SKU, Location: e.Key.Location,
			Rule: rule, Version: e.Version, Available: after, Threshold: threshold,
		})
	}
	switch {
	case before > 0 && after <= 0:
		raise(AlertOutOfStock, "", nil)
	case before <= 0 && after > 0 && e.Version > 1:
		raise(AlertBackInStock, "", nil)
	}
	if e.Deltas.Shortfall > 0 {
		raise(AlertShortfall, "", nil)
	}
	for i := range rules {
		r := &rules[i]
		if r.Channel != "" || !r.Concerns(e.Key) {
			continue
		}
		switch {
		case before >= r.Below && after < r.Below:
			raise(AlertBelowThreshold, r.Name, &r.Below)
		case before < r.Below && after >= r.Below && e.Version > 1:
			raise(AlertAboveThreshold, r.Name, &r.Below)
		}
	}
	return alerts
}

// DriftAlert tells of something that verify found: one alert for each distinct finding.
func DriftAlert(region, check, key, detail string) Alert {
	return Alert{
		ID: alertID(region, string(AlertDrift), check, key, detail), Kind: AlertDrift,
		Detail: check + ": " + key + ": " + detail,
	}
}

// alertID makes an id of what an alert is about, so that raising it again makes no other one.
func alertID(region string, parts ...string) ID {
	h := sha256.New()
	for _, part := range append([]string{region}, parts...) {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part))) // a hash takes everything
		h.Write([]byte(part))
	}
	id := ID{Region: region}
	copy(id.UUID[:], h.Sum(nil))
	return id
}
