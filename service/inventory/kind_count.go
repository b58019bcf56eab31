package inventory

import "fmt"

// count sets the books to what was counted. With a watermark the count speaks of the level as it
// was at that version: what happened since stays on top, and one delta is posted. It settles
// shortfall, and is never refused for what is promised: on hand stays at what is promised and the
// rest becomes shortfall, openly.
var count = movementKind{
	kind: KindCount,
	once: true,
	check: func(l MovementLine) (wrong []FieldError) {
		if l.Quantity < 0 {
			wrong = append(wrong, FieldError{Field: "quantity", Message: "must be at least 0: it is what was counted"})
		}
		if l.AsOfVersion != nil && *l.AsOfVersion < 0 {
			wrong = append(wrong, FieldError{Field: "as_of_version", Message: "must be at least 0"})
		}
		return wrong
	},
	decide: decideCount,
}

func decideCount(d *Draft, m *Movement, i int) (Balances, error) {
	l := m.Lines[i]
	level, err := d.Level(l.Level)
	if err != nil {
		return Balances{}, err
	}
	counted, err := countedNow(d, l, level, i)
	if err != nil {
		return Balances{}, err
	}
	// Lapsed holds promise nothing: they end before a count has to be called short.
	if counted < level.Promised() && level.Held > 0 {
		if level, err = d.available(l.Level, level.Available()+level.Held, m.ID); err != nil {
			return Balances{}, err
		}
	}
	onHand := max(counted, level.Promised())
	shortfall := onHand - counted
	if shortfall < 0 { // counted is below zero by more than int64 can add to what is promised
		return Balances{}, outOfRange(level, i)
	}
	return Balances{OnHand: onHand - level.OnHand, Shortfall: shortfall - level.Shortfall}, nil
}

// countedNow carries a count from its watermark to the current version. Physical stock is on hand
// less shortfall, so that what moved since is the difference of the two physical stocks.
func countedNow(d *Draft, l MovementLine, level Level, line int) (int64, error) {
	if l.AsOfVersion == nil || *l.AsOfVersion == level.Version {
		return l.Quantity, nil
	}
	then := Balances{}
	if *l.AsOfVersion > 0 {
		b, found := d.state.watermarks[Watermark{l.Level, *l.AsOfVersion}]
		if !found || *l.AsOfVersion > level.Version {
			return 0, &Refusal{
				Kind: VersionMismatch, Expected: *l.AsOfVersion, Current: level.Version,
				Detail: fmt.Sprintf("as_of_version %d: SKU %q at location %q is only at version %d", *l.AsOfVersion, l.Level.SKU, l.Level.Location, level.Version),
			}
		}
		then = b
	}
	now, before := level.OnHand-level.Shortfall, then.OnHand-then.Shortfall
	moved := now - before
	counted := l.Quantity + moved
	if (moved > 0) != (now > before) || moved > 0 && counted < l.Quantity {
		return 0, outOfRange(level, line)
	}
	return counted, nil
}

func outOfRange(level Level, line int) *Refusal {
	return &Refusal{
		Kind:   Conflict,
		Detail: fmt.Sprintf("the stock of SKU %q at location %q would leave the range 0 to 9223372036854775807", level.Key.SKU, level.Key.Location),
		Fields: []FieldError{{Field: fmt.Sprintf("lines[%d].quantity", line), Message: "takes the stock level out of range"}},
	}
}
