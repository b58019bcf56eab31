package httpapi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

// granted takes a bearer's word for who it is and what it may do: a name and its grants, as in
// `Bearer till-7 pos@location:NYC viewer`.
type granted struct{}

func (granted) Authenticate(_ context.Context, authorization string) (auth.Principal, error) {
	words, bearer := strings.CutPrefix(authorization, "Bearer ")
	said := strings.Fields(words)
	switch {
	case authorization == "":
		return auth.Principal{}, auth.ErrNoCredential
	case !bearer || len(said) == 0:
		return auth.Principal{}, auth.ErrBadCredential
	}
	p := auth.Principal{Kind: auth.KindKey, ID: said[0], Name: said[0]}
	for _, text := range said[1:] {
		g, err := auth.ParseGrant(text)
		if err != nil {
			return auth.Principal{}, auth.ErrBadCredential
		}
		p.Grants = append(p.Grants, g)
	}
	return p, nil
}

// site is two pods on one database: an open one that takes everybody for an admin, to set things up
// by, and one that asks who comes in.
type site struct {
	*pod
	guarded *pod
}

// secured runs a test on a site, once a database.
func secured(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		guard := func(_ *service.Options, o *httpapi.Options) { o.Authenticator = granted{} }
		test(t, &site{pod: start(t, db, america), guarded: start(t, db, america, guard)})
		db.Verify(t)
	})
}

// person is somebody who comes to the guarded pod.
type person struct {
	pod        *pod
	name       string
	credential string
}

// as gives somebody new who has grants.
func (s *site) as(grants ...string) person {
	who := name("who")
	return person{s.guarded, who, "Bearer " + who + " " + strings.Join(grants, " ")}
}

func (p person) actor() string { return "key:" + p.name }

func (p person) do(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	return p.pod.do(t, method, path, body, append([]string{"Authorization", p.credential}, headers...)...)
}

func (p person) get(t testing.TB, path string) answer {
	t.Helper()
	return p.do(t, "GET", path, "")
}

func (p person) post(t testing.TB, path, body string, headers ...string) answer {
	t.Helper()
	return p.do(t, "POST", path, body, headers...)
}

// forbidden wants the refusal of an operation for want of rights.
func (a answer) forbidden(t testing.TB) {
	t.Helper()
	a.problem(t, 403, "forbidden")
}

// refusals waits until the audit log has so many attempts of a query, and gives the entries.
func (s *site) refusals(t testing.TB, query string, attempts int64) (entries answer) {
	t.Helper()
	for ; ; time.Sleep(50 * time.Millisecond) {
		entries = s.pod.get(t, "/v1/audit-log?page_size=1000&"+query).is(t, 200)
		var sum int64
		for i := range entries.list(t, "items") {
			sum += entries.int(t, "items", i, "attempts")
		}
		switch {
		case sum == attempts:
			return entries
		case sum > attempts:
			t.Fatalf("%s: %d attempts are in the audit log, not %d: %s", query, sum, attempts, entries.raw)
		case t.Context().Err() != nil:
			t.Fatalf("%s: only %d attempts of %d are in the audit log", query, sum, attempts)
		}
	}
}
