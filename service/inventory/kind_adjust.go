package inventory

import "math"

// adjust corrects the books by a signed quantity, for a reason.
var adjust = movementKind{
	kind:        KindAdjust,
	needsReason: true,
	check: func(l MovementLine) []FieldError {
		if l.Quantity == 0 || l.Quantity == math.MinInt64 {
			return []FieldError{{Field: "quantity", Message: "must not be 0, and at least -9223372036854775807"}}
		}
		return nil
	},
	decide: func(d *Draft, m *Movement, i int) (Balances, error) {
		l := m.Lines[i]
		if l.Quantity > 0 {
			return Balances{OnHand: l.Quantity}, nil
		}
		level, err := d.available(l.Level, -l.Quantity, m.ID)
		if err != nil {
			return Balances{}, err
		}
		if level.Available() < -l.Quantity {
			return Balances{}, m.short(i, level.Available())
		}
		return Balances{OnHand: l.Quantity}, nil
	},
}
