package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

// byName takes the bearer's word for who it is.
type byName struct{}

func (byName) Authenticate(_ context.Context, authorization string) (auth.Principal, error) {
	name := strings.TrimPrefix(authorization, "Bearer ")
	return auth.Principal{Kind: auth.KindKey, ID: name, Name: name, Grants: []auth.Grant{{Role: auth.Admin}}}, nil
}

func (p *pod) getAs(t *testing.T, who, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+who)
	res, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}

func TestOneWhoAsksTooMuchIsToldWhenToComeBackAndHarmsNobodyElse(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(s *service.Options, h *httpapi.Options) {
			s.RateLimit, h.Authenticator = 5, byName{}
		})
		limited := 0
		for range 50 {
			switch res := p.getAs(t, "greedy", "/v1/regions"); res.StatusCode {
			case http.StatusOK:
			case http.StatusTooManyRequests:
				limited++
				if wait, err := strconv.Atoi(res.Header.Get("Retry-After")); err != nil || wait < 1 {
					t.Fatalf("Retry-After: %q", res.Header.Get("Retry-After"))
				}
			default:
				t.Fatal(res.Status)
			}
		}
		if limited < 10 {
			t.Errorf("50 requests at once of 5 a second: %d were refused", limited)
		}
		if res := p.getAs(t, "modest", "/v1/regions"); res.StatusCode != http.StatusOK {
			t.Errorf("another one is answered %s", res.Status)
		}
	})
}

func TestRequestsBeyondThoseAtOnceAreRefused(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(s *service.Options, _ *httpapi.Options) { s.InFlight = 1 })
		body, write := io.Pipe()
		held := make(chan error, 1)
		go func() {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/movements", body)
			req.Header.Set("Idempotency-Key", name("slow"))
			res, err := p.client.Do(req)
			if err == nil {
				err = res.Body.Close()
			}
			held <- err
		}()
		if _, err := write.Write([]byte(`{`)); err != nil {
			t.Fatal(err)
		}
		until := func(status int) {
			for p.getAs(t, "", "/v1/regions").StatusCode != status {
				if t.Context().Err() != nil {
					t.Fatalf("never answered %d", status)
				}
			}
		}
		until(http.StatusServiceUnavailable)
		_ = write.Close()
		if err := <-held; err != nil {
			t.Fatal(err)
		}
		until(http.StatusOK)
	})
}
