package inventory_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"stockyard/service/inventory"
)

const most = math.MaxInt64

// mixed gives a level with 20 on hand: 4 held, 3 allocated, 5 quarantined, 8 available.
func mixed(t *testing.T) *world {
	w := stock(t, map[inventory.LevelKey]int64{tea: 20})
	w.reserve(t, from(tea, 4))
	w.order(t, from(tea, 3))
	w.accept(t, w.move(inventory.KindQuarantine, line(tea, 5)))
	w.has(t, tea, balances{OnHand: 20, Held: 4, Allocated: 3, Quarantined: 5})
	return w
}

func TestWhatEachKindDoes(t *testing.T) {
	const refused = -1
	for name, c := range map[string]struct {
		kind inventory.Kind
		line inventory.MovementLine
		want balances // on top of mixed; OnHand refused: insufficient stock
	}{
		"receive":                         {inventory.KindReceive, line(tea, 6), balances{OnHand: 6}},
		"return":                          {inventory.KindReturn, line(tea, 6), balances{OnHand: 6}},
		"return to available":             {inventory.KindReturn, inventory.MovementLine{Level: tea, Quantity: 6, To: inventory.Available}, balances{OnHand: 6}},
		"return to quarantine":            {inventory.KindReturn, inventory.MovementLine{Level: tea, Quantity: 6, To: inventory.Quarantined}, balances{OnHand: 6, Quarantined: 6}},
		"sell all that is available":      {inventory.KindSell, line(tea, 8), balances{OnHand: -8}},
		"sell one more":                   {inventory.KindSell, line(tea, 9), balances{OnHand: refused}},
		"sell one more all the same":      {inventory.KindSell, inventory.MovementLine{Level: tea, Quantity: 9, AllowShortfall: true}, balances{OnHand: -8, Shortfall: 1}},
		"sell, shortfall not needed":      {inventory.KindSell, inventory.MovementLine{Level: tea, Quantity: 8, AllowShortfall: true}, balances{OnHand: -8}},
		"adjust up":                       {inventory.KindAdjust, line(tea, 6), balances{OnHand: 6}},
		"adjust down":                     {inventory.KindAdjust, line(tea, -8), balances{OnHand: -8}},
		"adjust down too far":             {inventory.KindAdjust, line(tea, -9), balances{OnHand: refused}},
		"quarantine":                      {inventory.KindQuarantine, line(tea, 8), balances{Quarantined: 8}},
		"quarantine too many":             {inventory.KindQuarantine, line(tea, 9), balances{OnHand: refused}},
		"restore":                         {inventory.KindRestore, line(tea, 5), balances{Quarantined: -5}},
		"restore too many":                {inventory.KindRestore, line(tea, 6), balances{OnHand: refused}},
		"scrap":                           {inventory.KindScrap, line(tea, 8), balances{OnHand: -8}},
		"scrap too many":                  {inventory.KindScrap, line(tea, 9), balances{OnHand: refused}},
		"scrap out of quarantine":         {inventory.KindScrap, inventory.MovementLine{Level: tea, Quantity: 5, From: inventory.Quarantined}, balances{OnHand: -5, Quarantined: -5}},
		"scrap too many out of it":        {inventory.KindScrap, inventory.MovementLine{Level: tea, Quantity: 6, From: inventory.Quarantined}, balances{OnHand: refused}},
		"count what is there":             {inventory.KindCount, line(tea, 20), balances{}},
		"count more":                      {inventory.KindCount, line(tea, 30), balances{OnHand: 10}},
		"count what is promised":          {inventory.KindCount, line(tea, 12), balances{OnHand: -8}},
		"count nothing":                   {inventory.KindCount, line(tea, 0), balances{OnHand: -8, Shortfall: 12}},
		"count as of when there was none": {inventory.KindCount, inventory.MovementLine{Level: tea, Quantity: 1, AsOfVersion: ptr(int64(0))}, balances{OnHand: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			m := w.move(c.kind, c.line)
			if wrong := m.Check(); wrong != nil {
				t.Fatalf("found invalid: %v", wrong)
			}
			if c.want.OnHand == refused {
				s := w.refuse(t, inventory.InsufficientStock, m).Shortages[0]
				if has := max(c.line.Quantity, -c.line.Quantity) - 1; s.Line != 1 || s.SKU != "tea" || s.Location != "london" || s.Requested != has+1 || s.Available != has {
					t.Errorf("the shortage is %+v", s)
				}
				return
			}
			a := w.accept(t, m).Movement
			w.has(t, tea, balances{OnHand: 20 + c.want.OnHand, Held: 4, Allocated: 3, Quarantined: 5 + c.want.Quarantined, Shortfall: c.want.Shortfall})
			if got := a.Lines[0]; got.Deltas != c.want || got.Level.Balances != w.levels[tea].Balances || got.Level.Version != w.levels[tea].Version {
				t.Errorf("answered %+v", got)
			}
			if k := w.kinds(tea); k[len(k)-1] != c.kind {
				t.Errorf("recorded as %v", k)
			}
			if warned := len(a.Warnings) > 0; warned != (c.want.Shortfall > 0) {
				t.Errorf("warned %q", a.Warnings)
			}
		})
	}
}

