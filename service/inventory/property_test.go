package inventory_test

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// TestAnySequenceOfCommandsEndsAsOnPaper: whatever callers do, each command is accepted exactly
// if somebody with pen and paper would accept it. A reservation that asks for no more than there
// is, lapsed holds not counted, is never refused; one that asks for more always is.
func TestAnySequenceOfCommandsEndsAsOnPaper(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		play(t, &judge{model: newModel(), strict: true, seen: seen}, script{})
	})
	for _, what := range []string{
		"*inventory.Reserve ", "*inventory.Reserve insufficient-stock", "*inventory.Reserve not-found", "*inventory.Reserve version-mismatch",
		"*inventory.Confirm of held ", "*inventory.Confirm of expired ", "*inventory.Confirm of expired reservation-expired",
		"*inventory.Extend ", "*inventory.Extend reservation-expired", "*inventory.Release ", "*inventory.Release conflict",
		"*inventory.Fulfil ", "*inventory.Fulfil conflict", "*inventory.Group ", "*inventory.Group insufficient-stock",
		"sell ", "sell insufficient-stock", "scrap ", "restore insufficient-stock", "count ", "count version-mismatch",
	} {
		if seen[what] == 0 {
			t.Errorf("no run came to: %s", what)
		}
	}
	t.Logf("outcomes: %v", seen)
}

// TestInvariantsHoldWhateverTheClocksAndQuantities: the database's clock may go back between two
// transactions, and quantities may be as large as int64 goes.
func TestInvariantsHoldWhateverTheClocksAndQuantities(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		play(t, &judge{model: newModel(), seen: seen}, script{huge: true, clocksGoBack: true})
	})
	t.Logf("outcomes: %v", seen)
}

func play(t *rapid.T, j *judge, s script) {
	w := newWorld()
	run := func(requests []request) {
		j.now = w.now
		w.batch(t, requests, func(i int, o outcome) { j.decided(t, requests[i], o) })
		j.settle(t, w)
	}
	delivery := &inventory.Movement{ID: w.id(at(london, "tea")), Kind: inventory.KindReceive}
	for _, key := range []inventory.LevelKey{at(london, "tea"), at(paris, "tea"), at(boston, "tea"), at(paris, "pot")} {
		delivery.Lines = append(delivery.Lines, inventory.MovementLine{Level: key, Quantity: rapid.Int64Range(1, 30).Draw(t, "delivered")})
	}
	run([]request{{command: delivery}})
	t.Repeat(map[string]func(*rapid.T){"batch": func(t *rapid.T) {
		least := 0
		if s.clocksGoBack {
			least = -20
		}
		w.now = w.now.Add(time.Duration(rapid.IntRange(least, 25).Draw(t, "seconds")) * time.Second)
		s.world, s.model = w, j.model
		requests := make([]request, rapid.IntRange(1, 6).Draw(t, "commands"))
		for i := range requests {
			requests[i] = request{command: s.command(t, true), dry: oneIn(t, 12, "dry"), rehearsed: oneIn(t, 6, "rehearsed")}
		}
		run(requests)
	}})
}

// oneIn is true now and then. rapid prefers small numbers, and shrinks to them.
func oneIn(t *rapid.T, n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}

// script draws commands that fit the world, more or less.
type script struct {
	world              *world
	model              *model
	kinds              []string // of commands; none: all
	huge, clocksGoBack bool
}

func (s script) command(t *rapid.T, top bool) inventory.Command {
	kinds := s.kinds
	if kinds == nil {
		kinds = []string{"movement", "movement", "reserve", "reserve", "reserve", "confirm", "extend", "release", "fulfil", "expire", "transfer", "group"}
	}
	if !top {
		kinds = kinds[:len(kinds)-1]
	}
	step := s.world.id(at(london, "tea"))
	switch rapid.SampledFrom(kinds).Draw(t, "command") {
	case "movement":
		return s.movement(t, top)
	case "reserve":
		return s.reserve(t, top)
	case "confirm":
		return &inventory.Confirm{ID: step, Reference: s.reference(t)}
	case "extend":
		return &inventory.Extend{ID: step, Reference: s.reference(t), ExpiresIn: s.hold(t)}
	case "release":
		ref := s.reference(t)
		return &inventory.Release{ID: step, Reference: ref, Lines: s.selection(t, ref)}
	case "fulfil":
		ref := s.reference(t)
		return &inventory.Fulfil{ID: step, Reference: ref, Lines: s.selection(t, ref)}
	case "transfer":
		return s.transfer(t)
	case "expire":
		return &inventory.Expire{ID: step, Reference: s.reference(t)}
	}
	g := &inventory.Group{}
	for range rapid.IntRange(1, 3).Draw(t, "members") {
		g.Commands = append(g.Commands, s.command(t, false))
	}
	return g
}

func (s script) quantity(t *rapid.T) int64 {
	if s.huge && oneIn(t, 12, "huge") {
		return rapid.SampledFrom([]int64{math.MaxInt64, math.MaxInt64 - 1, 1 << 62}).Draw(t, "quantity")
	}
	return rapid.Int64Range(1, 9).Draw(t, "quantity")
}

