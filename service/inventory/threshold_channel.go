package inventory

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// ThresholdState is whether what a channel can sell of a SKU was last seen below a rule's threshold.
type ThresholdState struct {
	Rule, SKU string
	Below     bool
	// Flips counts how often that changed.
	Flips int64
	// Known is false where nobody has looked yet.
	Known bool
}

// Promises says whether the channel may promise from a location.
func (c *Channel) Promises(location string) bool {
	return len(c.Locations) == 0 || slices.Contains(c.Locations, location)
}

// Sellable is what the channel may promise of what is available at one of its locations: never
// below zero.
func (c *Channel) Sellable(available int64) int64 {
	return max(max(available, 0)-c.SafetyStock, 0)
}

// Sum adds without leaving int64: it stops at the ends.
func Sum(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

// ChannelCrossing is what a rule about a channel finds for a SKU.
type ChannelCrossing struct {
	Region  string // where the alert is at home: the primary one
	Rule    Threshold
	Channel Channel
	Levels  []Level  // of the SKU, as they are now
	Events  []*Event // that changed them since somebody looked, in the order of versions
}

// Decide compares what is sellable now with the state before. It gives the state as it is since, and
// an alert where that changed, nil if not. Where nobody has looked yet, what was sellable before the
// events takes the state's place.
func (c ChannelCrossing) Decide(state ThresholdState) (ThresholdState, *Alert) {
	now, before, fresh := c.sellable()
	if !state.Known {
		state.Known, state.Below = true, before < c.Rule.Below
	}
	below := now < c.Rule.Below
	if below == state.Below {
		return state, nil
	}
	state.Below = below
	if fresh && !below {
		return state, nil
	}
	state.Flips++
	kind := AlertAboveThreshold
	if below {
		kind = AlertBelowThreshold
	}
	return state, &Alert{
		ID:   alertID(c.Region, "channel", state.Rule, state.SKU, strconv.FormatInt(state.Flips, 10)),
		Kind: kind, RaisedAt: c.newest(), SKU: state.SKU, Channel: c.Channel.Name, Rule: c.Rule.Name,
		Available: now, Threshold: &c.Rule.Below,
	}
}

// sellable is what the channel can sell now, and what it could before the events. fresh says that
// the SKU had never been anywhere before.
func (c ChannelCrossing) sellable() (now, before int64, fresh bool) {
	first := map[LevelKey]*Event{}
	for _, e := range c.Events {
		if f := first[e.Key]; f == nil || e.Version < f.Version {
			first[e.Key] = e
		}
	}
	fresh = true
	for _, l := range c.Levels {
		if !c.Channel.Promises(l.Key.Location) {
			continue
		}
		available := l.Available()
		now = Sum(now, c.Channel.Sellable(available))
		if e := first[l.Key]; e != nil {
			available = e.Balances.Available() - e.Deltas.Available()
			fresh = fresh && e.Version == 1
		} else {
			fresh = false
		}
		before = Sum(before, c.Channel.Sellable(available))
	}
	return now, before, fresh
}

func (c ChannelCrossing) newest() (at time.Time) {
	for _, e := range c.Events {
		if e.RecordedAt.After(at) {
			at = e.RecordedAt
		}
	}
	return at
}