func TestQuantitiesThatAKindDoesNotTake(t *testing.T) {
	for _, kind := range inventory.MovementKinds() {
		for _, q := range []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, most} {
			valid := q > 0 || kind == inventory.KindCount && q == 0 || kind == inventory.KindAdjust && q != 0 && q != math.MinInt64
			m := newWorld().move(kind, line(pot, 1), line(tea, q))
			if wrong := fields(m.Check()); valid != (wrong == nil) || !valid && wrong[0] != "lines[1].quantity" {
				t.Errorf("%s of %d: wrong are %v", kind, q, wrong)
			}
		}
	}
}

func TestOptionsThatMeanNothingForAKindAreNamed(t *testing.T) {
	options := map[string]struct {
		line  inventory.MovementLine
		kinds []inventory.Kind
	}{
		"allow_shortfall": {inventory.MovementLine{AllowShortfall: true}, []inventory.Kind{inventory.KindSell}},
		"as_of_version":   {inventory.MovementLine{AsOfVersion: ptr(int64(1))}, []inventory.Kind{inventory.KindCount}},
		"to":              {inventory.MovementLine{To: inventory.Available}, []inventory.Kind{inventory.KindReturn}},
		"from":            {inventory.MovementLine{From: inventory.Quarantined}, []inventory.Kind{inventory.KindScrap}},
		"unit_cost":       {inventory.MovementLine{UnitCost: &inventory.Money{Amount: "1", Currency: "GBP"}}, []inventory.Kind{inventory.KindReceive, inventory.KindReturn, inventory.KindAdjust}},
	}
	for _, kind := range inventory.MovementKinds() {
		for field, o := range options {
			o.line.Level, o.line.Quantity = tea, 1
			var want []string
			if !slices.Contains(o.kinds, kind) {
				want = []string{"lines[1]." + field}
			}
			if got := fields(newWorld().move(kind, line(pot, 1), o.line).Check()); !slices.Equal(got, want) {
				t.Errorf("%s with %s: wrong are %v, want %v", kind, field, got, want)
			}
		}
	}
}

func TestEveryWrongFieldIsNamedAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		movement inventory.Movement
		want     string
	}{
		"unknown kind":   {inventory.Movement{Kind: "steal", Lines: []inventory.MovementLine{line(tea, -1)}}, "kind"},
		"event kind":     {inventory.Movement{Kind: inventory.KindReserve}, "kind"},
		"adjust":         {inventory.Movement{Kind: inventory.KindAdjust, Lines: []inventory.MovementLine{line(tea, 0), {Level: tea, Quantity: 1, To: "x"}}}, "lines[0].quantity lines[1].to lines[1].to reason"},
		"count":          {inventory.Movement{Kind: inventory.KindCount, Lines: []inventory.MovementLine{{Level: tea, Quantity: -1, AsOfVersion: ptr(int64(-1))}}}, "lines[0].as_of_version lines[0].quantity"},
		"counted twice":  {inventory.Movement{Kind: inventory.KindCount, Lines: []inventory.MovementLine{line(tea, 1), line(pot, 1), line(tea, 1)}}, "lines[2].sku"},
		"unknown bucket": {inventory.Movement{Kind: inventory.KindReturn, Lines: []inventory.MovementLine{{Level: tea, Quantity: 1, To: "shelf"}}}, "lines[0].to"},
		"no such source": {inventory.Movement{Kind: inventory.KindScrap, Lines: []inventory.MovementLine{{Level: tea, Quantity: 1, From: "held"}}}, "lines[0].from"},
	} {
		if got := strings.Join(fields(c.movement.Check()), " "); got != c.want {
			t.Errorf("%s: wrong are %s, want %s", name, got, c.want)
		}
	}
	w := stock(t, map[inventory.LevelKey]int64{tea: 1})
	w.refuse(t, inventory.Invalid, w.move("steal", line(tea, 1)))
}

