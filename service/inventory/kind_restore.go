package inventory

// restore puts quarantined units on sale again.
var restore = movementKind{
	kind:  KindRestore,
	check: positive,
	decide: func(d *Draft, m *Movement, i int) (Balances, error) {
		level, err := d.Level(m.Lines[i].Level)
		if err != nil {
			return Balances{}, err
		}
		if level.Quarantined < m.Lines[i].Quantity {
			return Balances{}, m.short(i, level.Quarantined)
		}
		return Balances{Quarantined: -m.Lines[i].Quantity}, nil
	},
}
