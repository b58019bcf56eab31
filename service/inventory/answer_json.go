package inventory

import (
	"strconv"
	"time"
)

// AppendJSON appends the answer as JSON, the same that encoding it by reflection gives, at a fraction
// of the time: each reservation is encoded twice, for its caller and for its key. fits is false where
// a text needs escaping, which is left to the encoder proper.
func (a *ReservationAnswer) AppendJSON(b []byte) (_ []byte, fits bool) {
	w := answerWriter{b: b, fits: true}
	w.text(`{"id":"`, a.ID.String())
	w.text(`,"region":"`, a.Region)
	w.text(`,"status":"`, string(a.Status))
	w.text(`,"order_reference":"`, a.OrderReference)
	w.textIfAny(`,"channel":"`, a.Channel)
	if a.ExpiresAt == nil {
		w.raw(`,"expires_at":null`)
	} else {
		w.moment(`,"expires_at":"`, *a.ExpiresAt)
	}
	w.raw(`,"lines":[`)
	for i := range a.Lines {
		w.comma(i)
		w.line(&a.Lines[i])
	}
	w.raw(`],"shortages":[`)
	for i, s := range a.Shortages {
		w.comma(i)
		w.number(`{"line":`, int64(s.Line))
		w.text(`,"sku":"`, s.SKU)
		w.textIfAny(`,"location":"`, s.Location)
		w.number(`,"requested":`, s.Requested)
		w.number(`,"available":`, s.Available)
		w.raw(`}`)
	}
	w.number(`],"version":`, a.Version)
	w.moment(`,"created_at":"`, a.CreatedAt)
	w.moment(`,"updated_at":"`, a.UpdatedAt)
	w.raw(`}`)
	return w.b, w.fits
}

type answerWriter struct {
	b    []byte
	fits bool
}

func (w *answerWriter) line(l *LineAnswer) {
	w.number(`{"line":`, int64(l.Line))
	w.text(`,"sku":"`, l.SKU)
	w.text(`,"location":"`, l.Location)
	w.number(`,"quantity":`, l.Quantity)
	w.number(`,"fulfilled":`, l.Fulfilled)
	w.number(`,"released":`, l.Released)
	w.raw(`}`)
}

func (w *answerWriter) raw(s string) { w.b = append(w.b, s...) }

func (w *answerWriter) comma(i int) {
	if i > 0 {
		w.raw(",")
	}
}

// text writes a text of printable ASCII that means nothing in JSON, and its closing quote.
func (w *answerWriter) text(before, s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			w.fits = false
		}
	}
	w.b = append(append(append(w.b, before...), s...), '"')
}

func (w *answerWriter) textIfAny(before, s string) {
	if s != "" {
		w.text(before, s)
	}
}

func (w *answerWriter) number(before string, n int64) {
	w.b = strconv.AppendInt(append(w.b, before...), n, 10)
}

func (w *answerWriter) moment(before string, t time.Time) {
	w.b = append(t.AppendFormat(append(w.b, before...), time.RFC3339Nano), '"')
}
