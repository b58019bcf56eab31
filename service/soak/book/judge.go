package book

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Judge compares what clients were told with what the ledger says, both whole and at rest, and
// names every lie: an acknowledged command that isn't in the ledger exactly once with the effect
// that was acknowledged, a refused one that left something, an unknown one, events and keys that
// nobody asked for, and levels that aren't the sum of what was acknowledged.
func (b *Book) Judge(l *Ledger) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := &judgement{
		ledger: l, totals: map[Place]inventory.Balances{}, known: map[string]bool{}, used: map[[16]byte]bool{},
		lies: slices.Clone(b.findings), expiries: map[string]map[int64]bool{},
	}
	for _, e := range b.entries {
		j.entry(e)
	}
	j.strangers(b.Run)
	j.levels()
	return j.lies
}

type judgement struct {
	ledger   *Ledger
	totals   map[Place]inventory.Balances
	known    map[string]bool           // keys of the book
	used     map[[16]byte]bool         // ids of commands of the book
	expiries map[string]map[int64]bool // by reservation: the expiries that its shopper was told of, in microseconds
	lies     []string
}

func (j *judgement) lie(format string, args ...any) {
	j.lies = append(j.lies, fmt.Sprintf(format, args...))
}

func (j *judgement) entry(e *Entry) {
	j.known[e.Key] = true
	rows := j.ledger.Commands[e.Key]
	if len(rows) > 1 {
		j.lie("%s (%s): is in the ledger %d times", e.Key, e.Outcome, len(rows))
	}
	var events []inventory.Event
	for _, row := range rows {
		j.used[row.ID.UUID] = true
		events = append(events, j.own(row)...)
	}
	switch e.Outcome {
	case Accepted:
		j.accepted(e, rows, events)
	case Refused:
		for _, row := range rows {
			if row.Outcome != "refused" {
				j.lie("%s: was refused (%s), the ledger has it as %s", e.Key, e.Problem, row.Outcome)
			}
		}
		if len(rows) == 0 {
			j.lie("%s: was refused (%s), and the answer is not kept", e.Key, e.Problem)
		}
		if len(events) > 0 {
			j.lie("%s: was refused (%s) and left %s", e.Key, e.Problem, describe(effectsOf(events)))
		}
	case Open, Unknown:
		j.lie("%s: nobody could say what became of it, though nothing was broken any more (%s)", e.Key, e.Problem)
	}
}

// own are the events of a command but those of lapsed holds that it tidied away.
func (j *judgement) own(row store.AuditEntry) (own []inventory.Event) {
	for _, e := range j.ledger.Events[row.ID.UUID] {
		if e.Kind != inventory.KindExpire {
			own = append(own, e)
		}
	}
	return own
}

func (j *judgement) accepted(e *Entry, rows []store.AuditEntry, events []inventory.Event) {
	switch {
	case len(rows) == 0:
		j.lie("%s: was acknowledged (%s) and is not in the ledger", e.Key, e.Answer.ID)
		return
	case rows[0].Outcome != "accepted":
		j.lie("%s: was acknowledged, the ledger has it as %s", e.Key, rows[0].Outcome)
	}
	if id, err := inventory.ParseID(e.Answer.ID); e.Answer.IsNew && (err != nil || id.UUID != rows[0].ID.UUID) {
		j.lie("%s: was acknowledged as %s, the ledger has it as %x", e.Key, e.Answer.ID, rows[0].ID.UUID)
	}
	if r := e.Answer.Reservation; r != nil && !r.ExpiresAt.IsZero() {
		if j.expiries[r.ID] == nil {
			j.expiries[r.ID] = map[int64]bool{}
		}
		j.expiries[r.ID][r.ExpiresAt.UnixMicro()] = true
	}
	got := effectsOf(events)
	for _, want := range e.Answer.Effects {
		i := slices.IndexFunc(got, func(g Effect) bool { return want.is(g) })
		if i < 0 {
			j.lie("%s: was acknowledged as %s; the ledger has %s", e.Key, want, describe(effectsOf(events)))
			return
		}
		j.add(got[i])
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		j.lie("%s: did more than was acknowledged: %s", e.Key, describe(got))
	}
}

