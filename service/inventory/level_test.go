package inventory_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// TestNoSumBreaksI1OrI2 holds the last line of defence, behind every decision, against arithmetic
// that can't overflow.
func TestNoSumBreaksI1OrI2(t *testing.T) {
	huge := []int64{1 << 62, math.MaxInt64 - 1, math.MaxInt64, math.MinInt64, -math.MaxInt64, -1 << 62}
	draw := func(t *rapid.T, label string, usual, least int64) inventory.Balances {
		q := func(most int64) int64 {
			if oneIn(t, 20, "huge") {
				return max(rapid.SampledFrom(huge).Draw(t, label), least)
			}
			return rapid.Int64Range(usual, most).Draw(t, label)
		}
		return inventory.Balances{OnHand: q(15), Held: q(5), Allocated: q(5), Quarantined: q(5), Incoming: q(5), Shortfall: q(5)}
	}
	possible := 0
	rapid.Check(t, func(t *rapid.T) {
		b, d := draw(t, "before", 0, 0), draw(t, "delta", -1, math.MinInt64)
		before, deltas := parts(b), parts(d)
		valid, promised := true, new(big.Int)
		var after [6]*big.Int
		for i := range after {
			after[i] = new(big.Int).Add(big.NewInt(before[i]), big.NewInt(deltas[i]))
			valid = valid && after[i].Sign() >= 0 && after[i].IsInt64()
			if i >= 1 && i <= 3 {
				promised.Add(promised, after[i])
			}
		}
		valid = valid && after[0].Cmp(promised) >= 0
		sum, ok := b.Add(d)
		if ok != valid {
			t.Fatalf("%+v and %+v: possible is %v, want %v", b, d, ok, valid)
		}
		if !ok {
			return
		}
		possible++
		for i, q := range parts(sum) {
			if q != after[i].Int64() {
				t.Fatalf("%+v and %+v are %+v", b, d, sum)
			}
		}
	})
	if possible == 0 {
		t.Error("no sum was possible")
	}
}

func parts(b inventory.Balances) [6]int64 {
	return [6]int64{b.OnHand, b.Held, b.Allocated, b.Quarantined, b.Incoming, b.Shortfall}
}
