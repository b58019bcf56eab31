package inventory_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

func rule(name string, below int64) inventory.Threshold {
	return inventory.Threshold{Name: name, Below: below, Active: true}
}

// ledger makes a level's events from what is on hand and short after each.
func ledger(key inventory.LevelKey, onHand []int64, shortfall ...int64) (events []*inventory.Event) {
	var before inventory.Balances
	for i, n := range onHand {
		after := inventory.Balances{OnHand: n}
		if i < len(shortfall) {
			after.Shortfall = shortfall[i]
		}
		events = append(events, &inventory.Event{
			Key: key, Version: int64(i + 1), Balances: after, RecordedAt: time.Unix(int64(i), 0),
			Deltas: inventory.Balances{OnHand: after.OnHand - before.OnHand, Shortfall: after.Shortfall - before.Shortfall},
		})
		before = after
	}
	return events
}

var teaInNYC = inventory.LevelKey{Region: "us-east1", SKU: "tea", Location: "NYC"}

func kinds(alerts []inventory.Alert) (all []inventory.AlertKind) {
	for _, a := range alerts {
		all = append(all, a.Kind)
	}
	return all
}

func TestCrossings(t *testing.T) {
	const (
		out, back, short = inventory.AlertOutOfStock, inventory.AlertBackInStock, inventory.AlertShortfall
		below, above     = inventory.AlertBelowThreshold, inventory.AlertAboveThreshold
	)
	five := []inventory.Threshold{rule("five", 5)}
	for _, c := range []struct {
		about             string
		onHand, shortfall []int64
		rules             []inventory.Threshold
		want              []inventory.AlertKind // of the last event
	}{
		{"the last unit goes", []int64{1, 0}, nil, nil, []inventory.AlertKind{out}},
		{"one of two goes", []int64{2, 1}, nil, nil, nil},
		{"it comes back", []int64{1, 0, 3}, nil, nil, []inventory.AlertKind{back}},
		{"it comes for the first time", []int64{3}, nil, five, nil},
		{"it comes for the first time, plenty", []int64{9}, nil, five, nil},
		{"more than there was is sold", []int64{2, 0}, []int64{0, 1}, nil, []inventory.AlertKind{out, short}},
		{"and more, with nothing left", []int64{2, 0, 0}, []int64{0, 1, 2}, nil, []inventory.AlertKind{short}},
		{"a receipt settles all of it but leaves nothing", []int64{2, 0, 0}, []int64{0, 1, 0}, nil, nil},
		{"at the threshold", []int64{6, 5}, nil, five, nil},
		{"below it", []int64{5, 4}, nil, five, []inventory.AlertKind{below}},
		{"further below it", []int64{5, 4, 3}, nil, five, nil},
		{"above it again", []int64{5, 4, 5}, nil, five, []inventory.AlertKind{above}},
		{"all at once", []int64{5, 0}, nil, append(five, rule("one", 1)), []inventory.AlertKind{out, below, below}},
		{"of another location", []int64{5, 4}, nil, []inventory.Threshold{{Name: "x", Location: "LON", Below: 5, Active: true}}, nil},
		{"of another SKU", []int64{5, 4}, nil, []inventory.Threshold{{Name: "x", SKU: "milk", Below: 5, Active: true}}, nil},
		{"of this level", []int64{5, 4}, nil, []inventory.Threshold{{Name: "x", SKU: "tea", Location: "NYC", Below: 5, Active: true}}, []inventory.AlertKind{below}},
		{"a rule that is off", []int64{5, 4}, nil, []inventory.Threshold{{Name: "x", Below: 5}}, nil},
		{"a rule about a channel", []int64{5, 4}, nil, []inventory.Threshold{{Name: "x", Channel: "web", Below: 5, Active: true}}, nil},
	} {
		events := ledger(teaInNYC, c.onHand, c.shortfall...)
		got := inventory.Crossings(events[len(events)-1], c.rules)
		if !slices.Equal(kinds(got), c.want) {
			t.Errorf("%s: %v, want %v", c.about, kinds(got), c.want)
		}
	}
}

