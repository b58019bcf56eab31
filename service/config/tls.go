package config

import (
	"errors"

	"stockyard/service/tlsfiles"
)

// TLS says how connections are kept private. Files are read again when they change.
type TLS struct {
	TLSCert     string `name:"tls-cert" help:"Certificate and chain of the API, PEM; with it the API takes TLS 1.3 only." env:"STOCKYARD_TLS_CERT" placeholder:"FILE"`
	TLSKey      string `name:"tls-key" help:"Private key of --tls-cert, PEM." env:"STOCKYARD_TLS_KEY" placeholder:"FILE"`
	TLSClientCA string `name:"tls-client-ca" help:"Authorities of clients' certificates, PEM; with it only clients that have one can connect. They need a key or token all the same." env:"STOCKYARD_TLS_CLIENT_CA" placeholder:"FILE"`
}

// Files are the settings as what reads the files wants them.
func (t TLS) Files() tlsfiles.Paths {
	return tlsfiles.Paths{Cert: t.TLSCert, Key: t.TLSKey, ClientCA: t.TLSClientCA}
}

func (t TLS) check() error {
	switch {
	case (t.TLSCert == "") != (t.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key are only of use together")
	case t.TLSClientCA != "" && t.TLSCert == "":
		return errors.New("--tls-client-ca is of no use without --tls-cert")
	}
	return nil
}
