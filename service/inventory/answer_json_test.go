package inventory_test

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// What is written by hand is what reflection gives, byte by byte, or is left to it.
func TestAnswersAreTheSameJSONByHand(t *testing.T) {
	t.Parallel()
	plain := rapid.StringMatching(`[ -!#-\[\]-~]{0,12}`)
	text := rapid.OneOf(plain, rapid.StringMatching(`[a"\\é\n<&\x{7f}]{0,3}`))
	number := rapid.Int64()
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "microseconds")).UTC()
	})
	rapid.Check(t, func(t *rapid.T) {
		a := &inventory.ReservationAnswer{
			ID:     inventory.ID{Region: plain.Draw(t, "region"), UUID: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))},
			Region: text.Draw(t, "region"), Status: inventory.StatusHeld, OrderReference: text.Draw(t, "order"), Channel: text.Draw(t, "channel"),
			Lines: []inventory.LineAnswer{}, Shortages: []inventory.Shortage{},
			Version: number.Draw(t, "version"), CreatedAt: moment.Draw(t, "created"), UpdatedAt: moment.Draw(t, "updated"),
		}
		if rapid.Bool().Draw(t, "expires") {
			at := moment.Draw(t, "expires at")
			a.ExpiresAt = &at
		}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			a.Lines = append(a.Lines, inventory.LineAnswer{
				Line: rapid.Int().Draw(t, "line"), SKU: text.Draw(t, "sku"), Location: text.Draw(t, "location"),
				Quantity: number.Draw(t, "quantity"), Fulfilled: number.Draw(t, "fulfilled"), Released: number.Draw(t, "released"),
			})
			a.Shortages = append(a.Shortages, inventory.Shortage{
				Line: rapid.Int().Draw(t, "line"), SKU: text.Draw(t, "sku"), Location: text.Draw(t, "location"),
				Requested: number.Draw(t, "requested"), Available: number.Draw(t, "available"),
			})
		}
		want, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if got, fits := a.AppendJSON(nil); fits && string(got) != string(want) {
			t.Fatalf("by hand\n%s\nby reflection\n%s", got, want)
		}
	})
	a := &inventory.ReservationAnswer{ID: inventory.ID{Region: "us-east1"}, Lines: []inventory.LineAnswer{{SKU: "hoodie"}}}
	if _, fits := a.AppendJSON(nil); !fits {
		t.Error("a plain answer is left to reflection")
	}
}