// Whatever happens to a level, it runs out and comes back in turns, goes below and above a threshold
// in turns, and where it stands in the end follows from the alerts alone.
func TestCrossingsAlternateAndAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		onHand := rapid.SliceOfN(rapid.Int64Range(0, 12), 1, 40).Draw(t, "on hand")
		short := rapid.SliceOfN(rapid.Int64Range(0, 3), len(onHand), len(onHand)).Draw(t, "shortfall")
		limit := rapid.Int64Range(1, 12).Draw(t, "below")
		rules := []inventory.Threshold{rule("r", limit)}
		events := ledger(teaInNYC, onHand, short...)
		ids := map[inventory.ID]bool{}
		first := events[0].Balances.Available()
		out, below := first <= 0, first < limit
		for _, e := range events {
			alerts := inventory.Crossings(e, rules)
			for _, a := range alerts {
				if ids[a.ID] {
					t.Fatalf("%+v has the id of another", a)
				}
				ids[a.ID] = true
				was, is := &out, a.Kind == inventory.AlertOutOfStock
				switch a.Kind {
				case inventory.AlertShortfall:
					continue
				case inventory.AlertBelowThreshold, inventory.AlertAboveThreshold:
					was, is = &below, a.Kind == inventory.AlertBelowThreshold
				}
				if *was == is {
					t.Fatalf("version %d: %s twice", e.Version, a.Kind)
				}
				*was = is
			}
			if now := e.Balances.Available(); out != (now <= 0) || below != (now < limit) {
				t.Fatalf("version %d leaves %d, and the alerts say out %t, below %t", e.Version, now, out, below)
			}
			if again := inventory.Crossings(e, rules); len(again) != len(alerts) {
				t.Fatalf("asked again: %v, %v", alerts, again)
			}
		}
	})
}

// A channel's rule sees the sum over its locations, each less the safety stock, and however the events
// are cut into batches, its state in the end is what is sellable, and its alerts alternate.
func TestChannelCrossingsFollowWhatIsSellable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		channel := inventory.Channel{Name: "web", Locations: []string{"NYC", "LON"}, SafetyStock: rapid.Int64Range(0, 3).Draw(t, "safety")}
		r := inventory.Threshold{Name: "r", Channel: "web", Below: rapid.Int64Range(1, 12).Draw(t, "below"), Active: true}
		at := map[string]*inventory.Level{}
		state := inventory.ThresholdState{Rule: "r", SKU: "tea"}
		var last inventory.AlertKind
		ids := map[inventory.ID]bool{}
		for range rapid.IntRange(1, 15).Draw(t, "batches") {
			var events []*inventory.Event
			for range rapid.IntRange(1, 5).Draw(t, "events") {
				location := rapid.SampledFrom([]string{"NYC", "LON", "SIN"}).Draw(t, "location")
				l := at[location]
				if l == nil {
					l = &inventory.Level{Key: inventory.LevelKey{Region: "us-east1", SKU: "tea", Location: location}}
					at[location] = l
				}
				before := l.Balances
				l.OnHand = rapid.Int64Range(0, 10).Draw(t, "on hand")
				l.Version++
				events = append(events, &inventory.Event{
					Key: l.Key, Version: l.Version, Balances: l.Balances, Deltas: inventory.Balances{OnHand: l.OnHand - before.OnHand},
				})
			}
			var levels []inventory.Level
			sellable := int64(0)
			for _, l := range at {
				levels = append(levels, *l)
				if l.Key.Location != "SIN" {
					sellable += max(l.Available()-channel.SafetyStock, 0)
				}
			}
			look := inventory.ChannelCrossing{Region: "us-east1", Rule: r, Channel: channel, Levels: levels, Events: events}
			after, alert := look.Decide(state)
			if after.Below != (sellable < r.Below) {
				t.Fatalf("%d sellable, state %+v", sellable, after)
			}
			if alert != nil {
				if alert.Kind == last || ids[alert.ID] || alert.Available != sellable {
					t.Fatalf("%+v after %s, %d sellable", alert, last, sellable)
				}
				last, ids[alert.ID] = alert.Kind, true
			}
			if _, twice := look.Decide(after); twice != nil {
				t.Fatalf("decided again: %+v", twice)
			}
			state = after
		}
	})
}
