package inventory

// receive adds units that arrived.
var receive = movementKind{
	kind:  KindReceive,
	check: positive,
	decide: func(d *Draft, m *Movement, i int) (Balances, error) {
		level, err := d.Level(m.Lines[i].Level)
		if err != nil {
			return Balances{}, err
		}
		return level.arrival(m.Lines[i].Quantity, 0), nil
	},
}
