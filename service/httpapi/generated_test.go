package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

// generated is a request made from the document.
type generated struct {
	*http.Request
	op   operation
	body []byte
}

// request makes a request of an operation: one that the document allows, or one of which something
// is broken.
func (s *source) request(op operation) generated {
	s.rich = pick(s, 0, 0, 0.1, 0.5, 1)
	wrong := ""
	if s.chance(0.4) {
		wrong = pick(s, "path", "query", "header", "body", "body", "body", "bytes")
	}
	u := &url.URL{Scheme: "http", Host: "stockyard", RawQuery: s.query(op, wrong == "query")}
	u.RawPath = s.path(op, wrong == "path")
	u.Path, _ = url.PathUnescape(u.RawPath)
	body, media := s.body(op, wrong == "body")
	if wrong == "bytes" {
		body = s.garbled(body)
	}
	q := httptest.NewRequest(op.method, "/", bytes.NewReader(body))
	q.URL = u
	if media != "" {
		q.Header.Set("Content-Type", media)
	}
	s.headers(op, q.Header, wrong == "header")
	return generated{q, op, body}
}

// make makes a parameter's text.
func (s *source) parameter(p node, wrong bool) []string {
	name := p.text("name")
	make := s.valid
	if wrong {
		make = s.broken
	}
	all, is := make(p.at("schema"), name).([]any)
	if !is {
		all = []any{make(p.at("schema"), name)}
	}
	texts := []string{}
	for _, v := range all {
		text, is := v.(string)
		if !is {
			raw, _ := json.Marshal(v)
			text = string(raw)
		}
		texts = append(texts, text)
	}
	return texts
}

func (s *source) path(op operation, wrong bool) string {
	parts := strings.Split(op.path, "/")
	for i, part := range parts {
		name, is := strings.CutPrefix(part, "{")
		if !is {
			continue
		}
		for _, p := range op.parameters("path") {
			if p.text("name")+"}" != name {
				continue
			}
			if p.text("name") == "id" {
				s.known["id"] = s.known[parts[2]+" id"]
			}
			text := strings.Join(s.parameter(p, wrong), "")
			parts[i] = strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
			if wrong && s.chance(0.2) {
				parts[i] += pick(s, "%FF", "%C3%28", "%2F", "%00", "%0A")
			}
		}
	}
	return strings.Join(parts, "/")
}

func (s *source) query(op operation, wrong bool) string {
	values, spoil := url.Values{}, -1
	parameters := op.parameters("query")
	if wrong && len(parameters) > 0 {
		spoil = s.IntN(len(parameters))
	}
	for i, p := range parameters {
		if p["required"] == true || i == spoil || s.chance(s.rich/2) {
			values[p.text("name")] = s.parameter(p, i == spoil)
		}
	}
	raw := values.Encode()
	if wrong && s.chance(0.4) {
		raw = pick(s, raw+"&misspelt=true", raw+"&"+raw, raw+"&%zz=1", raw+";a=b", raw+"&=", raw+"&%FF=%FF", raw+"&%00=1", raw+"&DRY_RUN=true", "&&&"+raw)
	}
	return raw
}

func (s *source) headers(op operation, into http.Header, wrong bool) {
	parameters, spoil := op.parameters("header"), -1
	if wrong {
		spoil = s.IntN(len(parameters))
	}
	for i, p := range parameters {
		if name := p.text("name"); p["required"] == true || i == spoil || s.chance(s.rich/3) {
			into.Set(name, inHeader(strings.Join(s.parameter(p, i == spoil), "")))
		}
	}
	if into.Get("Idempotency-Key") != "" && !wrong && s.chance(0.9) {
		into.Set("Idempotency-Key", fmt.Sprint("generated ", s.Uint64()))
	}
}

// inHeader is a text as a server lets it through.
func inHeader(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text[:min(len(text), 2000)]))
}

// body makes a body, and says of which media type.
func (s *source) body(op operation, wrong bool) (body []byte, media string) {
	content := op.at("requestBody", "content")
	if len(content) == 0 {
		return nil, ""
	}
	media = pick(s, slices.Sorted(maps.Keys(content))...)
	schema := content.at(media, "schema")
	if s.rich == 0 && op.at("requestBody")["required"] != true && !wrong && s.chance(0.5) {
		return nil, ""
	}
	make := s.valid
	if wrong {
		make = s.broken
	}
	if schema.text("type") == "string" {
		return []byte(content.at(media, "examples", "file").text("value")), media
	}
	v := make(schema, "")
	if examples := content.at(media, "examples"); len(examples) > 0 && !wrong && s.chance(0.4) {
		v = examples.at(pick(s, slices.Sorted(maps.Keys(examples))...))["value"]
	}
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if strings.HasSuffix(media, "ndjson") {
		more, _ := json.Marshal(s.valid(schema, ""))
		body = slices.Concat(more, []byte("\n"), body, []byte("\n"), more)
	}
	return body, media
}

