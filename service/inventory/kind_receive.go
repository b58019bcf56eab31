package inventory

// receive adds units that arrived. They settle a shortfall first: those units had left already.
var receive = movementKind{
	kind:  KindReceive,
	check: positive,
	decide: func(d *Draft, m *Movement, i int) (Balances, error) {
		level, err := d.Level(m.Lines[i].Level)
		if err != nil {
			return Balances{}, err
		}
		settled := min(level.Shortfall, m.Lines[i].Quantity)
		return Balances{OnHand: m.Lines[i].Quantity - settled, Shortfall: -settled}, nil
	},
}
