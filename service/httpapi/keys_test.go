package httpapi_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

func TestKeysAreMadeReadListedAndRevoked(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		made := p.post(t, "/v1/keys", `{"name": "till 7", "grants": ["pos@location:NYC,region:europe-west1", "viewer"], "expires_in": "720h"}`).is(t, 201)
		id := made.text(t, "id")
		key, err := auth.ParseAPIKey(made.text(t, "key"))
		if err != nil || key.ID != id || made.text(t, "status") != "active" || made.text(t, "created_by") != "anonymous" {
			t.Errorf("the key is %s: %v", made.raw, err)
		}
		read := p.get(t, "/v1/keys/"+id).is(t, 200)
		if strings.Contains(read.raw, made.text(t, "key")[20:72]) || strings.Contains(read.raw, "hash") {
			t.Errorf("reading a key shows its secret: %s", read.raw)
		}
		if got := read.raw; !strings.Contains(got, `"grants":["pos@region:europe-west1,location:NYC","viewer"]`) {
			t.Errorf("the grants are in %s", got)
		}
		for range 3 {
			p.post(t, "/v1/keys", `{"name": "another", "grants": ["viewer"]}`).is(t, 201)
		}
		seen, token := 0, ""
		for {
			page := p.get(t, "/v1/keys?page_size=2&page_token="+token).is(t, 200)
			seen += strings.Count(page.raw, `"created_by"`)
			if token = page.text(t, "next_page_token"); token == "" {
				break
			}
		}
		if seen < 4 {
			t.Errorf("the list has %d keys", seen)
		}
		p.do(t, "DELETE", "/v1/keys/"+id, "").is(t, 204)
		if got := p.get(t, "/v1/keys/"+id).is(t, 200); got.text(t, "status") != "revoked" || got.text(t, "revoked_at") == "" {
			t.Errorf("the revoked key is %s", got.raw)
		}
		p.get(t, "/v1/keys/0000000000000000").is(t, 404)
		p.do(t, "DELETE", "/v1/keys/0000000000000000", "").is(t, 404)
	})
}

func TestEverythingWrongWithAKeyIsNamed(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for body, fields := range map[string][]string{
			`{}`: {"name", "grants"},
			`{"name": "a\nb", "grants": ["cook", "viewer@region:mars", "pos@x"], "expires_in": "1ms"}`:          {"name", "grants[0]", "grants[1]", "grants[2]", "expires_in"},
			`{"name": " ", "grants": ["viewer"], "expires_at": "2020-01-01T00:00:00Z"}`:                         {"name", "expires_at"},
			`{"name": "x", "grants": ["viewer"], "expires_at": "2099-01-01T00:00:00Z"}`:                         {"expires_at"},
			`{"name": "x", "grants": ["viewer"], "expires_at": "2027-01-01T00:00:00Z", "expires_in": "1h"}`:     {"expires_in"},
			`{"name": "x", "grants": "viewer", "expires_at": "soon", "hash": "x"}`:                              {"grants", "expires_at", "hash"},
			fmt.Sprintf(`{"name": %q, "grants": ["viewer"], "expires_in": "99999h"}`, strings.Repeat("x", 101)): {"name", "expires_in"},
		} {
			got := p.post(t, "/v1/keys", body).is(t, 400)
			for _, field := range fields {
				if !strings.Contains(got.raw, fmt.Sprintf(`"field":%q`, field)) {
					t.Errorf("%s: %s is not named in %s", body, field, got.raw)
				}
			}
		}
		p.post(t, "/v1/keys", `{"name": "x", "grants": [`+strings.Repeat(`"viewer",`, 100)+`"viewer"]}`).is(t, 422)
		// A whole key in the place of its id is not repeated in the answer.
		whole := auth.NewAPIKey().Reveal()
		if got := p.get(t, "/v1/keys/"+whole).is(t, 400); strings.Contains(got.raw, whole) {
			t.Errorf("the answer repeats a key: %s", got.raw)
		}
	})
}

// as is an authenticator that takes everybody for one principal.
type as auth.Principal

func (p as) Authenticate(context.Context, string) (auth.Principal, error) {
	return auth.Principal(p), nil
}

func TestKeysAreForAdminsAlone(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		bound := as{Kind: auth.KindKey, ID: "x", Grants: []auth.Grant{{Role: auth.Integrator}, {Role: auth.Admin, Regions: []string{america}}}}
		p := start(t, db, america, func(_ *service.Options, o *httpapi.Options) { o.Authenticator = bound })
		for _, got := range []answer{
			p.post(t, "/v1/keys", `{"name": "x", "grants": ["admin"]}`), p.get(t, "/v1/keys"),
			p.get(t, "/v1/keys/0000000000000000"), p.do(t, "DELETE", "/v1/keys/0000000000000000", ""),
		} {
			got.is(t, 403)
		}
	})
}

// Whoever forgets to say who may come in has a door that is shut.
func TestWithoutAnAuthenticatorNobodyComesIn(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(_ *service.Options, o *httpapi.Options) { o.Authenticator = nil })
		p.get(t, "/v1/regions").is(t, 401)
		p.post(t, "/v1/movements", `{`).is(t, 401)
	})
}
