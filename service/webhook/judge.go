package webhook

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"stockyard/service/store"
	"stockyard/service/webhook/egress"
)

// Backoff says when what failed is tried again: after a pause that is random between nothing and a
// bound, which begins with First and doubles with each failure up to Most, until GiveUp has passed.
type Backoff struct{ First, Most, GiveUp time.Duration }

// pause is how long to wait after so many failures in a row, 1 or more.
func (b Backoff) pause(failures int64) time.Duration {
	bound := min(b.First, b.Most)
	for ; failures > 1 && bound < b.Most; failures-- {
		bound = min(2*bound, b.Most)
	}
	return rand.N(bound) + 1 //nolint:gosec // a pause, not a secret
}

// verdict is what an attempt says of a delivery, and of its endpoint.
type verdict struct {
	delivered bool
	// endpoint says that others will fare no better: there was no answer, or one that isn't about
	// this message.
	endpoint bool
	gone     bool
	code     int
	why      string
	// after is how long the endpoint asked to be left alone.
	after time.Duration
}

// judge says what an answer means.
func judge(answer *http.Response, now time.Time) verdict {
	v := verdict{code: answer.StatusCode}
	if v.code >= 200 && v.code < 300 {
		v.delivered = true
		return v
	}
	v.why = fmt.Sprintf("the answer was %d %s", v.code, http.StatusText(v.code))
	v.after = retryAfter(answer.Header.Get("Retry-After"), now)
	v.gone, v.endpoint = v.code == http.StatusGone, !refuses(v.code)
	return v
}

// refuses says of a status that it is about the message, so that others may well be taken.
func refuses(code int) bool {
	switch code {
	case http.StatusGone, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return code >= 400 && code < 500
}

// refusals are all such statuses.
func refusals() (codes []int64) {
	for code := 400; code < 500; code++ {
		if refuses(code) {
			codes = append(codes, int64(code))
		}
	}
	return codes
}

// retryAfter reads a header of seconds, or of a date; 0 for none.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(header), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// unanswered says why there was no answer. The words are ours: those of the network tell more of it
// than its owner may like.
func (d *Dispatcher) unanswered(err error) verdict {
	v := verdict{endpoint: true, why: "the connection failed"}
	var timeout net.Error
	var dns *net.DNSError
	switch {
	case errors.Is(err, egress.ErrForbidden):
		v.why = "the host's address is one of a private network or of the pod's machine"
	case errors.As(err, &dns):
		v.why = "the host's name can't be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		v.why = "no answer within " + d.o.Timeout.String()
	case strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		v.why = "no secure connection: the certificate or the protocol doesn't fit"
	}
	return v
}

// tried is a delivery and what came of an attempt.
type tried struct {
	delivery store.Delivery
	verdict
}

// decide says what is to be written after some attempts at a webhook.
func (b Backoff) decide(w store.Webhook, attempts []tried, now time.Time) (round store.Round) {
	taken, failed := false, false
	var after time.Duration
	for _, t := range attempts {
		taken = taken || t.delivered || !t.endpoint
		failed = failed || !t.delivered && t.endpoint
		after = max(after, t.after)
		if t.gone {
			round.SwitchOff = "the endpoint answered 410 Gone"
		}
		round.Attempts = append(round.Attempts, b.outcome(t, now))
	}
	switch {
	case taken:
	case failed:
		round.Failures = w.Failures + 1
		after = max(after, b.pause(round.Failures))
		// What has yet to be tried has failed as well.
		round.Overdue, round.OverdueReason = b.GiveUp, "the endpoint took nothing for "+b.GiveUp.String()
	default:
		round.Failures = w.Failures
	}
	round.Pause = min(after, b.GiveUp)
	return round
}

func (b Backoff) outcome(t tried, now time.Time) store.Attempt {
	a := store.Attempt{UUID: t.delivery.UUID, TriedFrom: t.delivery.TriedFrom, Status: store.DeliveryDelivered, Code: int64(t.code), Error: t.why}
	if t.delivered {
		return a
	}
	left := t.delivery.TriedFrom.Add(b.GiveUp).Sub(now)
	if left <= 0 {
		a.Status = store.DeliveryParked
		return a
	}
	a.Status = store.DeliveryPending
	a.Pause = min(max(b.pause(t.delivery.Attempts+1), t.after), left)
	return a
}
