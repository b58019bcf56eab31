package pod_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"stockyard/service/store/storetest"
	"stockyard/service/tlsfiles/tlstest"
)

// Commands that call pods trust a private authority and show a certificate, over REST and gRPC, by
// flags and by variables; without, they say at once which setting to look at.
func TestCommandsOverPrivateTLS(t *testing.T) {
	binary := build(t)
	ca, clients, other := tlstest.NewAuthority(t, "ca"), tlstest.NewAuthority(t, "clients"), tlstest.NewAuthority(t, "other")
	cert, key := ca.PairFiles(t, "pod")
	shopCert, shopKey := clients.PairFiles(t, "shop")
	strangerCert, strangerKey := other.PairFiles(t, "stranger")
	trust, mistrust := "STOCKYARD_TLS_CA="+tlstest.File(t, ca.PEM), "STOCKYARD_TLS_CA="+tlstest.File(t, other.PEM)
	shop := []string{trust, "STOCKYARD_TLS_CLIENT_CERT=" + shopCert, "STOCKYARD_TLS_CLIENT_KEY=" + shopKey}
	stranger := []string{trust, "STOCKYARD_TLS_CLIENT_CERT=" + strangerCert, "STOCKYARD_TLS_CLIENT_KEY=" + strangerKey}
	products := filepath.Join(t.TempDir(), "products.csv")
	if err := os.WriteFile(products, []byte("sku,name\nA,Apple\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := &process{
			region: db.Topology.Regions[0].Name, address: freeAddress(t), grpc: freeAddress(t), ops: freeAddress(t), database: db.URLs[0],
			binary: binary, log: filepath.Join(t.TempDir(), "log"),
			more: []string{"--anonymous", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", tlstest.File(t, clients.PEM)},
		}
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		private := "https://" + p.address
		importing := func(target string, flags ...string) []string {
			return append([]string{"import", products, "--target", target}, flags...)
		}
		loading := func(more ...string) []string {
			return append([]string{"load", "--target", private, "--clients", "4", "--duration", "300ms", "--warmup", "0s"}, more...)
		}
		overGRPC := loading("--grpc", "--grpc-target", p.grpc)
		for what, c := range map[string]struct {
			run, env []string
			fails    string // with an error that says so; "" is not at all
		}{
			"import":                         {importing(private), shop, ""},
			"import by flags":                {importing(private, "--tls-ca", trust[17:], "--tls-client-cert", shopCert, "--tls-client-key", shopKey), nil, ""},
			"load over REST":                 {loading(), shop, ""},
			"load over gRPC":                 {overGRPC, shop, ""},
			"an authority nobody knows":      {importing(private), shop[1:], "--tls-ca"},
			"another authority":              {overGRPC, append([]string{mistrust}, shop[1:]...), "--tls-ca"},
			"no certificate":                 {loading(), shop[:1], "--tls-client-cert"},
			"another authority's":            {loading(), stranger, "--tls-client-cert"},
			"import without a certificate":   {importing(private), shop[:1], "nothing was imported"}, // the reset can come before the reason
			"a file that isn't there":        {loading(), []string{trust + "x"}, "--tls-ca"},
			"half a pair":                    {overGRPC, shop[:2], "--tls-client-key"},
			"http where the pod takes https": {[]string{"load", "--target", p.url()}, shop, "HTTPS"},
		} {
			cmd := exec.CommandContext(t.Context(), binary, c.run...)
			cmd.Env = append(os.Environ(), c.env...)
			out, err := cmd.CombinedOutput()
			if (err == nil) != (c.fails == "") || !strings.Contains(string(out), c.fails) {
				t.Errorf("%s: %v, want it to say %q:\n%s", what, err, c.fails, out)
			}
			if strings.Contains(string(out), "gave up") {
				t.Errorf("%s: repeated to no avail:\n%s", what, out)
			}
		}
	})
}
