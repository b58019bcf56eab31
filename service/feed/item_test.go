package feed

import (
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/inventory/inventorytest"
	"stockyard/service/store"
)

// What streams give is what a level's list of events gives, byte by byte.
func TestEventsOfStreamsAreThoseOfLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := inventorytest.Events().Draw(t, "event")
		want, err := json.Marshal(service.DescribeEvent(e), json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		if got := newItem(store.Fed{Event: e}, false).JSON(); string(got) != string(want) {
			t.Fatalf("a stream gives\n%s\na list\n%s", got, want)
		}
	})
	plain := &inventory.Event{Key: inventory.LevelKey{Region: "us-east1", SKU: "hoodie", Location: "NYC"}, Kind: "sell"}
	if _, fits := plain.AppendJSON(nil); !fits {
		t.Error("a plain event is left to reflection")
	}
}
