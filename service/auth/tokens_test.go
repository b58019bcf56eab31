package auth_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"stockyard/service/auth"
)

const audience = "stockyard"

type claims map[string]any

// with is the claims and one more, or without one where it is nil.
func (c claims) with(name string, v any) claims {
	c = maps.Clone(c)
	if c[name] = v; v == nil {
		delete(c, name)
	}
	return c
}

// good are claims that are accepted.
func (p *idp) good() claims {
	now := time.Now().Unix()
	return claims{
		"iss": p.URL, "sub": "u-17", "aud": []string{"other", audience}, "exp": now + 300, "iat": now, "nbf": now,
		"preferred_username": "ada", "stockyard_grants": []string{"warehouse@region:europe-west1", "viewer"},
	}
}

func (p *idp) tokens(askAgain ...time.Duration) *auth.Tokens {
	o := auth.TokenOptions{Issuer: p.URL, Audience: audience, GrantsClaim: "stockyard_grants", Log: slog.New(slog.DiscardHandler)}
	for _, o.AskAgain = range askAgain {
	}
	return auth.NewTokens(o)
}

func TestATokenTellsWhoAsks(t *testing.T) {
	p := newIDP(t)
	signers := []signer{newSigner(t, "rsa", jose.RS256), newSigner(t, "pss", jose.PS512), newSigner(t, "ec", jose.ES256), newSigner(t, "ed", jose.EdDSA)}
	p.publish(signers...)
	tokens := p.tokens()
	want := auth.Principal{Kind: auth.KindToken, ID: p.URL + "|u-17", Name: "ada", Grants: []auth.Grant{{Role: auth.Warehouse, Regions: []string{"europe-west1"}}, {Role: auth.Viewer}}}
	for _, s := range signers {
		got, err := tokens.Authenticate(t.Context(), s.sign(t, p.good()))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", s.alg, got, err)
		}
	}
	for what, c := range map[string]claims{
		"grants in one string":    p.good().with("stockyard_grants", "warehouse@region:europe-west1 viewer"),
		"one audience, as text":   p.good().with("aud", audience),
		"clocks that differ":      p.good().with("nbf", time.Now().Unix()+20).with("iat", time.Now().Unix()+20).with("exp", time.Now().Unix()-20),
		"neither nbf nor iat":     p.good().with("nbf", nil).with("iat", nil),
		"more that nobody asked":  p.good().with("scope", "openid profile").with("nested", claims{"a": 1}),
		"a name of another claim": p.good().with("preferred_username", nil).with("email", "ada"),
	} {
		if got, err := tokens.Authenticate(t.Context(), signers[0].sign(t, c)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	nobody, err := tokens.Authenticate(t.Context(), signers[0].sign(t, p.good().with("stockyard_grants", nil)))
	if err != nil || nobody.May(auth.ListRegions) {
		t.Errorf("without grants: %+v, %v", nobody, err)
	}
	if unnamed, err := tokens.Authenticate(t.Context(), signers[0].sign(t, p.good().with("preferred_username", "a\nb"))); err != nil || unnamed.Name != "u-17" {
		t.Errorf("a name over two lines: %+v, %v", unnamed, err)
	}
}

func TestBadTokensAreRefused(t *testing.T) {
	p := newIDP(t)
	s, stranger := newSigner(t, "a", jose.RS256), newSigner(t, "a", jose.RS256)
	p.publish(s)
	tokens, now := p.tokens(), time.Now().Unix()
	good := s.sign(t, p.good())
	if _, err := tokens.Authenticate(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string]string{
		"another issuer":                   s.sign(t, p.good().with("iss", "https://id.example.com")),
		"no issuer":                        s.sign(t, p.good().with("iss", nil)),
		"another audience":                 s.sign(t, p.good().with("aud", "somebody else")),
		"no audience":                      s.sign(t, p.good().with("aud", nil)),
		"expired":                          s.sign(t, p.good().with("exp", now-60)),
		"no expiry":                        s.sign(t, p.good().with("exp", nil)),
		"not yet valid":                    s.sign(t, p.good().with("nbf", now+60)),
		"issued in the future":             s.sign(t, p.good().with("iat", now+60)),
		"no subject":                       s.sign(t, p.good().with("sub", nil)),
		"a subject that forges lines":      s.sign(t, p.good().with("sub", "u\nadmin")),
		"a NUL in the subject":             s.sign(t, p.good().with("sub", "u\x00")),
		"an endless subject":               s.sign(t, p.good().with("sub", strings.Repeat("u", 256))),
		"a grant that is none":             s.sign(t, p.good().with("stockyard_grants", "king")),
		"grants that are a number":         s.sign(t, p.good().with("stockyard_grants", 7)),
		"claims that are no object":        s.sign(t, []int{1}),
		"a stranger with the same kid":     stranger.sign(t, p.good()),
		"a kid that is nobody's":           signer{stranger.key, "b", jose.RS256}.sign(t, p.good()),
		"no kid, a stranger's signature":   signer{stranger.key, "", jose.RS256}.sign(t, p.good()),
		"another algorithm than the key's": signer{s.key, "a", jose.RS512}.sign(t, p.good()),
		"no algorithm":                     unsigned(good, `{"alg":"none","typ":"JWT"}`),
		"no algorithm, with a kid":         unsigned(good, `{"alg":"None","kid":"a"}`),
		"the public key as a secret":       confused(t, p, s),
		"a changed payload":                tampered(good),
		"no signature":                     good[:strings.LastIndex(good, ".")+1],
		"two parts":                        good[:strings.LastIndex(good, ".")],
		"JSON":                             `{"payload":"e30","signatures":[]}`,
		"encrypted":                        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..a.a.a",
		"nothing of the kind":              "hello",
	} {
		if got, err := tokens.Authenticate(t.Context(), bad); !errors.Is(err, auth.ErrBadCredential) || got.Kind != "" {
			t.Errorf("%s: %+v, %v", what, got, err)
		} else if strings.Contains(err.Error(), bad) {
			t.Errorf("%s: the token is in %v", what, err)
		}
	}
	if n := p.asked.Load(); n != 1 {
		t.Errorf("all these made %d requests for the issuer's keys", n)
	}
}

// unsigned puts another header before a token's claims.
func unsigned(token, header string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + strings.Split(token, ".")[1] + "."
}

// tampered makes the bearer an administrator.
func tampered(token string) string {
	parts := strings.Split(token, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), `"viewer"`, `"admin"`, 1)))
	return strings.Join(parts, ".")
}