// is compares an acknowledged effect with a recorded one. A hold that was confirmed after it had
// lapsed and been tidied away is not held any more, and what arrives settles shortfall first.
func (want Effect) is(got Effect) bool {
	switch want.Kind {
	case inventory.KindConfirm:
		if got.Deltas.Held == 0 {
			want.Deltas.Held = 0
		}
	case inventory.KindReceive, inventory.KindTransferReceive:
		if got.Deltas.Shortfall < 0 {
			want.Deltas.Shortfall = got.Deltas.Shortfall
			want.Deltas.OnHand += got.Deltas.Shortfall
		}
	default:
	}
	return want == got
}

func effectsOf(events []inventory.Event) (effects []Effect) {
	for _, e := range events {
		effects = append(effects, Effect{Place: placeOf(e.Key), Kind: e.Kind, Deltas: e.Deltas})
	}
	return effects
}

func placeOf(k inventory.LevelKey) Place { return Place{k.Location, k.SKU} }

func (j *judgement) add(e Effect) {
	t := j.totals[e.Place]
	t.OnHand += e.Deltas.OnHand
	t.Held += e.Deltas.Held
	t.Allocated += e.Deltas.Allocated
	t.Quarantined += e.Deltas.Quarantined
	t.Incoming += e.Deltas.Incoming
	t.Shortfall += e.Deltas.Shortfall
	j.totals[e.Place] = t
}

// strangers names what is in the ledger and in nobody's book. Holds end by themselves: not before
// their time, which their shoppers were told.
func (j *judgement) strangers(run string) {
	for key, rows := range j.ledger.Commands {
		if strings.HasPrefix(key, run+"/") && !j.known[key] {
			j.lie("%s: nobody sent it, and the ledger has it as %s", key, rows[0].Outcome)
		}
	}
	for id, events := range j.ledger.Events {
		for _, e := range events {
			switch {
			case e.Kind == inventory.KindExpire:
				j.expiry(e)
			case !j.used[id]:
				j.lie("%x: events that nobody asked for: %s", id, describe(effectsOf([]inventory.Event{e})))
			}
		}
	}
}

func (j *judgement) expiry(e inventory.Event) {
	j.add(effectsOf([]inventory.Event{e})[0])
	switch {
	case e.RecordedAt.Before(e.Meta.EffectiveAt):
		j.lie("reservation %s: ended at %s, before it expired at %s", e.Reservation, e.RecordedAt, e.Meta.EffectiveAt)
	case !j.expiries[e.Reservation.String()][e.Meta.EffectiveAt.UnixMicro()]:
		j.lie("reservation %s: expired at %s, which is none of the times its shopper was told", e.Reservation, e.Meta.EffectiveAt)
	}
}

// levels compares the balances with the sums of what was acknowledged.
func (j *judgement) levels() {
	for key, read := range j.ledger.Levels {
		want, ledger := j.totals[placeOf(key)], j.ledger.Sums[key]
		if want != ledger {
			j.lie("%s: the ledger ends with %+v, and what was acknowledged adds up to %+v", placeOf(key), ledger, want)
		}
		// Holds lapse at any moment.
		read.Held, want.Held = 0, 0
		if want != read {
			j.lie("%s: is read as %+v, and what was acknowledged adds up to %+v", placeOf(key), read, want)
		}
		delete(j.totals, placeOf(key))
	}
	for _, place := range slices.SortedFunc(maps.Keys(j.totals), func(a, b Place) int { return strings.Compare(a.String(), b.String()) }) {
		if want := j.totals[place]; want != (inventory.Balances{}) {
			j.lie("%s: has no ledger, and what was acknowledged adds up to %+v", place, want)
		}
	}
}

func describe(effects []Effect) string {
	if len(effects) == 0 {
		return "nothing"
	}
	words := make([]string, len(effects))
	for i, e := range effects {
		words[i] = e.String()
	}
	return strings.Join(words, "; ")
}
