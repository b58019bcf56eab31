package inventory

// scrap writes off units that are thrown away, out of what is available or out of quarantine.
var scrap = movementKind{
	kind:  KindScrap,
	check: positive,
	decide: func(d *Draft, m *Movement, i int) (Balances, error) {
		l := m.Lines[i]
		if l.From == Quarantined {
			level, err := d.Level(l.Level)
			if err != nil {
				return Balances{}, err
			}
			if level.Quarantined < l.Quantity {
				return Balances{}, m.short(i, level.Quarantined)
			}
			return Balances{OnHand: -l.Quantity, Quarantined: -l.Quantity}, nil
		}
		level, err := d.available(l.Level, l.Quantity, m.ID)
		if err != nil {
			return Balances{}, err
		}
		if level.Available() < l.Quantity {
			return Balances{}, m.short(i, level.Available())
		}
		return Balances{OnHand: -l.Quantity}, nil
	},
}