// confused signs with the issuer's public key as if it were a shared secret.
func confused(t *testing.T, p *idp, s signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(p.keys[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return signer{secret, s.id, jose.HS256}.sign(t, p.good())
}

// A key that is new at the issuer is asked for when its first token comes; those that it gave up
// are forgotten then.
func TestKeysOfTheIssuerRotate(t *testing.T) {
	p := newIDP(t)
	before, after := newSigner(t, "1", jose.ES256), newSigner(t, "2", jose.ES256)
	p.publish(before)
	tokens := p.tokens(time.Nanosecond)
	if _, err := tokens.Authenticate(t.Context(), before.sign(t, p.good())); err != nil {
		t.Fatal(err)
	}
	p.publish(after)
	if _, err := tokens.Authenticate(t.Context(), after.sign(t, p.good())); err != nil {
		t.Errorf("the new key's token: %v", err)
	}
	if _, err := tokens.Authenticate(t.Context(), before.sign(t, p.good())); !errors.Is(err, auth.ErrBadCredential) {
		t.Errorf("the token of the key that is gone: %v", err)
	}
}

// Junk asks the issuer for its keys no more often than once in a while, however much of it comes.
func TestJunkDoesNotHammerTheIssuer(t *testing.T) {
	p := newIDP(t)
	p.publish(newSigner(t, "1", jose.ES256))
	tokens, stranger := p.tokens(), newSigner(t, "x", jose.ES256)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			s := stranger
			s.id += string(rune('a' + i%26))
			if _, err := tokens.Authenticate(t.Context(), s.sign(t, p.good())); !errors.Is(err, auth.ErrBadCredential) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := p.asked.Load(); n != 1 {
		t.Errorf("200 junk tokens made %d requests", n)
	}
}

// Nobody knows whether a token is good while the issuer has never answered, so nobody says that it
// is bad. Keys go on working; and so do tokens once the issuer is there, and when it is gone again.
func TestAnIssuerMayBeDown(t *testing.T) {
	p := newIDP(t)
	s := newSigner(t, "1", jose.ES256)
	p.publish(s)
	p.set(func() { p.down = true })
	shelf := &shelf{keys: map[string]auth.Key{}}
	_, key := shelf.add()
	bearer := auth.Bearer{Keys: auth.NewKeys(shelf, slog.Default()), Tokens: p.tokens(10 * time.Millisecond)}
	while(t, bearer.Tokens.Run)
	token := s.sign(t, p.good())
	if _, err := bearer.Authenticate(t.Context(), "Bearer "+token); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("the issuer has never answered: %v", err)
	}
	if _, err := bearer.Authenticate(t.Context(), "Bearer "+key); err != nil {
		t.Errorf("a key, while the issuer is down: %v", err)
	}
	p.set(func() { p.down = false })
	eventually(t, "tokens are good once the issuer answers", func() bool {
		_, err := bearer.Authenticate(t.Context(), "bearer  "+token)
		return err == nil
	})
	p.Close()
	if _, err := bearer.Authenticate(t.Context(), "Bearer "+token); err != nil {
		t.Errorf("the issuer is gone again, its keys are at hand: %v", err)
	}
	newer := newSigner(t, "2", jose.ES256).sign(t, p.good())
	eventually(t, "a token of a key that may be new is not called bad", func() bool {
		_, err := bearer.Authenticate(t.Context(), "Bearer "+newer)
		return errors.Is(err, auth.ErrUnavailable)
	})
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestWhatIsNoBearerIsNobody(t *testing.T) {
	b := auth.Bearer{Keys: auth.NewKeys(&shelf{}, slog.Default())}
	for header, want := range map[string]error{
		"": auth.ErrNoCredential, "  ": auth.ErrNoCredential, "Bearer": auth.ErrNoCredential, "Bearer  ": auth.ErrNoCredential,
		"Basic YTpi": auth.ErrBadCredential, "Bearer hello": auth.ErrBadCredential, "Bearer sy_": auth.ErrBadCredential,
		"Bearer " + strings.Repeat("x", 17<<10): auth.ErrBadCredential, auth.NewAPIKey().Reveal(): auth.ErrBadCredential,
	} {
		if p, err := b.Authenticate(t.Context(), header); !errors.Is(err, want) || p.Kind != "" {
			t.Errorf("%.40q: %+v, %v", header, p, err)
		}
	}
}

func TestOnlyHTTPSIsAnIssuer(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://id.example.com": true, "https://id.example.com:8443/realms/a": true, "http://127.0.0.1:9000": true, "http://localhost/x": true, "http://[::1]:1": true,
		"http://id.example.com": false, "id.example.com": false, "": false, "ftp://id.example.com": false, "https://": false,
		"https://user:pass@id.example.com": false, "http://localhost.example.com": false, "https://id.example.com#x": false, "http://10.0.0.1": false,
	} {
		if err := auth.CheckIssuer(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		} else if err != nil && strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: a password is in %v", url, err)
		}
	}
}

// Whatever bytes come, only a token that the issuer has signed is one.
func FuzzTokens(f *testing.F) {
	p := newIDP(f)
	s := newSigner(f, "1", jose.ES256)
	p.publish(s)
	tokens := p.tokens()
	good := s.sign(f, p.good().with("exp", time.Now().Unix()+1_000_000))
	for _, seed := range []string{good, tampered(good), unsigned(good, `{"alg":"none"}`), unsigned(good, `{"alg":"ES256","kid":"1","crit":["b64"],"b64":false}`), good + "=", "..", `{"signatures":[{}]}`} {
		f.Add(seed)
	}
	signed := good[:strings.LastIndex(good, ".")]
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := tokens.Authenticate(t.Context(), text); err == nil && !strings.HasPrefix(text, signed) {
			t.Fatalf("%q is taken for %+v", text, got)
		}
	})
}
