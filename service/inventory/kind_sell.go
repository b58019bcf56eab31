package inventory

// sell takes units that left over the counter. What isn't available is refused, or, for a till
// that reports what already happened, becomes shortfall.
var sell = movementKind{
	kind:  KindSell,
	check: positive,
	decide: func(d *Draft, m *Movement, i int) (Balances, error) {
		l := m.Lines[i]
		level, err := d.available(l.Level, l.Quantity, m.ID)
		if err != nil {
			return Balances{}, err
		}
		free := max(level.Available(), 0)
		if free >= l.Quantity {
			return Balances{OnHand: -l.Quantity}, nil
		}
		if !l.AllowShortfall {
			return Balances{}, m.short(i, free)
		}
		return Balances{OnHand: -free, Shortfall: l.Quantity - free}, nil
	},
}
