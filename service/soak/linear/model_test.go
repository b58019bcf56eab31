package linear

import (
	"path/filepath"
	"testing"
	"time"
)

func TestModelDecidesAsTheContractSays(t *testing.T) {
	start := State{OnHand: 10, Held: 3, Allocated: 2, Version: 7} // 5 available
	level := func(s State) Output { return Output{Level: &s} }
	refused, unknown := Output{Result: Refused}, Output{Result: Unknown}
	for _, c := range []struct {
		name     string
		in       Input
		out      Output
		possible bool
		after    State
	}{
		{"reads what is there", Input{Kind: Read}, level(start), true, start},
		{"doesn't read what isn't", Input{Kind: Read}, level(State{OnHand: 10, Held: 2, Allocated: 2, Version: 7}), false, start},
		{"doesn't read an older version", Input{Kind: Read}, level(State{OnHand: 10, Held: 3, Allocated: 2, Version: 6}), false, start},
		{"reserves what is available", Input{Reserve, 5}, Output{}, true, State{OnHand: 10, Held: 8, Allocated: 2, Version: 8}},
		{"doesn't reserve more", Input{Reserve, 6}, Output{}, false, start},
		{"refuses more", Input{Reserve, 6}, refused, true, start},
		{"doesn't refuse what is available", Input{Reserve, 5}, refused, false, start},
		{"confirms", Input{Confirm, 3}, Output{}, true, State{OnHand: 10, Allocated: 5, Version: 8}},
		{"releases", Input{Release, 3}, Output{}, true, State{OnHand: 10, Allocated: 2, Version: 8}},
		{"doesn't release more than is held", Input{Release, 4}, Output{}, false, start},
		{"gives up", Input{GiveUp, 2}, Output{}, true, State{OnHand: 10, Held: 3, Version: 8}},
		{"fulfils", Input{Fulfil, 2}, Output{}, true, State{OnHand: 8, Held: 3, Version: 8}},
		{"doesn't fulfil more than is allocated", Input{Fulfil, 3}, Output{}, false, start},
		{"sells", Input{Sell, 5}, level(State{OnHand: 5, Held: 3, Allocated: 2, Version: 8}), true, State{OnHand: 5, Held: 3, Allocated: 2, Version: 8}},
		{"doesn't sell twice", Input{Sell, 5}, level(State{Held: 3, Allocated: 2, Version: 8}), false, start},
		{"receives", Input{Receive, 4}, Output{}, true, State{OnHand: 14, Held: 3, Allocated: 2, Version: 8}},
		{"counts", Input{Count, 20}, Output{}, true, State{OnHand: 20, Held: 3, Allocated: 2, Version: 8}},
		{"counts less than is promised", Input{Count, 1}, Output{}, true, State{OnHand: 5, Held: 3, Allocated: 2, Shortfall: 4, Version: 8}},
		{"may have reserved", Input{Reserve, 5}, unknown, true, State{OnHand: 10, Held: 8, Allocated: 2, Version: 8}},
		{"can't have reserved", Input{Reserve, 6}, unknown, true, start},
	} {
		possible, after := Step(start, c.in, c.out)
		if possible != c.possible || possible && after != c.after {
			t.Errorf("%s: %t, %s; want %t, %s", c.name, possible, after, c.possible, c.after)
		}
	}
	short := State{OnHand: 5, Held: 5, Shortfall: 3, Version: 1}
	if _, after := Step(short, Input{Receive, 4}, Output{}); after != (State{OnHand: 6, Held: 5, Version: 2}) {
		t.Errorf("what arrives doesn't settle shortfall first: %s", after)
	}
}

type operation struct {
	in  Input
	out Output
}

type ops []operation

// play enters operations one after the other; those of a group overlap.
func play(groups ...ops) *History {
	h := NewHistory("test")
	for _, group := range groups {
		var returns []func()
		for i, op := range group {
			returned := h.Call(i, op.in)
			returns = append(returns, func() { returned(op.out) })
		}
		time.Sleep(time.Microsecond)
		for _, r := range returns {
			r()
		}
	}
	return h
}

func TestHistories(t *testing.T) {
	read := func(s State) (Input, Output) { return Input{Kind: Read}, Output{Level: &s} }
	op := func(in Input, out Output) operation { return operation{in, out} }
	received := ops{op(Input{Receive, 5}, Output{})}
	for _, c := range []struct {
		name    string
		history *History
		holds   bool
	}{
		{"two at once, one of them refused", play(received, ops{op(Input{Sell, 4}, Output{}), op(Input{Sell, 2}, Output{Result: Refused})}), true},
		{"two at once, both have the last units", play(received, ops{op(Input{Sell, 4}, Output{}), op(Input{Sell, 2}, Output{})}), false},
		{"a read that is behind", play(received, ops{op(Input{Sell, 4}, Output{})}, ops{op(read(State{OnHand: 5, Version: 1}))}), false},
		{"a read beside a sale sees either", play(received, ops{op(Input{Sell, 4}, Output{}), op(read(State{OnHand: 5, Version: 1}))}), true},
		{"unknown, and it was never done", play(received, ops{op(Input{Sell, 4}, Output{Result: Unknown})}, ops{op(read(State{OnHand: 5, Version: 1}))}), true},
		{"unknown, and it was done late", play(received, ops{op(Input{Sell, 4}, Output{Result: Unknown})},
			ops{op(read(State{OnHand: 5, Version: 1}))}, ops{op(read(State{OnHand: 1, Version: 2}))}), true},
		{"unknown, and it was done and undone", play(received, ops{op(Input{Sell, 4}, Output{Result: Unknown})},
			ops{op(read(State{OnHand: 1, Version: 2}))}, ops{op(read(State{OnHand: 5, Version: 1}))}), false},
		{"unknown, and it was done twice", play(received, ops{op(Input{Sell, 2}, Output{Result: Unknown})},
			ops{op(read(State{OnHand: 1, Version: 3}))}), false},
	} {
		v, err := c.history.Check(time.Minute, filepath.Join(t.TempDir(), "picture.html"))
		if err != nil || v.Holds != c.holds || v.Undecided {
			t.Errorf("%s: %+v, %v", c.name, v, err)
		}
	}
}
