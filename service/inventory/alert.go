package inventory

import "time"

// Alert tells people of something about stock that they want to know when it comes about: once for
// each time that it does.
type Alert struct {
	ID       ID
	Kind     AlertKind
	RaisedAt time.Time
	// SKU is what it is about; "" where it is about more than one.
	SKU string
	// Location or Channel is where; both "" where it is about everything.
	Location, Channel string
	// Rule names the threshold that was crossed; "" for alerts that need none.
	Rule string
	// Version is the one of the stock level whose change raised it; 0 where no single one did.
	Version int64
	// Available is what was left then: at the location, or sellable through the channel.
	Available int64
	// Threshold is the rule's; nil where there is none.
	Threshold *int64
	Detail    string
}

// AlertKind names what an alert tells.
type AlertKind string

// The kinds of alerts.
const (
	AlertOutOfStock     AlertKind = "out_of_stock"    // nothing is available any more
	AlertBackInStock    AlertKind = "back_in_stock"   // something is available again
	AlertBelowThreshold AlertKind = "below_threshold" // less is available than the rule's threshold
	AlertAboveThreshold AlertKind = "above_threshold" // as much as the threshold is available again
	AlertShortfall      AlertKind = "shortfall"       // units left that the books didn't have free
	AlertDrift          AlertKind = "drift"           // verify found the books not to add up
)

// AlertKinds lists them.
func AlertKinds() []AlertKind {
	return []AlertKind{AlertOutOfStock, AlertBackInStock, AlertBelowThreshold, AlertAboveThreshold, AlertShortfall, AlertDrift}
}