// garbled breaks what a body is made of.
func (s *source) garbled(body []byte) []byte {
	at := s.IntN(len(body) + 1)
	return slices.Concat(pick(s,
		[][]byte{body[:at]},
		[][]byte{body[:at], {0xff}, body[at:]},
		[][]byte{body[:at], {0}, body[at:]},
		[][]byte{body[:at], []byte(pick(s, `"`, "{", "}", "]", ",", ":", "\\", "1", "null", "//")), body[at:]},
		[][]byte{body, body},
		[][]byte{[]byte("\ufeff"), body},
		[][]byte{bytes.Replace(body, []byte("{"), []byte(`{"kind":"sell","lines":[],"name":"x",`), 1)},
		[][]byte{bytes.Repeat([]byte("["), 20_000)},
		[][]byte{[]byte(`{"a":`), bytes.Repeat([]byte(`{"a":`), 5_000)},
	)...)
}

// learn keeps the texts of an answer.
func (s *source) learn(op operation, header http.Header, body []byte) {
	for line := range bytes.Lines(body) {
		var v any
		if json.Unmarshal(line, &v) == nil {
			s.learnFrom("", strings.Split(op.path, "/")[2], v)
		}
	}
	if etag := header.Get("ETag"); etag != "" {
		s.keep("If-Match", etag)
	}
}

func (s *source) learnFrom(name, of string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, field := range slices.Sorted(maps.Keys(v)) {
			s.learnFrom(field, of, v[field])
		}
	case []any:
		for _, item := range v[:min(len(v), 5)] {
			s.learnFrom(name, of, item)
		}
	case string:
		switch name {
		case "id":
			name = of + " id"
		case "next_page_token":
			name = "page_token"
		}
		if v != "" {
			s.keep(name, v)
		}
	}
}

func (s *source) keep(name, text string) {
	if known := s.known[name]; !slices.Contains(known, text) {
		s.known[name] = append(known, text)[max(0, len(known)-11):]
	}
	if name == "location" {
		s.known["from"], s.known["to"] = s.known[name], s.known[name]
	}
}

// generating says how long each database is asked, and by which seed: some seconds and the same one
// each time, or for STOCKYARD_FUZZ another one each time.
func generating(t *testing.T) (long time.Duration, seed uint64) {
	t.Helper()
	if seed, _ = strconv.ParseUint(os.Getenv("STOCKYARD_FUZZ_SEED"), 10, 64); seed == 0 {
		seed = 1
		if os.Getenv("STOCKYARD_FUZZ") != "" {
			seed = rand.Uint64()
		}
	}
	long, err := time.ParseDuration(os.Getenv("STOCKYARD_FUZZ"))
	switch {
	case err == nil:
		return long, seed
	case testing.Short():
		return time.Second, seed
	}
	return 10 * time.Second, seed
}

// Whatever is asked, whether the document allows it or not, the answer is in the document and is no
// fault of the server's; and what the document doesn't allow is refused.
func TestRequestsMadeFromTheDocument(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(o *service.Options, _ *httpapi.Options) { o.OnInternal = nil })
		long, seed := generating(t)
		s, succeeded, requests := newSource(seed), map[string]int{}, 0
		s.known["region"] = db.Topology.Names()
		p.demo(t)
		until := time.Now().Add(long)
		for time.Now().Before(until) && !t.Failed() {
			for _, op := range operations() {
				for range s.times(op) {
					if p.asks(t, s, s.request(op)) < 300 {
						succeeded[op.id]++
					}
					requests++
				}
			}
		}
		t.Logf("%d requests by STOCKYARD_FUZZ_SEED=%d; accepted of each operation: %v", requests, seed, succeeded)
		db.Verify(t)
	})
}

// demo makes what the document's examples are about.
func (p *pod) demo(t *testing.T) {
	t.Helper()
	for i, location := range []string{"new-york", "chicago", "rotterdam", "paris", "singapore", "sydney"} {
		p.put(t, "/v1/locations/"+location, fmt.Sprintf(`{"name": "x", "region": %q, "kind": "store", "country": "US"}`, p.Topology.Names()[i/2])).is(t, 201)
		for _, sku := range []string{"hoodie-black", "cap-sand", "belt-black", "belt-sand", "belt-olive", "boots-sand", "jeans-white", "tee-white", "socks-white"} {
			p.put(t, "/v1/products/"+sku, `{"name": "x"}`)
			p.receive(t, shelf{location, sku}, 40)
		}
	}
}

// times says how often an operation is asked for in a row: commands more often, and what takes away
// what others need, seldom.
func (s *source) times(op operation) int {
	switch op.method {
	case http.MethodPost:
		return 3
	case http.MethodDelete:
		return s.IntN(10) / 9
	}
	return 1
}

// asks sends a request and gives the status of the answer.
func (p *pod) asks(t *testing.T, s *source, q generated) int {
	t.Helper()
	w := httptest.NewRecorder()
	refereed(t, p.door).ServeHTTP(w, q.Request)
	// A caller in a hurry may be told that it was too short, or, where it passed during a commit,
	// that the outcome is unknown.
	if hurry := q.Header.Get("Request-Timeout") != "" && w.Code >= http.StatusServiceUnavailable; w.Code >= 500 && !hurry {
		t.Errorf("%s %s %v %.2000s\n-> %d %s", q.Method, q.URL, q.Header, q.body, w.Code, w.Body)
	}
	if w.Code < 300 {
		s.learn(q.op, w.Header(), w.Body.Bytes())
	}
	return w.Code
}
