package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// answer is what a server gave.
type answer struct {
	request string
	status  int
	header  http.Header
	raw     string
	json    any // numbers as json.Number
}

// do sends a request. Headers come in pairs; one with the value "" is left out. A POST gets an
// idempotency key of its own unless one is given.
func (p *pod) do(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		q.Header.Set("Idempotency-Key", name("key"))
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header[http.CanonicalHeaderKey(headers[i])] = strings.Split(headers[i+1], "\n") // several values of one header
		if headers[i+1] == "" {
			q.Header.Del(headers[i])
		}
	}
	r, err := p.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{request: method + " " + path + " " + body[:min(len(body), 300)], status: r.StatusCode, header: r.Header, raw: string(raw)}
	if len(raw) > 0 {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&a.json); err != nil {
			t.Fatalf("%s: not JSON: %s", a.request, raw)
		}
	}
	return a
}

func (p *pod) get(t testing.TB, path string, headers ...string) answer {
	t.Helper()
	return p.do(t, http.MethodGet, path, "", headers...)
}

func (p *pod) put(t testing.TB, path, body string, headers ...string) answer {
	t.Helper()
	return p.do(t, http.MethodPut, path, body, headers...)
}

func (p *pod) post(t testing.TB, path, body string, headers ...string) answer {
	t.Helper()
	return p.do(t, http.MethodPost, path, body, headers...)
}

// is wants a status, and of every answer what all have in common.
func (a answer) is(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s: status %d, want %d: %s", a.request, a.status, status, a.raw)
	}
	if a.header.Get("Stockyard-Region") == "" || a.header.Get("X-Request-Id") == "" {
		t.Errorf("%s: headers are %v", a.request, a.header)
	}
	contentType := "application/json"
	switch {
	case status >= 400:
		contentType = "application/problem+json"
	case status == http.StatusNoContent:
		contentType = ""
	}
	if got := a.header.Get("Content-Type"); got != contentType {
		t.Errorf("%s: content type %q, want %q", a.request, got, contentType)
	}
	return a
}

// problem wants a problem of a kind that names the fields, each in one of its errors, and no others.
func (a answer) problem(t testing.TB, status int, kind string, fields ...string) answer {
	t.Helper()
	a.is(t, status)
	if a.text(t, "type") != "/problems/"+kind || a.int(t, "status") != int64(status) || a.text(t, "title") == "" || a.text(t, "detail") == "" {
		t.Errorf("%s: want %s: %s", a.request, kind, a.raw)
	}
	if a.header.Get("Idempotency-Replayed") == "" && a.text(t, "instance") != a.header.Get("X-Request-Id") {
		t.Errorf("%s: instance is not the request id: %s", a.request, a.raw)
	}
	var named []string
	if a.has("errors") {
		for i := range a.list(t, "errors") {
			named = append(named, a.text(t, "errors", i, "field"))
		}
	}
	slices.Sort(named)
	slices.Sort(fields)
	if !slices.Equal(slices.Compact(named), slices.Compact(fields)) {
		t.Errorf("%s: named are %q, want %q: %s", a.request, named, fields, a.raw)
	}
	for _, leak := range []string{"SQLSTATE", "pgx", "goroutine", "stock_levels", "panic", "crdb_", "ERROR:"} {
		if strings.Contains(a.raw, leak) {
			t.Errorf("%s: the answer speaks of the server's insides: %s", a.request, a.raw)
		}
	}
	return a
}

// at gives the value at a path of member names and places in arrays.
func (a answer) at(path ...any) (v any, found bool) {
	v = a.json
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			if v, found = object[step]; !ok || !found {
				return nil, false
			}
		case int:
			array, ok := v.([]any)
			if !ok || step >= len(array) {
				return nil, false
			}
			v = array[step]
		}
	}
	return v, true
}

func (a answer) has(path ...any) bool {
	_, found := a.at(path...)
	return found
}

func (a answer) text(t testing.TB, path ...any) string {
	t.Helper()
	v, _ := a.at(path...)
	s, ok := v.(string)
	if !ok {
		t.Fatalf("%s: %v is no string: %s", a.request, path, a.raw)
	}
	return s
}

func (a answer) int(t testing.TB, path ...any) int64 {
	t.Helper()
	v, _ := a.at(path...)
	number, ok := v.(json.Number)
	n, err := strconv.ParseInt(string(number), 10, 64)
	if !ok || err != nil {
		t.Fatalf("%s: %v is no whole number: %s", a.request, path, a.raw)
	}
	return n
}

func (a answer) list(t testing.TB, path ...any) []any {
	t.Helper()
	v, _ := a.at(path...)
	list, ok := v.([]any)
	if !ok {
		t.Fatalf("%s: %v is no array: %s", a.request, path, a.raw)
	}
	return list
}

// compact is the value at a path as JSON, members in the order of their names.
func (a answer) compact(t testing.TB, path ...any) string {
	t.Helper()
	v, found := a.at(path...)
	if !found {
		t.Fatalf("%s: no %v: %s", a.request, path, a.raw)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// without takes members out of an answer, wherever they are.
func (a answer) without(members ...string) { without(a.json, members) }

func without(v any, members []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range members {
			delete(v, name)
		}
		for _, member := range v {
			without(member, members)
		}
	case []any:
		for _, item := range v {
			without(item, members)
		}
	}
}
