package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func parametersThatAreWrong(t *testing.T, p *pod) {
	s := p.shelf(t, 10)
	r := p.reserve(t, s, 1)
	p.put(t, "/v1/channels/web", `{"name": "Web", "kind": "web"}`)
	skus := strings.Repeat("&sku="+s.sku, 501)
	cases := []bad{
		invalid("several at once", "GET", "/v1/stock?sku=%20a&location=%21&available_below=x&page_size=0&consistency=soon&max_staleness=-1s&min_version=-1&nope=1", "",
			"sku", "location", "available_below", "page_size", "consistency", "max_staleness", "min_version", "nope"),
		invalid("query that can't be read", "GET", "/v1/stock?sku=%zz", "", "query"),
		invalid("semicolons", "GET", "/v1/stock?sku=a;location=b", "", "query"),
		invalid("name of bad UTF-8", "GET", "/v1/stock?%FF=1", "", "\ufffd"),
		invalid("search of 1001 characters", "GET", "/v1/products?query="+strings.Repeat("x", 1001), "", "query"),
		invalid("below what?", "GET", "/v1/stock?available_below=", "", "available_below"),
		invalid("below 1.5", "GET", "/v1/stock?available_below=1.5", "", "available_below"),
		invalid("below int64", "GET", "/v1/stock?available_below=9223372036854775808", "", "available_below"),
		invalid("events after -1", "GET", s.path()+"/events?after_version=-1", "", "after_version"),
		invalid("events after x", "GET", s.path()+"/events?after_version=x", "", "after_version"),
		invalid("status", "GET", "/v1/reservations?status=open", "", "status"),
		invalid("no SKU", "GET", "/v1/availability", "", "sku"),
		invalid("empty SKU", "GET", "/v1/availability?sku=", "", "sku"),
		invalid("report with all that is wrong", "GET", "/v1/reports/sales_by_day?from=yesterday&to=2026-02-30&limit=0&max_staleness=2h&colour=a", "", "from", "to", "limit", "max_staleness", "colour"),
		invalid("report with a limit that is too high", "GET", "/v1/reports/sales_by_day?limit=100001", "", "limit"),
		invalid("report in no format", "GET", "/v1/reports/sales_by_day?format=xls", "", "format"),
		{about: "no such report", method: "GET", path: "/v1/reports/weather", status: 404, kind: "not-found"},
		{about: "501 SKUs", method: "GET", path: "/v1/availability?" + skus[1:], status: 422, kind: "over-limit", fields: []string{"sku"}},
	}
	for _, flag := range []string{"1", "yes", "TRUE", "", "true&dry_run=true", "true&dryrun=1"} {
		field := "dry_run"
		if strings.Contains(flag, "dryrun") {
			field = "dryrun"
		}
		cases = append(cases, invalid("dry_run="+flag, "POST", "/v1/movements?dry_run="+flag, s.movement("sell", 1), field))
	}
	cases = append(cases, invalid("bare dry_run", "POST", r+"/release?dry_run", "", "dry_run"), invalid("misspelt dry_run", "POST", r+"/confirm?dry-run=true", "", "dry-run"))
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/v1/products", ""},
		{"GET", "/v1/products/" + s.sku, ""},
		{"PUT", "/v1/products/" + s.sku, `{"name": "x"}`},
		{"PATCH", "/v1/products/" + s.sku, `{"name": "x"}`},
		{"DELETE", "/v1/products/" + s.sku, ""},
		{"GET", "/v1/locations", ""},
		{"GET", "/v1/locations/" + s.location, ""},
		{"PATCH", "/v1/locations/" + s.location, `{"name": "x"}`},
		{"DELETE", "/v1/locations/" + s.location, ""},
		{"GET", "/v1/channels", ""},
		{"GET", "/v1/channels/web", ""},
		{"PATCH", "/v1/channels/web", `{"name": "x"}`},
		{"DELETE", "/v1/channels/web", ""},
		{"GET", "/v1/regions", ""},
		{"GET", s.path(), ""},
		{"GET", s.path() + "/events", ""},
		{"GET", "/v1/stock", ""},
		{"GET", "/v1/reservations", ""},
		{"GET", r, ""},
		{"POST", "/v1/movements", s.movement("sell", 1)},
		{"POST", "/v1/movements/batch", `{"movements": [` + s.movement("sell", 1) + `]}`},
		{"POST", "/v1/reservations", s.reservation(1)},
		{"POST", "/v1/reservations/batch", `{"reservations": [` + s.reservation(1) + `]}`},
		{"POST", r + "/confirm", ""},
		{"POST", r + "/extend", `{"expires_in": "5m"}`},
		{"POST", r + "/release", ""},
		{"POST", r + "/fulfil", ""},
		{"GET", "/v1/verify", ""},
		{"GET", "/v1/reports", ""},
		{"GET", "/v1/reports/sales_by_day", ""},
	} {
		cases = append(cases, invalid("unknown parameter of "+c.method+" "+c.path, c.method, c.path+"?dry_rum=true", c.body, "dry_rum"))
	}
	for _, list := range []string{"/v1/products", "/v1/locations", "/v1/channels", "/v1/stock", s.path() + "/events", "/v1/reservations"} {
		for _, size := range []string{"0", "-1", "1001", "abc", "", "1.5", "9223372036854775808", "1&page_size=2"} {
			cases = append(cases, invalid(list+"?page_size="+size, "GET", list+"?page_size="+size, "", "page_size"))
		}
		for _, token := range badTokens {
			cases = append(cases, invalid(list+"?page_token="+token[:min(len(token), 30)], "GET", list+"?page_token="+token, "", "page_token"))
		}
	}
	p.refuses(t, append(cases, badHeaders(s, r)...))
}

