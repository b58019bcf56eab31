package pod_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"stockyard/service/store/storetest"
)

// issuer is an OIDC issuer that is down until up is set.
type issuer struct {
	*httptest.Server
	up  atomic.Bool
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]any{
			"/.well-known/openid-configuration": map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"},
			"/keys":                             jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1"}}},
		}
		if !i.up.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answers[r.URL.Path])
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) token(t *testing.T, grants ...string) string {
	t.Helper()
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"iss": i.URL, "aud": "stockyard", "sub": "ada", "exp": time.Now().Add(time.Hour).Unix(), "roles": grants})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := by.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A pod starts without its issuer and says so; keys work meanwhile, and tokens once it is there.
func TestTokensWhoseIssuerComesLater(t *testing.T) {
	binary := build(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		i := newIssuer(t)
		p := &process{
			region: db.Topology.Regions[0].Name, address: freeAddress(t), grpc: freeAddress(t), database: db.URLs[0],
			binary: binary, log: filepath.Join(t.TempDir(), "log"),
			more: []string{"--oidc-issuer", i.URL, "--oidc-audience", "stockyard", "--oidc-grants-claim", "roles"},
		}
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		viewer := i.token(t, "viewer")
		if got := p.as(t, viewer, "GET", regionsPath, "").is(t, 503); got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "/problems/unavailable") {
			t.Errorf("without the issuer: %s %s", got.header, got.body)
		}
		key := p.stockyard(t, "key", "create", "--name", "meanwhile", "--grant", "viewer")
		p.as(t, key, "GET", regionsPath, "").is(t, 200)
		i.up.Store(true)
		within(t, 30*time.Second, "the issuer's token is accepted", func() bool { return p.as(t, viewer, "GET", regionsPath, "").status == 200 })
		p.as(t, viewer, "PUT", "/v1/products/tea", `{"name": "Tea"}`).is(t, 403)
		made := p.as(t, i.token(t, "admin"), "POST", keysPath, `{"name": "x", "grants": ["viewer"]}`).is(t, 201).key(t)
		if made.CreatedBy != "token:"+i.URL+"|ada" {
			t.Errorf("a token's bearer is called %q", made.CreatedBy)
		}
		p.as(t, viewer[:len(viewer)-4], "GET", regionsPath, "").is(t, 401)
	})
}
