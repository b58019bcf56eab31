package tlsfiles_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stockyard/service/tlsfiles"
	"stockyard/service/tlsfiles/tlstest"
)

// secret is a folder as Kubernetes mounts Secrets: files are links into a folder that is replaced
// by turning one link.
type secret struct{ dir string }

func (s secret) path(name string) string { return filepath.Join(s.dir, name) }

func (s secret) put(t *testing.T, files map[string][]byte) {
	t.Helper()
	version, err := os.MkdirTemp(s.dir, "version-")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(version, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(s.path(name)); err != nil {
			if err := os.Symlink(filepath.Join("..data", name), s.path(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Symlink(filepath.Base(version), s.path("..new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.path("..new"), s.path("..data")); err != nil {
		t.Fatal(err)
	}
}

// log is what was logged so far.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) has(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// serve serves HTTPS from the files, and watches them.
func serve(t *testing.T, paths tlsfiles.Paths) (url string, files *tlsfiles.Files, said *log) {
	t.Helper()
	said = &log{}
	files, err := tlsfiles.Open(paths, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); files.Run(ctx) }()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.Config.TLSConfig = files.Config("h2", "http/1.1")
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	go func() { _ = server.Config.ServeTLS(server.Listener, "", "") }()
	t.Cleanup(func() { stop(); <-done; _ = server.Config.Close() })
	return "https://" + server.Listener.Addr().String(), files, said
}

// browser is a client that trusts one authority.
func browser(trusts tlstest.Authority, change ...func(*tls.Config)) *http.Client {
	c := &tls.Config{RootCAs: trusts.Pool(), ClientSessionCache: tls.NewLRUClientSessionCache(10)}
	for _, f := range change {
		f(c)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}
}

// visit makes a request and says whose certificate the server showed.
func visit(t *testing.T, c *http.Client, url string) (server, proto string, err error) {
	t.Helper()
	got, err := c.Get(url)
	if err != nil {
		return "", "", err
	}
	defer got.Body.Close()
	raw, err := io.ReadAll(got.Body)
	return got.TLS.PeerCertificates[0].Subject.CommonName, string(raw), err
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}

func TestNewFilesAreTakenAndBrokenOnesAreNot(t *testing.T) {
	ca, folder := tlstest.NewAuthority(t, "ca"), secret{t.TempDir()}
	put := func(name string) {
		cert, key := ca.Pair(t, name)
		folder.put(t, map[string][]byte{"tls.crt": cert, "tls.key": key})
	}
	put("first")
	url, files, said := serve(t, tlsfiles.Paths{Cert: folder.path("tls.crt"), Key: folder.path("tls.key")})
	open := browser(ca)
	if name, proto, err := visit(t, open, url); err != nil || name != "first" || proto != "HTTP/2.0" {
		t.Fatalf("%s, %s, %v", name, proto, err)
	}
	if _, _, err := visit(t, browser(ca, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), url); err == nil {
		t.Error("TLS 1.2 is taken")
	}
	if until := time.Until(files.Expiry()); until < 59*time.Minute || until > time.Hour {
		t.Errorf("it expires in %s", until)
	}

	put("second")
	eventually(t, "new connections get the new certificate", func() bool {
		name, _, err := visit(t, browser(ca), url)
		return err == nil && name == "second"
	})
	if name, _, err := visit(t, open, url); err != nil || name != "first" {
		t.Errorf("the open connection is %s, %v: it was dropped", name, err)
	}

	cert, _ := ca.Pair(t, "third")
	_, key := ca.Pair(t, "another")
	for what, broken := range map[string]map[string][]byte{
		"a key of another certificate": {"tls.crt": cert, "tls.key": key},
		"no PEM":                       {"tls.crt": []byte("soon"), "tls.key": []byte("soon")},
		"a file is gone":               {"tls.crt": cert},
	} {
		before := said.has("not taken")
		folder.put(t, broken)
		eventually(t, "the log says so: "+what, func() bool { return said.has("not taken") > before })
		if name, _, err := visit(t, browser(ca), url); err != nil || name != "second" {
			t.Errorf("%s: a new connection gets %s, %v", what, name, err)
		}
	}
	put("fourth")
	eventually(t, "what is good again is taken", func() bool { name, _, _ := visit(t, browser(ca), url); return name == "fourth" })
	if n := said.has("not taken"); n != 3 {
		t.Errorf("three broken versions are logged %d times", n)
	}
	if said.has("PRIVATE") > 0 || said.has(string(key[30:60])) > 0 {
		t.Error("a private key is in the log")
	}
}

// Only clients with a certificate of the authority connect, and one that was accepted before isn't
// once its authority is not.
func TestClientsNeedCertificates(t *testing.T) {
	ca, clients, others, folder := tlstest.NewAuthority(t, "ca"), tlstest.NewAuthority(t, "clients"), tlstest.NewAuthority(t, "clients"), secret{t.TempDir()}
	cert, key := ca.Pair(t, "server")
	put := func(a tlstest.Authority) {
		folder.put(t, map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": a.PEM})
	}
	put(clients)
	url, _, _ := serve(t, tlsfiles.Paths{Cert: folder.path("tls.crt"), Key: folder.path("tls.key"), ClientCA: folder.path("ca.crt")})
	with := func(a tlstest.Authority) *http.Client {
		pair, err := tls.X509KeyPair(a.Pair(t, "shop"))
		if err != nil {
			t.Fatal(err)
		}
		return browser(ca, func(c *tls.Config) { c.Certificates = []tls.Certificate{pair} })
	}
	shop := with(clients)
	for what, refused := range map[string]*http.Client{"no certificate": browser(ca), "another authority's": with(others), "the server's authority's": with(ca)} {
		if _, _, err := visit(t, refused, url); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	for _, resumed := range []bool{false, true} {
		got, err := shop.Get(url)
		if err != nil || got.TLS.DidResume != resumed {
			t.Fatalf("resumed: %t, %v", got != nil && got.TLS.DidResume, err)
		}
		_, _ = io.Copy(io.Discard, got.Body)
		_ = got.Body.Close()
		shop.CloseIdleConnections()
	}
	put(others)
	eventually(t, "the new authority's clients connect", func() bool { _, _, err := visit(t, with(others), url); return err == nil })
	if _, _, err := visit(t, shop, url); err == nil {
		t.Error("a client of the old authority resumes")
	}
}

func TestOpenRefusesWhatIsBroken(t *testing.T) {
	ca, folder := tlstest.NewAuthority(t, "ca"), secret{t.TempDir()}
	cert, key := ca.Pair(t, "server")
	folder.put(t, map[string][]byte{"tls.crt": cert, "tls.key": key, "empty": nil})
	for _, p := range []tlsfiles.Paths{
		{Cert: folder.path("none"), Key: folder.path("tls.key")},
		{Cert: folder.path("tls.crt"), Key: folder.path("tls.crt")},
		{Cert: folder.path("tls.crt"), Key: folder.path("tls.key"), ClientCA: folder.path("empty")},
		{Cert: folder.path("tls.crt"), Key: folder.path("tls.key"), ClientCA: folder.path("none")},
	} {
		if _, err := tlsfiles.Open(p, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), folder.dir) {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
