package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service/client"
)

// serve answers the n-th request (from 1) by answers[n-1], the last one for ever.
func serve(t *testing.T, answers ...http.HandlerFunc) (url string, seen func() []*http.Request) {
	t.Helper()
	var mu sync.Mutex
	var requests []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		kept := q.Clone(context.WithoutCancel(q.Context()))
		kept.Header.Set("Test-Body", string(body))
		mu.Lock()
		requests = append(requests, kept)
		n := min(len(requests), len(answers))
		mu.Unlock()
		answers[n-1](w, q)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{}`)
	}
}

// hangUp breaks the connection after the request was taken in: the case where only the key tells.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func newClient(t *testing.T, o client.Options, targets ...string) *client.Client {
	t.Helper()
	c, err := client.New(targets, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var oneUnit = client.MovementRequest{Kind: "receive", Lines: []client.MovementLine{{Location: "LON", SKU: "A", Quantity: 1}}}

func TestRepeatsUnderTheSameKey(t *testing.T) {
	t.Parallel()
	for _, code := range []int{429, 502, 503, 504} {
		url, seen := serve(t, status(code), status(code), status(201, "Stockyard-Region", "us-east1", "Idempotency-Replayed", "true"))
		_, call, err := newClient(t, client.Options{Token: "secret"}, url).Move(t.Context(), "k-1", oneUnit)
		if err != nil {
			t.Fatalf("%d: %v", code, err)
		}
		want := client.Call{Target: url, Region: "us-east1", Status: 201, Retries: 2, Replayed: true}
		if call != want {
			t.Errorf("%d: call is %+v, want %+v", code, call, want)
		}
		for _, q := range seen() {
			if q.Header.Get("Idempotency-Key") != "k-1" || q.Header.Get("Authorization") != "Bearer secret" {
				t.Errorf("%d: headers %v", code, q.Header)
			}
			if body := q.Header.Get("Test-Body"); body != `{"kind":"receive","lines":[{"location":"LON","sku":"A","quantity":1}]}` {
				t.Errorf("%d: body %s", code, body)
			}
		}
	}
}

func TestGoesToAnotherTargetWhenOneIsLost(t *testing.T) {
	t.Parallel()
	good, seen := serve(t, status(200))
	gone := httptest.NewServer(nil)
	gone.Close()
	broken, brokenSeen := serve(t, hangUp)
	for name, lost := range map[string]string{"refuses": gone.URL, "hangs up": broken} {
		c := newClient(t, client.Options{}, lost, good).Via(0)
		_, call, err := c.Confirm(t.Context(), "k", "r/1")
		if err != nil || call.Target != good || call.Retries == 0 {
			t.Errorf("%s: %+v, %v", name, call, err)
		}
		_, call, err = c.Confirm(t.Context(), "k", "r/1")
		if err != nil || call.Retries != 0 {
			t.Errorf("%s: the lost target was asked again at once: %+v, %v", name, call, err)
		}
	}
	for _, q := range append(seen(), brokenSeen()...) {
		if q.URL.EscapedPath() != "/v1/reservations/r%2F1/confirm" || q.Header.Get("Idempotency-Key") != "k" {
			t.Errorf("asked %s under key %q", q.URL.EscapedPath(), q.Header.Get("Idempotency-Key"))
		}
	}
}

func TestGoesToAnotherTargetWhenOneStaysUnavailable(t *testing.T) {
	t.Parallel()
	busy, seen := serve(t, status(503))
	good, _ := serve(t, status(200))
	_, call, err := newClient(t, client.Options{}, busy, good).Via(0).Level(t.Context(), "LON", "A")
	if err != nil || call.Target != good {
		t.Errorf("%+v, %v", call, err)
	}
	if n := len(seen()); n != 3 {
		t.Errorf("the busy target was asked %d times, want 3", n)
	}
}

func TestHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, status(503, "Retry-After", "1"), status(200))
	begun := time.Now()
	_, call, err := newClient(t, client.Options{}, url).Level(t.Context(), "LON", "A")
	if err != nil || call.Retries != 1 {
		t.Fatalf("%+v, %v", call, err)
	}
	if took := time.Since(begun); took < time.Second {
		t.Errorf("came back after %s", took)
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, status(503))
	_, call, err := newClient(t, client.Options{MaxElapsed: 300 * time.Millisecond}, url).Level(t.Context(), "LON", "A")
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 503 || call.Retries == 0 {
		t.Errorf("%+v, %v", call, err)
	}
	_, call, err = newClient(t, client.Options{MaxElapsed: -1}, url).Level(t.Context(), "LON", "A")
	if !errors.As(err, &p) || call.Retries != 0 {
		t.Errorf("one try: %+v, %v", call, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err = newClient(t, client.Options{}, url).Level(ctx, "LON", "A")
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &p) {
		t.Errorf("a deadline: %v", err)
	}
}

func TestAnAttemptThatHangsIsRepeated(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	url, _ := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if asked.Add(1) == 1 {
			<-q.Context().Done()
			return
		}
		status(200)(w, q)
	})
	_, call, err := newClient(t, client.Options{AttemptTimeout: 100 * time.Millisecond}, url).Level(t.Context(), "LON", "A")
	if err != nil || call.Retries != 1 {
		t.Errorf("%+v, %v", call, err)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const document = `{"type":"/problems/insufficient-stock","title":"Insufficient stock","status":409,"detail":"line 1",
		"instance":"req-1","shortages":[{"line":1,"sku":"A","location":"LON","requested":5,"available":2}],
		"errors":[{"field":"lines[0].sku","message":"is odd"}]}`
	url, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(409)
		_, _ = io.WriteString(w, document)
	})
	_, call, err := newClient(t, client.Options{}, url).Reserve(t.Context(), "k", client.ReservationRequest{})
	var p *client.Problem
	if !errors.As(err, &p) || !client.IsProblem(err, client.InsufficientStock) {
		t.Fatal(err)
	}
	if len(p.Shortages) != 1 || p.Shortages[0].Available != 2 || p.Errors[0].Field != "lines[0].sku" || !json.Valid(p.Raw) {
		t.Errorf("%+v", p)
	}
	if got := p.Error(); got != "409 insufficient-stock line 1; lines[0].sku: is odd (request req-1)" {
		t.Error(got)
	}
	if call.Status != 409 || len(seen()) != 1 {
		t.Errorf("a refusal was repeated: %+v", call)
	}

	url, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<h1>no\nsuch page</h1>", 404) })
	_, _, err = newClient(t, client.Options{}, url).Level(t.Context(), "LON", "A")
	if !errors.As(err, &p) || p.Status != 404 || p.Detail != "<h1>no such page</h1>" {
		t.Errorf("a page that is no problem: %v", err)
	}
}

func TestNamesInPaths(t *testing.T) {
	t.Parallel()
	url, seen := serve(t, status(200))
	if _, err := newClient(t, client.Options{}, url+"/").PutProduct(t.Context(), client.Product{SKU: "BANK CHARGES/50%?#é"}); err != nil {
		t.Fatal(err)
	}
	if got := seen()[0].URL.EscapedPath(); got != "/v1/products/BANK%20CHARGES%2F50%25%3F%23%C3%A9" {
		t.Error(got)
	}
	if key := seen()[0].Header.Get("Idempotency-Key"); key != "" {
		t.Errorf("PUT was sent under key %q", key)
	}
}

func TestStockPages(t *testing.T) {
	t.Parallel()
	url, seen := serve(t,
		func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"items":[{"sku":"A","on_hand":1,"updated_at":null}],"next_page_token":"a&b"}`)
		},
		status(503), // in the middle of a list, too
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"items":[{"sku":"B"}]}`) },
	)
	var skus string
	for level, err := range newClient(t, client.Options{}, url).Stock(t.Context(), client.StockFilter{Location: "LON", PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		skus += level.SKU
	}
	if skus != "AB" {
		t.Errorf("got %s", skus)
	}
	if q := seen()[2].URL.Query(); q.Get("page_token") != "a&b" || q.Get("location") != "LON" || q.Get("page_size") != "1" {
		t.Errorf("second page asked with %v", q)
	}
}

func TestOnlyStaysAtItsTarget(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	good, seen := serve(t, status(200))
	c := newClient(t, client.Options{MaxElapsed: 200 * time.Millisecond}, gone.URL, good)
	if _, _, err := c.Only(0).Regions(t.Context()); err == nil || len(seen()) != 0 {
		t.Errorf("the other target was asked %d times, error %v", len(seen()), err)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	for _, targets := range [][]string{nil, {""}, {"127.0.0.1:8081"}, {"ftp://x"}} {
		if _, err := client.New(targets, client.Options{}); err == nil {
			t.Errorf("%q were accepted", targets)
		}
	}
	c := newClient(t, client.Options{}, "http://127.0.0.1:1")
	for _, key := range []string{"", "a\nb", "é"} {
		if _, call, err := c.Move(t.Context(), key, oneUnit); err == nil || call.Target != "" {
			t.Errorf("key %q was sent", key)
		}
	}
}
