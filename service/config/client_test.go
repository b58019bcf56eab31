package config_test

import (
	"strings"
	"testing"

	"stockyard/service/config"
	"stockyard/service/tlsfiles/tlstest"
)

func TestWhatClientsTrustAndShow(t *testing.T) {
	ca := tlstest.NewAuthority(t, "ca")
	authorities, none := tlstest.File(t, ca.PEM), t.TempDir()+"/none"
	cert, key := ca.PairFiles(t, "shop")
	_, another := ca.PairFiles(t, "another")
	soon := tlstest.File(t, []byte("soon"))
	for _, good := range []config.Client{{}, {TLSCA: authorities}, {TLSCA: authorities, TLSClientCert: cert, TLSClientKey: key}} {
		private, err := good.TLS()
		if err != nil || (private.RootCAs != nil) != (good.TLSCA != "") || len(private.Certificates) > 0 != (good.TLSClientCert != "") {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []struct {
		is   config.Client
		says []string
	}{
		{config.Client{TLSCA: none}, []string{"--tls-ca", none}},
		{config.Client{TLSCA: t.TempDir()}, []string{"--tls-ca", "directory"}},
		{config.Client{TLSCA: soon}, []string{"--tls-ca", soon, "no certificate"}},
		{config.Client{TLSCA: key}, []string{"--tls-ca", key, "no certificate"}},
		{config.Client{TLSClientCert: cert}, []string{"--tls-client-cert", "--tls-client-key", "together"}},
		{config.Client{TLSClientKey: key}, []string{"--tls-client-cert", "--tls-client-key", "together"}},
		{config.Client{TLSClientCert: cert, TLSClientKey: none}, []string{"--tls-client-key", none}},
		{config.Client{TLSClientCert: cert, TLSClientKey: another}, []string{"--tls-client-cert", cert, another, "does not match"}},
		{config.Client{TLSClientCert: key, TLSClientKey: cert}, []string{"--tls-client-cert", "switched"}},
		{config.Client{TLSCA: none, TLSClientCert: soon, TLSClientKey: key}, []string{"--tls-ca", none, "--tls-client-cert", soon}},
	} {
		_, err := bad.is.TLS()
		if err == nil {
			t.Errorf("%+v: taken", bad.is)
			continue
		}
		for _, word := range bad.says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%+v: %v, without %q", bad.is, err, word)
			}
		}
	}
}
