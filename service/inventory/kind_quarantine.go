package inventory

// quarantine takes available units off sale, to be inspected or because they are damaged.
var quarantine = movementKind{
	kind:  KindQuarantine,
	check: positive,
	decide: func(d *Draft, m *Movement, i int) (Balances, error) {
		l := m.Lines[i]
		level, err := d.available(l.Level, l.Quantity, m.ID)
		if err != nil {
			return Balances{}, err
		}
		if level.Available() < l.Quantity {
			return Balances{}, m.short(i, level.Available())
		}
		return Balances{Quarantined: l.Quantity}, nil
	},
}
