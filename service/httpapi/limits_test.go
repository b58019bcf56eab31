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

func (p *pod) getAs(t *testing.T, who, path string) (status int, header http.Header) {
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
	return res.StatusCode, res.Header
}

func TestOneWhoAsksTooMuchIsToldWhenToComeBackAndHarmsNobodyElse(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(s *service.Options, h *httpapi.Options) {
			s.RateLimit, h.Authenticator = 5, byName{}
		})
		limited := 0
		for range 50 {
			switch status, header := p.getAs(t, "greedy", "/v1/regions"); status {
			case http.StatusOK:
			case http.StatusTooManyRequests:
				limited++
				if wait, err := strconv.Atoi(header.Get("Retry-After")); err != nil || wait < 1 {
					t.Fatalf("Retry-After: %q", header.Get("Retry-After"))
				}
			default:
				t.Fatal(status)
			}
		}
		if limited < 10 {
			t.Errorf("50 requests at once of 5 a second: %d were refused", limited)
		}
		if status, _ := p.getAs(t, "modest", "/v1/regions"); status != http.StatusOK {
			t.Errorf("another one is answered %d", status)
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
			for got := 0; got != status; got, _ = p.getAs(t, "", "/v1/regions") {
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
