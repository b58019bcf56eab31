package config

import (
	"crypto/tls"
	"errors"
	"fmt"

	"stockyard/service/tlsfiles"
)

// Client says how a command that calls pods keeps its connections private: those to https targets,
// and gRPC beside them. The files are read once, at the start.
type Client struct {
	TLSCA         string `name:"tls-ca" help:"Authorities that pods' certificates must be of, PEM; this machine's where none are given." env:"STOCKYARD_TLS_CA" placeholder:"FILE"`
	TLSClientCert string `name:"tls-client-cert" help:"Certificate and chain shown to pods that run with --tls-client-ca, PEM." env:"STOCKYARD_TLS_CLIENT_CERT" placeholder:"FILE"`
	TLSClientKey  string `name:"tls-client-key" help:"Private key of --tls-client-cert, PEM." env:"STOCKYARD_TLS_CLIENT_KEY" placeholder:"FILE"`
}

// TLS reads the files, and names every setting that is wrong. TLS 1.2 will do: what stands before
// pods may not know 1.3.
func (c Client) TLS() (*tls.Config, error) {
	private := &tls.Config{MinVersion: tls.VersionTLS12}
	var errs []error
	if c.TLSCA != "" {
		var err error
		if private.RootCAs, err = tlsfiles.Authorities(c.TLSCA); err != nil {
			errs = append(errs, fmt.Errorf("--tls-ca: %w", err))
		}
	}
	switch {
	case (c.TLSClientCert == "") != (c.TLSClientKey == ""):
		errs = append(errs, errors.New("--tls-client-cert and --tls-client-key are only of use together"))
	case c.TLSClientCert != "":
		pair, err := tls.LoadX509KeyPair(c.TLSClientCert, c.TLSClientKey)
		if err != nil {
			errs = append(errs, fmt.Errorf("--tls-client-cert %s, --tls-client-key %s: %w", c.TLSClientCert, c.TLSClientKey, err))
		}
		private.Certificates = []tls.Certificate{pair}
	}
	return private, errors.Join(errs...)
}
