package tlsfiles

import (
	"crypto/x509"
	"fmt"
	"os"
)

// Authorities reads those that certificates of the other side must be of, from a PEM file.
func Authorities(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: there is no certificate in it, PEM", path)
	}
	return pool, nil
}