func (s script) hold(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(1, 60).Draw(t, "hold")) * time.Second
}

func (s script) sku(t *rapid.T) string {
	if oneIn(t, 40, "unknown") {
		return "ghost"
	}
	return rapid.SampledFrom([]string{"tea", "pot"}).Draw(t, "sku")
}

// version draws an if_version: mostly none, else the right one or one off.
func (s script) version(t *rapid.T, key inventory.LevelKey, versions bool) *int64 {
	if !versions || key.SKU == "ghost" || !oneIn(t, 10, "versioned") {
		return nil
	}
	v := s.world.levels[key].Version + rapid.Int64Range(0, 1).Draw(t, "off")
	return &v
}

func (s script) movement(t *rapid.T, versions bool) inventory.Command {
	m := &inventory.Movement{Kind: rapid.SampledFrom(append(inventory.MovementKinds(), inventory.KindReceive)).Draw(t, "kind")}
	m.Meta.Reason = "drawn"
	if oneIn(t, 4, "backdated") {
		m.Meta.EffectiveAt = s.world.now.Add(-time.Hour)
	}
	named := map[inventory.LevelKey]bool{}
	for range rapid.IntRange(1, 3).Draw(t, "lines") {
		key := at(rapid.SampledFrom(sites).Draw(t, "site"), s.sku(t))
		l := inventory.MovementLine{Level: key, Quantity: s.quantity(t), IfVersion: s.version(t, key, versions)}
		switch m.Kind {
		case inventory.KindSell:
			l.AllowShortfall = rapid.Bool().Draw(t, "allow shortfall")
		case inventory.KindReturn:
			l.To = s.bucket(t)
		case inventory.KindScrap:
			l.From = s.bucket(t)
		case inventory.KindAdjust:
			l.Quantity *= rapid.SampledFrom([]int64{1, -1}).Draw(t, "sign")
		case inventory.KindCount:
			if named[key] {
				continue
			}
			l.Quantity--
			l.AsOfVersion = s.watermark(t, key, versions)
		}
		named[key] = true
		m.Lines = append(m.Lines, l)
	}
	m.ID = s.world.id(m.Lines[0].Level)
	if wrong := m.Check(); len(wrong) > 0 {
		t.Fatalf("%+v is found invalid: %v", m, wrong)
	}
	return m
}

func (s script) bucket(t *rapid.T) inventory.Bucket {
	return rapid.SampledFrom([]inventory.Bucket{"", inventory.Available, inventory.Quarantined}).Draw(t, "bucket")
}

func (s script) watermark(t *rapid.T, key inventory.LevelKey, versions bool) *int64 {
	if !versions || rapid.Bool().Draw(t, "now") {
		return nil
	}
	known := slices.Sorted(maps.Keys(s.model.shelves[key].past))
	v := rapid.SampledFrom(append(known, s.world.levels[key].Version+100)).Draw(t, "as of")
	return &v
}

func (s script) reserve(t *rapid.T, versions bool) inventory.Command {
	c := &inventory.Reserve{
		Random:    s.world.random(),
		ExpiresIn: s.hold(t),
		Policy:    rapid.SampledFrom([]inventory.Policy{inventory.AllOrNothing, inventory.Partial}).Draw(t, "policy"),
		Strategy:  rapid.SampledFrom(inventory.Strategies()).Draw(t, "strategy"),
		Sites:     sites[rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "sites"):],
	}
	if oneIn(t, 5, "keeps back") {
		c.KeepBack = s.quantity(t)
	}
	for range rapid.IntRange(1, 3).Draw(t, "lines") {
		l := inventory.ReserveLine{SKU: s.sku(t), Quantity: s.quantity(t)}
		if rapid.Bool().Draw(t, "located") {
			key := at(rapid.SampledFrom(sites).Draw(t, "site"), l.SKU)
			l.Level, l.IfVersion = &key, s.version(t, key, versions)
		} else {
			for _, site := range c.Sites {
				c.Consider = append(c.Consider, at(site, l.SKU))
			}
		}
		c.Lines = append(c.Lines, l)
	}
	return c
}

func (s script) reference(t *rapid.T) inventory.ID {
	if len(s.world.ids) == 0 || oneIn(t, 30, "unknown") {
		return s.world.id(at(boston, "pot"))
	}
	return rapid.SampledFrom(s.world.ids).Draw(t, "reservation")
}

func (s script) selection(t *rapid.T, id inventory.ID) (selected []inventory.LineSelection) {
	lines := s.world.lines[id]
	if len(lines) == 0 {
		return nil
	}
	for range rapid.IntRange(0, 2).Draw(t, "selections") {
		l := rapid.SampledFrom(lines).Draw(t, "line")
		sel := rapid.SampledFrom([]inventory.LineSelection{
			{Line: l.Number}, {SKU: l.Level.SKU}, {SKU: l.Level.SKU, Location: l.Level.Location}, {SKU: l.Level.SKU, Location: "elsewhere"},
		}).Draw(t, "selection")
		if rapid.Bool().Draw(t, "some") {
			q := rapid.Int64Range(1, l.Quantity).Draw(t, "units")
			sel.Quantity = &q
		}
		selected = append(selected, sel)
	}
	return selected
}
