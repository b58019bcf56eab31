package inventory

// Add lets tests at the last line of defence.
func (b Balances) Add(d Balances) (Balances, bool) { return b.add(d) }