func TestQuantitiesBeyondInt64AreAConflictThatNamesTheLine(t *testing.T) {
	short := inventory.MovementLine{Level: tea, Quantity: most, AllowShortfall: true}
	for name, c := range map[string]struct {
		kind  inventory.Kind
		line  inventory.MovementLine
		after []inventory.MovementLine // sold before
	}{
		"receive":               {inventory.KindReceive, line(tea, most), nil},
		"return":                {inventory.KindReturn, line(tea, most), nil},
		"return to quarantine":  {inventory.KindReturn, inventory.MovementLine{Level: tea, Quantity: most, To: inventory.Quarantined}, nil},
		"adjust":                {inventory.KindAdjust, line(tea, most), nil},
		"sell what isn't there": {inventory.KindSell, inventory.MovementLine{Level: tea, Quantity: 6, AllowShortfall: true}, []inventory.MovementLine{short}},
		"count with what came":  {inventory.KindCount, inventory.MovementLine{Level: tea, Quantity: most, AsOfVersion: ptr(int64(0))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := stock(t, map[inventory.LevelKey]int64{tea: 5, pot: 5})
			if c.after != nil {
				w.accept(t, w.move(inventory.KindSell, c.after...))
			}
			before := w.levels[tea].Balances
			refusal := w.refuse(t, inventory.Conflict, w.move(c.kind, line(pot, 1), c.line))
			if got := fields(refusal.Fields); !slices.Equal(got, []string{"lines[1].quantity"}) {
				t.Errorf("named are %v", got)
			}
			w.has(t, tea, before)
			w.has(t, pot, balances{OnHand: 5})
		})
	}
}

func TestQuantitiesUpToInt64AreTaken(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: most})
	w.refuse(t, inventory.InsufficientStock, w.move(inventory.KindRestore, line(tea, most)))
	w.accept(t, w.move(inventory.KindQuarantine, line(tea, most)))
	w.has(t, tea, balances{OnHand: most, Quarantined: most})
	w.accept(t, w.move(inventory.KindRestore, line(tea, most)))
	id := w.order(t, anywhere("tea", most))
	w.refuse(t, inventory.InsufficientStock, w.move(inventory.KindScrap, line(tea, most)))
	w.accept(t, w.move(inventory.KindCount, line(tea, 0)))
	w.has(t, tea, balances{OnHand: most, Allocated: most, Shortfall: most})
	w.refuse(t, inventory.Conflict, w.move(inventory.KindSell, inventory.MovementLine{Level: tea, Quantity: 1, AllowShortfall: true}))
	w.accept(t, w.release(id))
	w.accept(t, w.move(inventory.KindCount, line(tea, most)))
	w.accept(t, w.move(inventory.KindAdjust, line(tea, -most)))
	w.has(t, tea, balances{})
	w.accept(t, w.move(inventory.KindSell, inventory.MovementLine{Level: tea, Quantity: most, AllowShortfall: true}))
	deep := w.levels[tea].Version
	w.accept(t, w.move(inventory.KindReturn, line(tea, most)))
	w.accept(t, w.move(inventory.KindReceive, line(tea, most)))
	late := line(tea, 0) // since then, more came in than an int64 can say
	late.AsOfVersion = &deep
	w.refuse(t, inventory.Conflict, w.move(inventory.KindCount, late))
}

// An ERP that sends a count again, under another key, must not have it corrected twice.
func TestTwoCountsOfOneVersionCorrectOnce(t *testing.T) {
	w := stock(t, map[inventory.LevelKey]int64{tea: 10})
	seen := w.levels[tea].Version
	count := line(tea, 8)
	count.AsOfVersion = &seen
	w.accept(t, w.move(inventory.KindSell, line(tea, 3)))
	w.accept(t, w.move(inventory.KindCount, count))
	w.has(t, tea, balances{OnHand: 5})
	w.accept(t, w.move(inventory.KindCount, count))
	w.has(t, tea, balances{OnHand: 5})
}
