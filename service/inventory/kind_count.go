package inventory

import (
	"fmt"
	"math/big"
)

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
// less shortfall, so that what moved since is the difference of the two physical stocks, but for
// what other counts corrected: units they found missing were missing at the watermark as well, and
// a count that is sent twice must not correct twice.
func countedNow(d *Draft, l MovementLine, level Level, line int) (int64, error) {
	if l.AsOfVersion == nil || *l.AsOfVersion == level.Version {
		return l.Quantity, nil
	}
	mark, found := d.state.watermarks[Watermark{l.Level, *l.AsOfVersion}]
	if *l.AsOfVersion > level.Version || !found && *l.AsOfVersion > 0 {
		return 0, &Refusal{
			Kind: VersionMismatch, Expected: *l.AsOfVersion, Current: level.Version,
			Detail: fmt.Sprintf("as_of_version %d: SKU %q at location %q is only at version %d", *l.AsOfVersion, l.Level.SKU, l.Level.Location, level.Version),
		}
	}
	counted := new(big.Int)
	for _, term := range []struct{ sign, value int64 }{
		{1, l.Quantity},
		{1, level.OnHand},
		{-1, level.Shortfall},
		{-1, mark.Then.OnHand},
		{1, mark.Then.Shortfall},
		{-1, mark.Corrected},
		{-1, d.correctedInBatch(l.Level, *l.AsOfVersion)},
	} {
		counted.Add(counted, new(big.Int).Mul(big.NewInt(term.sign), big.NewInt(term.value)))
	}
	if !counted.IsInt64() {
		return 0, outOfRange(level, line)
	}
	return counted.Int64(), nil
}

// correctedInBatch is what counts of this very batch corrected after a version.
func (d *Draft) correctedInBatch(key LevelKey, after int64) (units int64) {
	for _, events := range [][]Event{d.state.changes.Events, d.events} {
		for _, e := range events {
			if e.Kind == KindCount && e.Key == key && e.Version > after {
				units += e.Deltas.OnHand - e.Deltas.Shortfall
			}
		}
	}
	return units
}

func outOfRange(level Level, line int) *Refusal {
	return &Refusal{
		Kind:   Conflict,
		Detail: fmt.Sprintf("the stock of SKU %q at location %q would leave the range 0 to 9223372036854775807", level.Key.SKU, level.Key.Location),
		Fields: []FieldError{{Field: fmt.Sprintf("lines[%d].quantity", line), Message: "takes the stock level out of range"}},
	}
}
