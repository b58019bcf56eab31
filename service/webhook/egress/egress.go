// Package egress makes requests to addresses that others name, without letting them reach what only
// this machine and its network may: addresses are checked when they are connected to, after names
// were resolved, so that no name can be made to mean something else in between.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// ErrForbidden says that the address is one of a private network, of this machine, or of no use.
var ErrForbidden = errors.New("the address is not a public one")

// forbidden are the networks that aren't the Internet at large, by the registries of special-purpose
// addresses of IANA, and those by which an IPv4 address travels inside an IPv6 one.
var forbidden = parse(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func parse(prefixes ...string) (all []netip.Prefix) {
	for _, p := range prefixes {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// Public says whether an address is one of the Internet at large.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range forbidden {
		if p.Contains(a) {
			return false
		}
	}
	return a.IsValid()
}

const maxURL = 2000

// CheckURL says what is wrong with a URL to send to, "" if nothing. What its name resolves to shows
// only when it is connected to.
func CheckURL(raw string, allowPrivate bool) string {
	if raw == "" {
		return "is required"
	}
	u, err := url.Parse(raw)
	switch {
	case len(raw) > maxURL:
		return fmt.Sprintf("has %d bytes; at most %d are allowed", len(raw), maxURL)
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "must be a URL such as https://example.com/hooks"
	case u.Scheme != "https" && (!allowPrivate || u.Scheme != "http"):
		return "must be an https URL"
	case u.User != nil:
		return "must not have a user or a password in it: messages are signed instead"
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return "must not have a fragment"
	case allowPrivate:
		return ""
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if a, err := netip.ParseAddr(host); err == nil && !Public(a) || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return "must not be an address of this machine or of a private network; --allow-private-webhooks allows that"
	}
	return ""
}

// Options of a client.
type Options struct {
	Timeout      time.Duration // of a whole request, the reading of the answer's body included
	AllowPrivate bool
}

// NewClient makes a client that goes straight to where a URL says: it asks no proxy, follows no
// redirect, and connects to public addresses only unless told otherwise.
func NewClient(o Options) *http.Client {
	dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: 30 * time.Second}
	if !o.AllowPrivate {
		dialer.ControlContext = refusePrivate
	}
	return &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: o.Timeout,
			MaxIdleConnsPerHost: 16, MaxIdleConns: 256, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// refusePrivate is called with the very address that is connected to.
func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !Public(to.Addr()) {
		return ErrForbidden
	}
	return nil
}
