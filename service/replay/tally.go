package replay

import (
	"sync"
	"time"

	"stockyard/service/client"
)

// tally counts what one warehouse's commands came to, and keeps what they did to its stock as this
// run saw it: the answers, not the plan, are what the proof compares the books with.
type tally struct {
	mu       sync.Mutex
	counts   Counts
	moved    map[string]Moved // by SKU
	begun    time.Time
	finished time.Time
}

// Counts of commands. A command counts once, however often it was sent.
type Counts struct {
	Invoices            int `json:"invoices"`
	Commands            int `json:"commands"`
	RefusedReservations int `json:"refused_reservations"` // invoices whose positive lines were refused
	RefusedWriteOffs    int `json:"refused_write_offs"`   // lines
	Retries             int `json:"retries"`
	Replays             int `json:"replays"` // commands that an earlier run, or a try whose answer was lost, had done already
}

// Moved is what an SKU's stock went through after it was opened.
type Moved struct {
	Fulfilled  int64 `json:"fulfilled"`
	Returned   int64 `json:"returned"`
	WrittenOff int64 `json:"written_off"`
}

func newTally() *tally {
	now := time.Now()
	return &tally{moved: map[string]Moved{}, begun: now, finished: now}
}

func (t *tally) start() {
	t.update(func() {
		t.begun = time.Now()
		t.finished = t.begun
	})
}

func (t *tally) update(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
}

// count counts a command that was answered, and the tries it took in any case.
func (t *tally) count(call client.Call) {
	t.update(func() {
		t.finished = time.Now()
		t.counts.Retries += call.Retries
		if call.Status == 0 {
			return
		}
		t.counts.Commands++
		if call.Replayed {
			t.counts.Replays++
		}
	})
}

func (t *tally) invoiceDone()        { t.update(func() { t.counts.Invoices++ }) }
func (t *tally) refusedReservation() { t.update(func() { t.counts.RefusedReservations++ }) }
func (t *tally) refusedWriteOff()    { t.update(func() { t.counts.RefusedWriteOffs++ }) }

func (t *tally) fulfilled(lines []client.ReservationLine) {
	t.update(func() {
		for _, l := range lines {
			m := t.moved[l.SKU]
			m.Fulfilled += l.Quantity
			t.moved[l.SKU] = m
		}
	})
}

func (t *tally) returned(lines []client.MovementLine) {
	t.update(func() {
		for _, l := range lines {
			m := t.moved[l.SKU]
			m.Returned += l.Quantity
			t.moved[l.SKU] = m
		}
	})
}

func (t *tally) wroteOff(lines []client.MovementLine) {
	t.update(func() {
		for _, l := range lines {
			m := t.moved[l.SKU]
			m.WrittenOff -= l.Quantity // an adjust that writes off is negative
			t.moved[l.SKU] = m
		}
	})
}
