package store

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

// However rows come, those before a resolved moment before it, each level's events are given in the order of
// their versions, and all by the time that all is resolved. Where one is missing, it is said.
func TestTheOrderOfAChangefeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []changed
		for level := range rapid.IntRange(1, 4).Draw(t, "levels") {
			first := rapid.Int64Range(1, 3).Draw(t, "first")
			at := rapid.Int64Range(1, 5).Draw(t, "began")
			for version := range rapid.Int64Range(1, 8).Draw(t, "versions") {
				rows = append(rows, changed{placed{at: Moment{Wall: at}, event: &inventory.Event{
					Key: inventory.LevelKey{Region: "us-east1", SKU: fmt.Sprint(level), Location: "NYC"}, Version: first + version,
				}}})
				at += rapid.Int64Range(0, 3).Draw(t, "pause")
			}
		}
		last := slices.MaxFunc(rows, func(a, b changed) int { return a.at.Compare(b.at) }).at
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 1))
		dice.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		slices.SortStableFunc(rows, func(a, b changed) int { return cmp.Compare(a.at.Wall/4, b.at.Wall/4) })
		repeated := rows[dice.IntN(len(rows))]
		var come []changed
		for i, row := range rows {
			come = append(come, row)
			if epoch := row.at.Wall / 4; i+1 < len(rows) && rows[i+1].at.Wall/4 > epoch {
				come = append(come, changed{placed{at: Moment{Wall: epoch*4 + 3}}})
			}
		}
		come = append(come, repeated, changed{placed{at: last}})

		o := newOrder(Position{})
		given := map[inventory.LevelKey][]int64{}
		for _, c := range come {
			if err := o.take(c); err != nil {
				t.Fatal(err)
			}
			for _, fed := range o.fresh().Entries {
				given[fed.Event.Key] = append(given[fed.Event.Key], fed.Event.Version)
			}
		}
		total := 0
		for key, versions := range given {
			for i, v := range versions {
				if v != versions[0]+int64(i) {
					t.Fatalf("of %v come versions %v", key, versions)
				}
			}
			total += len(versions)
		}
		if total != len(rows) || o.waits != 0 || len(o.held) != 0 {
			t.Fatalf("%d of %d are given; %d wait", total, len(rows), o.waits)
		}
	})
}

func TestAnEventThatAChangefeedLeavesOutIsMissed(t *testing.T) {
	version := func(v int64) changed {
		return changed{placed{at: Moment{Wall: v}, event: &inventory.Event{Key: inventory.LevelKey{SKU: "tea"}, Version: v}}}
	}
	o := newOrder(Position{})
	for _, c := range []changed{version(1), version(2), version(4), {placed{at: Moment{Wall: 3}}}} {
		if err := o.take(c); err != nil {
			t.Fatal("while it may come yet: ", err)
		}
	}
	if err := o.take(changed{placed{at: Moment{Wall: 4}}}); !errors.Is(err, ErrFeedGone) || !errors.Is(err, errEventLost) {
		t.Errorf("version 3 is missing, and it says %v", err)
	}
}

func TestWhatWaitsForPredecessorsIsBounded(t *testing.T) {
	o := newOrder(Position{})
	var err error
	taken := int64(0)
	for ; err == nil && taken < 2*heldEvents; taken++ {
		err = o.take(changed{placed{at: Moment{Wall: 1}, event: &inventory.Event{Key: inventory.LevelKey{SKU: "tea"}, Version: taken + 2}}})
	}
	if !errors.Is(err, ErrFeedGone) || taken != heldEvents+1 {
		t.Errorf("%d were taken, then %v", taken, err)
	}
	if o.forgetHeld(); o.waits != 0 || len(o.held) != 0 {
		t.Error("something waits")
	}
}

func TestAChangefeedSaysOftenHowFarItHasCome(t *testing.T) {
	for version, asked := range map[string]bool{
		"CockroachDB CCL v21.1.0-alpha-1 (x86_64-unknown-linux-gnu, built 2021/02/01, go1.15.7)": false,
		"CockroachDB OSS v21.2.17":                 false,
		"CockroachDB CCL v22.1.0 (x86_64)":         true,
		"CockroachDB CCL v24.1.6 (x86_64, go1.22)": true,
		"CockroachDB CCL v25.2.1":                  true,
		"CockroachDB of nobody knows which":        true,
	} {
		text := createChangefeed(version, ByBatches, Moment{Wall: 7})
		if strings.Contains(text, "min_checkpoint_frequency") != asked || !strings.Contains(text, "resolved = '") {
			t.Errorf("%s: %s", version, text)
		}
	}
}

func TestATailThatDoesNotComeOnIsGivenUp(t *testing.T) {
	refused := errors.New("no such table")
	for _, c := range []struct {
		err  error
		age  time.Duration
		want bool
	}{
		{refused, feedHope / 2, false},
		{refused, feedHope + time.Second, true},
		{classify(&lostError{ErrFeedStandsStill}), feedHope + time.Second, true},
		{classify(&lostError{refused}), feedHope + time.Second, false}, // the database is away
	} {
		tail := &changefeedTail{cameOn: time.Now().Add(-c.age)}
		if got := tail.hopeless(c.err); got != c.want {
			t.Errorf("after %s and %v: %t", c.age, c.err, got)
		}
	}
}
