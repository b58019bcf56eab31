// Package inventorytest has what tests of several packages draw.
package inventorytest

import (
	"time"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// Events draws events, odd ones too, that a ledger could have.
func Events() *rapid.Generator[*inventory.Event] {
	text := rapid.OneOf(rapid.StringMatching(`[ -!#-\[\]-~]{0,12}`), rapid.StringMatching(`[a"\\é\n<&\x{7f}]{0,3}`))
	region := rapid.StringMatching(`[a-z]{1,8}-[a-z]{1,8}[0-9]`)
	id := rapid.Custom(func(t *rapid.T) inventory.ID {
		return inventory.ID{Region: region.Draw(t, "region"), UUID: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))}
	})
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "microseconds")).UTC()
	})
	number := rapid.Int64()
	balances := rapid.Custom(func(t *rapid.T) inventory.Balances {
		return inventory.Balances{
			OnHand: number.Draw(t, "on hand"), Held: number.Draw(t, "held"), Allocated: number.Draw(t, "allocated"),
			Quarantined: number.Draw(t, "quarantined"), Incoming: number.Draw(t, "incoming"), Shortfall: number.Draw(t, "shortfall"),
		}
	})
	return rapid.Custom(func(t *rapid.T) *inventory.Event {
		e := &inventory.Event{
			Key:     inventory.LevelKey{Region: region.Draw(t, "region"), SKU: text.Draw(t, "sku"), Location: text.Draw(t, "location")},
			Version: number.Draw(t, "version"), Kind: inventory.Kind(text.Draw(t, "kind")),
			Deltas: balances.Draw(t, "deltas"), Balances: balances.Draw(t, "balances"), Command: id.Draw(t, "command"),
			Meta: inventory.Meta{
				Reason: text.Draw(t, "reason"), Reference: text.Draw(t, "reference"), Channel: text.Draw(t, "channel"), Actor: text.Draw(t, "actor"),
				EffectiveAt: moment.Draw(t, "effective"),
			},
			RecordedAt: moment.Draw(t, "recorded"),
		}
		if rapid.Bool().Draw(t, "of a reservation") {
			of := id.Draw(t, "reservation")
			e.Reservation = &of
		}
		if rapid.Bool().Draw(t, "of a transfer") {
			of := id.Draw(t, "transfer")
			e.Transfer = &of
		}
		if rapid.Bool().Draw(t, "has a cost") {
			e.UnitCost = &inventory.Money{Amount: text.Draw(t, "amount"), Currency: text.Draw(t, "currency")}
		}
		return e
	})
}
