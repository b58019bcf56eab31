// Package client speaks Stockyard's REST contract over HTTP, and repeats what got no answer under
// the same key, at another region if need be, so that its callers need not think about it.
package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options of a Client; the zero value is good for a server without credentials.
type Options struct {
	Token string       // API key or JWT, sent as bearer
	HTTP  *http.Client // nil: one tuned for many small calls to a few hosts
	TLS   *tls.Config  // of https targets, where HTTP is nil; nil: as this machine trusts

	// MaxElapsed is how long one call goes on being repeated. 0 is 60 s; negative means one try.
	MaxElapsed time.Duration
	// AttemptTimeout bounds one try, from dialling to the last byte. 0 is 30 s.
	AttemptTimeout time.Duration
}

const (
	defaultMaxElapsed     = 60 * time.Second
	defaultAttemptTimeout = 30 * time.Second
)

// Client calls the pods of one Stockyard, in one or several regions. It is safe for concurrent use.
type Client struct {
	pool    *pool
	http    *http.Client
	options Options
	first   int  // the target tried first; anyTarget takes them in turn
	only    bool // never go to another target
}

// New makes a client of the pods at these base URLs. It calls none of them yet.
func New(targets []string, o Options) (*Client, error) {
	p, err := newPool(targets)
	if err != nil {
		return nil, err
	}
	if o.MaxElapsed == 0 {
		o.MaxElapsed = defaultMaxElapsed
	}
	if o.AttemptTimeout == 0 {
		o.AttemptTimeout = defaultAttemptTimeout
	}
	c := &Client{pool: p, http: o.HTTP, options: o, first: anyTarget}
	if c.http == nil {
		c.http = &http.Client{Transport: tunedTransport(o.TLS)}
	}
	return c, nil
}

// tunedTransport keeps a connection for every worker: the default of two idle ones a host would
// dial anew for nearly every call of a load run.
func tunedTransport(private *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          0,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		TLSClientConfig:       private.Clone(), // net/http adds HTTP/2 to it, which others don't speak
		TLSHandshakeTimeout:   5 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// Targets lists the base URLs in the order given to New.
func (c *Client) Targets() []string {
	bases := make([]string, len(c.pool.targets))
	for i, t := range c.pool.targets {
		bases[i] = t.base
	}
	return bases
}

// Via gives a client that tries target i of Targets first and shares everything else.
func (c *Client) Via(i int) *Client {
	view := *c
	view.first = i
	return &view
}

// Only gives a client that never leaves target i, to ask that very pod.
func (c *Client) Only(i int) *Client {
	view := c.Via(i)
	view.only = true
	return view
}

func newPool(bases []string) (*pool, error) {
	if len(bases) == 0 {
		return nil, errors.New("no target: give at least one base URL")
	}
	var errs []error
	p := &pool{}
	for _, base := range bases {
		u, err := url.Parse(strings.TrimSpace(base))
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			errs = append(errs, fmt.Errorf("target %q: want a URL like http://127.0.0.1:8081", base))
			continue
		}
		u.RawQuery, u.Fragment = "", ""
		p.targets = append(p.targets, &target{base: strings.TrimRight(u.String(), "/")})
	}
	return p, errors.Join(errs...)
}
