package client

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	firstPause = 50 * time.Millisecond
	maxPause   = 5 * time.Second
	// patience is how often a target that answers "later" is asked before another one is: its
	// region's database may be the trouble, and any region can run any command.
	patience = 3
)

// verdict says what follows from a try that did not succeed.
type verdict struct {
	again bool          // worth repeating
	lost  bool          // the pod could not be reached, or went away before it answered
	after time.Duration // the server asked for at least this pause
	err   error         // what to tell the caller when it is not repeated
}

// judge needs no exception for writes: they carry a key or are PUT, so repeating is always safe.
func judge(got answer, err error) verdict {
	if disagreement(err) != "" {
		return verdict{err: err}
	}
	if err != nil {
		return verdict{again: true, lost: true, err: err}
	}
	v := verdict{err: readProblem(got), after: retryAfter(got.header)}
	switch got.status {
	case http.StatusBadGateway:
		v.again, v.lost = true, true // a proxy speaking for a pod that is gone
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		v.again = true
	}
	return v
}

// disagreement says what to look at where the two sides can't agree on TLS, which repeating doesn't
// change, by the flags of the commands that call pods.
func disagreement(err error) string {
	var untrusted *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.As(err, &untrusted):
		return "--tls-ca says which authorities are trusted"
	case errors.As(err, &op) && op.Op == "remote error":
		return "--tls-client-cert and --tls-client-key say which certificate the pod is shown"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "this target is http, not https"
	}
	return ""
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// pauseBefore is the pause before the n-th retry (from 1): doubled each time, jittered by half so
// that workers refused together do not return together, never shorter than the server asked for.
func pauseBefore(n int, after time.Duration) time.Duration {
	pause := maxPause
	if shift := n - 1; shift < 7 {
		pause = min(maxPause, firstPause<<shift)
	}
	pause = pause/2 + rand.N(pause/2)
	if after == 0 {
		return pause
	}
	return max(pause, after+rand.N(after/4))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