// badTokens are page tokens that no list gave.
var badTokens = []string{
	"x", "%00", "%21%21%21", "a%20b", strings.Repeat("A", 2000), encode(`null`), encode(`{}`), encode(`[]`), encode(`"a"`), encode(`1`), encode(`{"after": {}}`), encode(`{"after": "\u0000"}`), encode(`{"After": "a"}`),
	encode(`{"region": "moon", "sku": "a", "location": "b"}`), encode(`{"region": "us-east1", "sku": "\u0000", "location": "b"}`), encode(`{"id": "us-east1.x"}`), encode("{\"after\": \"\xff\"}"), encode(`{"after": "a"}x`),
	base64.StdEncoding.EncodeToString([]byte(`{"after": "?>?>"}`)), encode(`{"id": "moon.00000000000000000000000000", "expires": "2026-01-01T00:00:00Z"}`),
}

func encode(cursor string) string { return base64.RawURLEncoding.EncodeToString([]byte(cursor)) }

func badHeaders(s shelf, reservation string) (cases []bad) {
	with := func(c bad, headers ...string) bad {
		c.headers = headers
		c.about += " " + strings.Join(headers, ": ")
		c.about = c.about[:min(len(c.about), 80)]
		return c
	}
	product := "/v1/products/" + s.sku
	for _, c := range []struct{ path, body string }{
		{"/v1/movements", s.movement("receive", 1)},
		{"/v1/reservations", s.reservation(1)},
		{reservation + "/confirm", ""},
		{reservation + "/extend", `{"expires_in": "5m"}`},
		{reservation + "/release", ""},
		{reservation + "/fulfil", ""},
		{"/v1/movements/batch", `{"movements": [` + s.movement("receive", 1) + `]}`},
		{"/v1/movements/batch", `{"on_error": "abort", "movements": [` + s.movement("receive", 1) + `]}`},
		{"/v1/reservations/batch", `{"reservations": [` + s.reservation(1) + `]}`},
		{"/v1/reservations/batch", `{"on_error": "abort", "reservations": [` + s.reservation(1) + `]}`},
	} {
		for _, key := range []string{"", strings.Repeat("k", 256), "clé", "k\xff", "a\tb"} {
			cases = append(cases, with(invalid(c.path, "POST", c.path, c.body, "Idempotency-Key"), "Idempotency-Key", key))
		}
	}
	for _, etag := range []string{"1", "x", `"x"`, `"1`, `'1'`, "`1`", `"-1"`, `"9223372036854775808"`, `"1", "2"`, `""`, `"1.0"`, `"\u0031"`, `W/1`} {
		cases = append(cases,
			with(invalid("put", "PUT", product, `{"name": "x"}`, "If-Match"), "If-Match", etag),
			with(invalid("patch", "PATCH", "/v1/locations/"+s.location, `{"name": "x"}`, "If-Match"), "If-Match", etag),
			with(invalid("archive", "DELETE", "/v1/channels/web", "", "If-Match"), "If-Match", etag))
	}
	for _, timeout := range []string{"soon", "0", "0s", "-1s", "-5", "NaN", "-Inf", "Inf", "1e3", "+5", "0x1p4", "1_0", "1 s", "5m5", "1e-300"} {
		cases = append(cases, with(invalid("move", "POST", "/v1/movements", s.movement("receive", 1), "Request-Timeout"), "Request-Timeout", timeout),
			with(invalid("read", "GET", s.path(), "", "Request-Timeout"), "Request-Timeout", timeout))
	}
	with = func(c bad, headers ...string) bad {
		c.headers, c.about = headers, c.method+" with "+strings.Join(headers, " ")
		return c
	}
	put := func(fields ...string) bad { return invalid("", "PUT", product, `{"name": "x"}`, fields...) }
	move := func(fields ...string) bad {
		return invalid("", "POST", "/v1/movements", s.movement("receive", 1), fields...)
	}
	return append(cases,
		with(put("If-None-Match"), "If-None-Match", `"1"`), with(put("If-None-Match"), "If-None-Match", "*", "If-Match", `"1"`),
		with(put("If-Unmodified-Since"), "If-Unmodified-Since", "Thu, 26 Nov 2026 08:00:00 GMT"), with(put("Content-Encoding"), "Content-Encoding", "gzip"),
		with(move("If-Match"), "If-Match", `"1"`), with(move("If-None-Match"), "If-None-Match", "*"), with(move("Content-Encoding"), "Content-Encoding", "br"),
		with(invalid("", "DELETE", product, "", "If-None-Match"), "If-None-Match", "*"),
		with(invalid("", "PATCH", product, `{"name": "x"}`, "If-None-Match"), "If-None-Match", "*"),
		with(move("Idempotency-Key"), "Idempotency-Key", "a\nb"), with(put("If-Match"), "If-Match", "\"1\"\n\"2\""), with(move("Request-Timeout"), "Request-Timeout", "5s\n6s"),
	)
}

