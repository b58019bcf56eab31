package linear

import (
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// History is what all clients did to one level and were told. It is safe for concurrent use.
type History struct {
	Name string

	began time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation
	open  int // operations of which nobody knows
}

// NewHistory begins a history.
func NewHistory(name string) *History { return &History{Name: name, began: time.Now()} }

// Call notes the time before an operation is sent. Its answer is given to the function that it
// gives back.
func (h *History) Call(client int, in Input) (returned func(Output)) {
	call := time.Since(h.began).Nanoseconds()
	return func(out Output) {
		end := time.Since(h.began).Nanoseconds()
		h.mu.Lock()
		defer h.mu.Unlock()
		if out.Result == Unknown {
			if in.Kind == Read {
				return // it changed nothing and told nothing
			}
			end = math.MaxInt64
			h.open++
		}
		h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: end})
	}
}

// Len is how many operations there are, and how many of them nobody knows the outcome of.
func (h *History) Len() (all, unknown int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ops), h.open
}

// Verdict on a history.
type Verdict struct {
	Name       string
	Operations int
	Unknown    int
	// Holds: there is an order. Undecided: none was found, nor its absence, in time.
	Holds, Undecided bool
	Took             time.Duration
}

// Check looks for an order, until a timeout. Where there is none, picture is the file that shows how
// far one gets, for a browser; "" for no picture.
func (h *History) Check(timeout time.Duration, picture string) (Verdict, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	began := time.Now()
	v := Verdict{Name: h.Name, Operations: len(h.ops), Unknown: h.open}
	if picture == "" {
		result := porcupine.CheckOperationsTimeout(model, h.ops, timeout)
		v.Holds, v.Undecided, v.Took = result == porcupine.Ok, result == porcupine.Unknown, time.Since(began)
		return v, nil
	}
	result, info := porcupine.CheckOperationsVerbose(model, h.ops, timeout)
	v.Holds, v.Undecided, v.Took = result == porcupine.Ok, result == porcupine.Unknown, time.Since(began)
	if v.Holds {
		return v, nil
	}
	file, err := os.Create(picture)
	if err != nil {
		return v, err
	}
	defer file.Close()
	return v, porcupine.Visualize(model, info, file)
}

var model = porcupine.Model{
	Init: func() any { return State{} },
	Step: func(state, in, out any) (bool, any) {
		possible, after := Step(state.(State), in.(Input), out.(Output))
		return possible, after
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%s: %s", in, out) },
	DescribeState:     func(state any) string { return state.(State).String() },
}
