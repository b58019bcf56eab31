// Package tlsfiles serves TLS from files that others renew while the server runs: new connections
// get what is in the files now, and those that are open go on.
package tlsfiles

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Paths name the files, all PEM.
type Paths struct {
	Cert, Key string
	// ClientCA holds the authorities of clients' certificates. "": none are asked for. A client's
	// certificate says that the connection may be made, and not who asks.
	ClientCA string
}

// checkEvery is how often the files are looked at: their content, because a time or a name says
// nothing where they are links that are turned, as Kubernetes does with Secrets.
const checkEvery = 2 * time.Second

// Files are a certificate, its key, and the authorities of clients, as they were last good.
type Files struct {
	paths Paths
	log   *slog.Logger
	now   atomic.Pointer[loaded]
	seen  [sha256.Size]byte // what was looked at last, good or not
}

type loaded struct {
	certificate tls.Certificate
	clients     *x509.CertPool
}

// Open reads the files. Run looks for new ones.
func Open(paths Paths, log *slog.Logger) (*Files, error) {
	f := &Files{paths: paths, log: log}
	return f, f.look()
}

// Run takes over new files until the context ends. Those that are broken leave the old ones in use.
func (f *Files) Run(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := f.look(); err != nil {
				f.log.Error("the new TLS files are not taken; the old ones stay in use", "error", err, "old_expire", f.Expiry())
			}
		}
	}
}

// Expiry is when the certificate in use expires.
func (f *Files) Expiry() time.Time { return f.now.Load().certificate.Leaf.NotAfter }

// Config is a server's: TLS 1.3, these application protocols, and whatever the files hold when a
// connection is made.
func (f *Files) Config(protocols ...string) *tls.Config {
	base := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: protocols}
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := f.now.Load()
		c := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: protocols, Certificates: []tls.Certificate{now.certificate}}
		if now.clients != nil {
			c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, now.clients
		}
		return c, nil
	}
	return base
}

// look takes the files over where they have changed since it last looked.
func (f *Files) look() error {
	cert, key, clients, err := f.read()
	sum := sha256.Sum256(bytes.Join([][]byte{cert, key, clients, fmt.Append(nil, err)}, []byte{0}))
	if sum == f.seen {
		return nil
	}
	f.seen = sum
	if err != nil {
		return err
	}
	next, err := load(cert, key, clients)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", f.paths.Cert, f.paths.Key, err)
	}
	if f.paths.ClientCA != "" && next.clients == nil {
		return fmt.Errorf("%s: there is no certificate in it", f.paths.ClientCA)
	}
	f.now.Store(next)
	f.log.Info("TLS files are in use", "cert", f.paths.Cert, "expires", f.Expiry(), "client_ca", f.paths.ClientCA)
	return nil
}

func (f *Files) read() (cert, key, clients []byte, err error) {
	var errs [3]error
	cert, errs[0] = os.ReadFile(f.paths.Cert)
	key, errs[1] = os.ReadFile(f.paths.Key)
	if f.paths.ClientCA != "" {
		clients, errs[2] = os.ReadFile(f.paths.ClientCA)
	}
	return cert, key, clients, errors.Join(errs[:]...)
}

func load(cert, key, clients []byte) (*loaded, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	l := &loaded{certificate: pair}
	if pool := x509.NewCertPool(); pool.AppendCertsFromPEM(clients) {
		l.clients = pool
	}
	return l, nil
}
