package inventory_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
	"stockyard/service/inventory/inventorytest"
)

// Events that were packed are what they were.
func TestPackedEventsAreReadAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []inventory.Event
		for range rapid.IntRange(1, 4).Draw(t, "events") {
			e := *inventorytest.Events().Draw(t, "event")
			copy(e.Hash[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
			events = append(events, e)
		}
		got, err := inventory.UnpackEvents(inventory.PackEvents(events))
		if err != nil || !reflect.DeepEqual(got, events) {
			t.Fatalf("%+v comes back as %+v, %v", events, got, err)
		}
	})
}

// What was cut off, or isn't packed events at all, is refused, and nothing else happens.
func TestWhatIsNoPackedEventIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packed := inventory.PackEvents([]inventory.Event{*inventorytest.Events().Draw(t, "event")})
		bad := map[string][]byte{
			"cut off":         packed[:rapid.IntRange(0, len(packed)-1).Draw(t, "length")],
			"too long":        append(packed[:len(packed):len(packed)], 0),
			"another packing": append([]byte{99}, packed[1:]...),
		}
		for what, raw := range bad {
			if got, err := inventory.UnpackEvents(raw); err == nil {
				t.Errorf("%s: %+v", what, got)
			}
		}
		_, _ = inventory.UnpackEvents(rapid.SliceOf(rapid.Byte()).Draw(t, "anything"))
	})
}

func BenchmarkUnpackEvents(b *testing.B) {
	events := make([]inventory.Event, 64)
	for i := range events {
		events[i] = inventory.Event{
			Key: inventory.LevelKey{Region: "us-east1", SKU: "hoodie-black-m", Location: "NYC-1"}, Kind: inventory.KindReserve,
			Command: inventory.ID{Region: "us-east1"}, Reservation: &inventory.ID{Region: "us-east1"}, Meta: inventory.Meta{Actor: "till 7", Channel: "shop"},
		}
	}
	packed := inventory.PackEvents(events)
	for b.Loop() {
		if _, err := inventory.UnpackEvents(packed); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(packed))/float64(len(events)), "B/event")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
}
