package book

import (
	"errors"
	"net/http"
	"time"

	"stockyard/service/client"
)

// judge says what a client may conclude from how a call ended. A finding is what no call may end
// with, whatever is broken behind the pods.
func judge(err error) (outcome Outcome, name, finding string) {
	var p *client.Problem
	switch {
	case err == nil:
		return Accepted, "", ""
	case !errors.As(err, &p):
		return Unknown, err.Error(), ""
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusBadGateway:
		return Unknown, p.Name(), ""
	case http.StatusConflict, http.StatusPreconditionFailed:
		return Refused, p.Name(), ""
	}
	return Unknown, p.Name(), "answered " + p.Error()
}

// Tally is what became of the commands of a kind.
type Tally struct {
	Kind                       string
	Accepted, Refused, Unknown int
	Repeated                   int // calls after the first
}

// Summary is a book in figures.
type Summary struct {
	Kinds    []Tally
	Replayed int           // answers that had been given before, to somebody who didn't hear them
	Outage   time.Duration // the longest time without any answer
}

// Summary counts.
func (b *Book) Summary() (s Summary) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Replayed, s.Outage = b.replayed, b.outage
	at := map[string]int{}
	for _, e := range b.entries {
		i, seen := at[e.Kind]
		if !seen {
			i = len(s.Kinds)
			at[e.Kind] = i
			s.Kinds = append(s.Kinds, Tally{Kind: e.Kind})
		}
		t := &s.Kinds[i]
		t.Repeated += e.Retries
		switch e.Outcome {
		case Accepted:
			t.Accepted++
		case Refused:
			t.Refused++
		case Unknown, Open:
			t.Unknown++
		}
	}
	return s
}
