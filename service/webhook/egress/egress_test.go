package egress_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"stockyard/service/webhook/egress"
)

var addresses = map[string]bool{
	"93.184.215.14": true, "8.8.8.8": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
	"2606:2800:21f:cb07:6820:80da:af6b:8b2c": true, "::ffff:8.8.8.8": true,

	"127.0.0.1": false, "127.255.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false,
	"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false, "224.0.0.1": false, "239.1.1.1": false,
	"240.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "192.0.2.1": false, "192.0.0.8": false,
	"::1": false, "::": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false,
	"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "fec0::1": false, "ff02::1": false,
	"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "2001:0:7f00:1::": false, "2001:db8::1": false,
}

func TestOnlyPublicAddressesArePublic(t *testing.T) {
	for text, public := range addresses {
		if got := egress.Public(netip.MustParseAddr(text)); got != public {
			t.Errorf("%s is public: %t", text, got)
		}
	}
	if egress.Public(netip.Addr{}) {
		t.Error("no address is a public one")
	}
}

func TestURLs(t *testing.T) {
	for raw, want := range map[string]struct{ public, private bool }{
		"https://example.com/hooks?a=b":  {true, true},
		"https://example.com:8443":       {true, true},
		"https://8.8.8.8/":               {true, true},
		"http://example.com/":            {false, true},
		"https://127.0.0.1/":             {false, true},
		"https://[::1]:8443/":            {false, true},
		"https://[::ffff:10.0.0.1]/":     {false, true},
		"https://[fe80::1%25eth0]/":      {false, true},
		"https://localhost/":             {false, true},
		"https://LOCALHOST./":            {false, true},
		"https://a.localhost/":           {false, true},
		"https://169.254.169.254/latest": {false, true},
		"":                               {},
		"example.com":                    {},
		"https://":                       {},
		"https://:443/":                  {},
		"https:example.com":              {},
		"ftp://example.com/":             {},
		"file:///etc/passwd":             {},
		"https://user@example.com/":      {},
		"https://user:pw@example.com/":   {},
		"https://example.com/#here":      {},
		"https://exa mple.com/":          {},
		"https://[::1/":                  {},
		"https://example.com/" + strings.Repeat("x", 2000): {},
	} {
		if got := egress.CheckURL(raw, false) == ""; got != want.public {
			t.Errorf("%q is accepted: %t", raw, got)
		}
		if got := egress.CheckURL(raw, true) == ""; got != want.private {
			t.Errorf("%q is accepted where private ones are: %t", raw, got)
		}
	}
}

// What a name resolves to is checked, and what one of the other spellings of an address means.
func TestPrivateAddressesAreNotConnectedTo(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	t.Setenv("HTTP_PROXY", server.URL) // a proxy would connect in our place
	client := egress.NewClient(egress.Options{Timeout: 10 * time.Second})
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"} {
		answer, err := client.Get("http://" + host + port)
		if err == nil {
			_ = answer.Body.Close()
		}
		if !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if asked {
		t.Error("it was connected to")
	}
	answer, err := egress.NewClient(egress.Options{Timeout: 10 * time.Second, AllowPrivate: true}).Get(server.URL)
	if err != nil || !asked {
		t.Fatalf("where private ones are allowed: %v", err)
	}
	_ = answer.Body.Close()
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	answer, err := egress.NewClient(egress.Options{Timeout: 10 * time.Second, AllowPrivate: true}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusTemporaryRedirect || len(paths) != 1 {
		t.Errorf("%d after %v", answer.StatusCode, paths)
	}
}
