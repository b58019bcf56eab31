package inventory

// returnKind takes units back, for sale again or into quarantine to be inspected.
var returnKind = movementKind{
	kind:  KindReturn,
	check: positive,
	decide: func(_ *Draft, m *Movement, i int) (Balances, error) {
		deltas := Balances{OnHand: m.Lines[i].Quantity}
		if m.Lines[i].To == Quarantined {
			deltas.Quarantined = m.Lines[i].Quantity
		}
		return deltas, nil
	},
}
