package webhook

import (
	"testing"
	"time"

	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Alerts of a level are sent in the order of its versions, though one batch raised them at one time.
func TestAlertsOfALevelGoByItsVersions(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	var last store.Delivery
	for v := range int64(4) {
		d := newDelivery(store.Webhook{}, &feed.Item{Alert: &inventory.Alert{
			Kind: inventory.AlertOutOfStock, RaisedAt: at, SKU: "tea", Location: "NYC", Version: v + 9, Available: 0,
		}})
		if v > 0 && (d.Subject != last.Subject || d.Sequence != last.Sequence+1) {
			t.Errorf("%s %d comes after %s %d", d.Subject, d.Sequence, last.Subject, last.Sequence)
		}
		last = d
	}
	channel := newDelivery(store.Webhook{}, &feed.Item{Alert: &inventory.Alert{Kind: inventory.AlertBelowThreshold, RaisedAt: at, SKU: "tea", Channel: "web"}})
	if channel.Sequence != at.UnixMicro() {
		t.Errorf("an alert that is no level's goes by %d", channel.Sequence)
	}
}
