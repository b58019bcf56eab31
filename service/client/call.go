package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Call says how an answer was come by. It is filled as far as known when a call fails, too.
type Call struct {
	Target   string // base URL of the pod that answered last
	Region   string // region of that pod, from Stockyard-Region
	Status   int    // HTTP status of the last answer, 0 if there was none
	Retries  int    // tries after the first one
	Replayed bool   // the command had been done before under this key; this is its first answer
}

// request is one operation of the contract, as it goes to whichever target.
type request struct {
	method  string
	path    string // escaped
	query   url.Values
	key     string        // Idempotency-Key, empty for reads and PUT
	body    any           // nil for none
	timeout time.Duration // of one try; 0: as the options say
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// maxAnswer bounds what is read of an answer: 1000 levels or lines are well below it.
const maxAnswer = 64 << 20

// do sends r until it is answered for good, and decodes a 2xx answer into out. A refusal is a
// *Problem; giving up wraps the last failure; a cancelled ctx is ctx.Err(), wrapped.
func (c *Client) do(ctx context.Context, r request, out any) (Call, error) {
	if r.method == http.MethodPost && !validKey(r.key) {
		return Call{}, fmt.Errorf("%s %s: idempotency key %q: want 1 to %d printable ASCII characters", r.method, r.path, r.key, maxKey)
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return Call{}, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
	}
	got, call, err := c.persist(ctx, r, body)
	if err != nil {
		return call, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	if out != nil {
		if err := json.Unmarshal(got.body, out); err != nil {
			return call, fmt.Errorf("%s %s: answer %d is not what the contract says: %w", r.method, r.path, got.status, err)
		}
	}
	return call, nil
}

const maxKey = 255

// validKey is checked here because net/http refuses to send some of the bad ones at all, which
// would look like a connection to be tried again.
func validKey(key string) bool {
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	return key != "" && len(key) <= maxKey && !strings.ContainsFunc(key, odd)
}

// persist is the retry loop: one try after another, each under the same key.
func (c *Client) persist(ctx context.Context, r request, body []byte) (answer, Call, error) {
	var call Call
	var last error
	begun := time.Now()
	at, triesHere := c.pool.start(c.first), 0
	if c.only {
		at = c.first
	}
	for {
		got, err := c.try(ctx, at, r, body)
		triesHere++
		call.Target = c.pool.targets[at].base
		call.Status = got.status
		call.Region = got.header.Get("Stockyard-Region")
		call.Replayed = got.header.Get("Idempotency-Replayed") == "true"
		if err == nil && got.status < 300 {
			return got, call, nil
		}
		if ctx.Err() != nil {
			return got, call, cutOff(ctx, last)
		}
		v := judge(got, err)
		last = v.err
		if !v.again {
			return got, call, v.err
		}
		pause := pauseBefore(call.Retries+1, v.after)
		if time.Since(begun)+pause > c.options.MaxElapsed {
			return got, call, fmt.Errorf("gave up after %d tries in %s: %w",
				call.Retries+1, time.Since(begun).Round(time.Millisecond), v.err)
		}
		if v.lost {
			c.pool.lost(at)
		}
		if !c.only && (v.lost || triesHere >= patience) {
			at, triesHere = c.pool.after(at), 0
		}
		if sleep(ctx, pause) != nil {
			return got, call, cutOff(ctx, last)
		}
		call.Retries++
	}
}

// cutOff says why a call ended that would have gone on: the caller's deadline alone would hide
// that, say, the connection was refused all the while.
func cutOff(ctx context.Context, last error) error {
	if last == nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w, after: %w", ctx.Err(), last)
}

// try sends the request once and reads the whole answer, so that a connection that breaks in the
// middle of one counts as no answer.
func (c *Client) try(ctx context.Context, at int, r request, body []byte) (answer, error) {
	timeout := r.timeout
	if timeout == 0 {
		timeout = c.options.AttemptTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	to := c.pool.targets[at].base + r.path
	if len(r.query) > 0 {
		to += "?" + r.query.Encode()
	}
	q, err := http.NewRequestWithContext(ctx, r.method, to, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	c.setHeaders(q, r)
	resp, err := c.http.Do(q)
	if err != nil {
		return answer{}, shorten(err)
	}
	defer resp.Body.Close()
	got := answer{status: resp.StatusCode, header: resp.Header}
	if got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return answer{}, fmt.Errorf("%s: %w", q.URL.Host, err)
	}
	return got, nil
}

func (c *Client) setHeaders(q *http.Request, r request) {
	q.Header.Set("Accept", "application/json, application/problem+json")
	if r.body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		q.Header.Set("Idempotency-Key", r.key)
	}
	if c.options.Token != "" {
		q.Header.Set("Authorization", "Bearer "+c.options.Token)
	}
}

// shorten drops the method and URL net/http puts before a failure: do names the operation already,
// and a query can be long. It adds what to look at where that is known.
func shorten(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	if why := disagreement(u.Err); why != "" {
		u.Err = fmt.Errorf("%w: %s", u.Err, why)
	}
	if at, parseErr := url.Parse(u.URL); parseErr == nil {
		return fmt.Errorf("%s: %w", at.Host, u.Err)
	}
	return u.Err
}