func limits(t *testing.T, p *pod) {
	s := p.shelf(t, 10)
	r := p.reserve(t, s, 1)
	lines := func(n int, line string) string { return strings.TrimSuffix(strings.Repeat(line+",", n), ",") }
	over := func(about, path, body string, fields ...string) bad {
		return bad{about: about, method: "POST", path: path, body: body, status: 422, kind: "over-limit", fields: fields}
	}
	large := func(method, path string) bad {
		return bad{about: method + " of more than 1 MiB", method: method, path: path, status: 413, kind: "too-large", body: `{"name": "` + strings.Repeat("x", 1<<20) + `"}`}
	}
	one := s.line(1)
	p.refuses(t, []bad{
		over("1001 lines of a movement", "/v1/movements", `{"kind": "receive", "lines": [`+lines(1001, one)+`]}`, "lines"),
		over("1001 lines of a reservation", "/v1/reservations", `{"lines": [`+lines(1001, one)+`]}`, "lines"),
		over("1001 lines of a release", r+"/release", `{"lines": [`+lines(1001, `{"line": 1}`)+`]}`, "lines"),
		over("1001 movements", "/v1/movements/batch", `{"movements": [`+lines(1001, s.movement("receive", 1))+`]}`, "movements"),
		over("1001 reservations", "/v1/reservations/batch", `{"on_error": "abort", "reservations": [`+lines(1001, s.reservation(1))+`]}`, "reservations"),
		over("10,001 lines of a batch", "/v1/movements/batch", `{"on_error": "abort", "movements": [`+lines(11, `{"kind": "receive", "lines": [`+lines(910, one)+`]}`)+`]}`, "movements"),
		large("PUT", "/v1/products/"+s.sku), large("PATCH", "/v1/products/"+s.sku), large("PUT", "/v1/locations/"+s.location), large("PATCH", "/v1/channels/web"),
		large("POST", "/v1/movements"), large("POST", "/v1/reservations"), large("POST", r+"/confirm"), large("POST", r+"/fulfil"),
	})
	a := p.post(t, "/v1/movements", `{"kind": "receive", "lines": [`+lines(1000, one)+`]}`).is(t, 201)
	if n := len(a.list(t, "lines")); n != 1000 || a.int(t, "lines", 999, "level", "on_hand") != 1010 {
		t.Errorf("%d lines were answered", n)
	}
	a = p.post(t, "/v1/reservations", `{"lines": [`+lines(1000, one)+`]}`).is(t, 201)
	if n := len(a.list(t, "lines")); n != 1000 {
		t.Errorf("%d lines were answered", n)
	}
	if got := p.balances(t, s); got != "on_hand 1010 held 1001 allocated 0 quarantined 0 shortfall 0 available 9" {
		t.Error(got)
	}
	a = p.post(t, "/v1/movements/batch", `{"movements": [`+lines(1000, s.movement("receive", 1))+`]}`).is(t, 200)
	if n := len(a.list(t, "items")); n != 1000 || p.get(t, s.path()).int(t, "on_hand") != 2010 {
		t.Errorf("%d items were answered: %s", n, p.balances(t, s))
	}
	p.get(t, "/v1/availability?"+strings.Repeat("&sku="+s.sku, 500)[1:]).is(t, 200)
	for _, sku := range []string{strings.Repeat("s", 64), strings.Repeat("%E8%8C%B6", 64)} {
		p.put(t, "/v1/products/"+sku, fmt.Sprintf(`{"name": %q}`, strings.Repeat("é", 255))).is(t, 201)
	}
}
