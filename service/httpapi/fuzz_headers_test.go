package httpapi_test

import (
	"strings"
	"testing"
)

// An idempotency key is taken as it is, or refused: what is taken once is known the second time.
func FuzzIdempotencyKeys(f *testing.F) {
	p := fuzzed(f)
	p.put(f, "/v1/products/a", `{"name": "x"}`).is(f, 201)
	p.put(f, "/v1/locations/l", `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB"}`).is(f, 201)
	for _, key := range []string{"", " ", "order 17", "~", strings.Repeat("k", 255), strings.Repeat("k", 256), "clé", "\xff", "a\x00b", "a\x1f1", "'; --"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		want := 201
		if len(key) == 0 || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
			want = 400
		}
		body := shelf{"l", "a"}.movement("receive", 1)
		for range 2 {
			if got := p.answers(t, "POST", "/v1/movements", body, "Idempotency-Key", key); got != want {
				t.Errorf("key %q: %d, want %d", key, got, want)
			}
		}
		if want == 201 {
			if got := p.answers(t, "POST", "/v1/movements", shelf{"l", "a"}.movement("receive", 2), "Idempotency-Key", key); got != 422 {
				t.Errorf("key %q with another body: %d", key, got)
			}
		}
	})
}

func FuzzIfMatch(f *testing.F) {
	p := fuzzed(f)
	for _, etag := range []string{"", "*", `"1"`, `W/"1"`, `"01"`, `"9223372036854775808"`, ` "1" `, `"-1"`, `"1", "2"`, "\xff", `"١"`} {
		f.Add(etag)
	}
	f.Fuzz(func(t *testing.T, etag string) {
		p.answers(t, "PATCH", "/v1/products/none", `{"name": "x"}`, "If-Match", etag)
	})
}

// FuzzQueries asks every operation that reads with any query.
func FuzzQueries(f *testing.F) {
	p := fuzzed(f)
	p.put(f, "/v1/products/a", `{"name": "x"}`).is(f, 201)
	p.put(f, "/v1/locations/l", `{"name": "x", "region": "us-east1", "kind": "store", "country": "GB"}`).is(f, 201)
	var paths []string
	for _, op := range operations() {
		if op.method == "GET" && op.id != "verify" {
			paths = append(paths, strings.NewReplacer("{location}", "l", "{sku}", "a", "{channel}", "c", "{id}", "us-east1.00000000000000000000000000").Replace(op.path))
		}
	}
	for i := range paths {
		for _, query := range []string{
			"", "page_size=1&page_token=", "page_size=0", "sku=a&sku=b", "min_version=%2B1", "min_version=-0", "available_below=007", "consistency=", "max_staleness=5s",
			"as_of=2026-01-01T00:00:00Z&axis=effective", "as_of=2026-01-01t00:00:00z", "as_of=0000-01-01T0:00:00Z", "as_of=2026-01-01T00:00:00,5Z", "since=0001-01-01T00:00:00Z", "status=held", "region=", "location=%FF", "query=%00", "a=b;c=d", "%", "=", "&&", "dry_run=true",
		} {
			f.Add(i, query)
		}
	}
	f.Fuzz(func(t *testing.T, path int, query string) {
		if strings.ContainsAny(query, "#") || strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Skip("no query that a server lets through")
		}
		p.answers(t, "GET", paths[(path%len(paths)+len(paths))%len(paths)]+"?"+query, "")
	})
}
