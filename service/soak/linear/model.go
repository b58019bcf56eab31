// Package linear checks that what clients saw of a stock level could have happened in some order,
// one operation after the other, each between its call and its answer.
package linear

import "fmt"

// Kind of an operation on a level.
type Kind string

// The kinds.
const (
	Read    Kind = "read"
	Reserve Kind = "reserve"
	Confirm Kind = "confirm"
	Release Kind = "release" // of what is held
	GiveUp  Kind = "give up" // of what is allocated
	Fulfil  Kind = "fulfil"
	Sell    Kind = "sell"
	Receive Kind = "receive"
	Count   Kind = "count"
)

// Input of an operation. Units of a count are what was counted.
type Input struct {
	Kind  Kind
	Units int64
}

// Result is what a client was told.
type Result int

// The results. Refused is for want of stock. An operation of which nobody knows may have taken
// effect at any time after its call, or never.
const (
	Accepted Result = iota
	Refused
	Unknown
)

// Output of an operation. Level is there where the answer tells of it: the level after it.
type Output struct {
	Result Result
	Level  *State
}

// State of a level. It is a value.
type State struct {
	OnHand, Held, Allocated, Shortfall, Version int64
}

func (s State) available() int64 { return s.OnHand - s.Held - s.Allocated - s.Shortfall }

// Step says whether an operation could have ended like this on a state, and what it makes of it. It
// is written from the contract, and shares no code with what it checks.
func Step(s State, in Input, out Output) (possible bool, after State) {
	after, can := apply(s, in)
	switch out.Result {
	case Unknown: // one that never took effect is as good as one that did so after all others
		if can {
			return true, after
		}
		return true, s
	case Refused:
		return !can, s
	case Accepted:
	}
	return can && (out.Level == nil || *out.Level == after), after
}

func apply(s State, in Input) (after State, can bool) {
	after = s
	after.Version++
	can = true
	switch n := in.Units; in.Kind {
	case Read:
		return s, true
	case Reserve:
		after.Held += n
		can = s.available() >= n
	case Confirm:
		after.Held -= n
		after.Allocated += n
	case Release:
		after.Held -= n
	case GiveUp:
		after.Allocated -= n
	case Fulfil:
		after.OnHand -= n
		after.Allocated -= n
	case Sell:
		after.OnHand -= n
		can = s.available() >= n
	case Receive: // what left without being on the books comes first
		settled := min(n, s.Shortfall)
		after.Shortfall -= settled
		after.OnHand += n - settled
	case Count:
		after.OnHand = max(n, s.Held+s.Allocated)
		after.Shortfall = after.OnHand - n
	}
	if !can || after.Held < 0 || after.Allocated < 0 || after.OnHand < 0 {
		return s, false
	}
	return after, true
}

func (s State) String() string {
	return fmt.Sprintf("on hand %d, held %d, allocated %d, shortfall %d, version %d", s.OnHand, s.Held, s.Allocated, s.Shortfall, s.Version)
}

func (in Input) String() string { return fmt.Sprintf("%s %d", in.Kind, in.Units) }

func (out Output) String() string {
	word := [...]string{"accepted", "refused", "unknown"}[out.Result]
	if out.Level == nil {
		return word
	}
	return word + ": " + out.Level.String()
}
