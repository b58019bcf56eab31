package httpapi_test

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"
)

// raw gets what is no JSON, and says of which type.
func (p *pod) raw(t *testing.T, path, accept string) (body, media string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Accept", accept)
	r, err := p.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	raw, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || r.Header.Get("Stock-As-Of") == "" {
		t.Fatalf("%s: %d, %v: %s", path, r.StatusCode, err, raw)
	}
	return string(raw), r.Header.Get("Content-Type")
}

func TestReportsAreListedWithWhatTheyTakeAndGive(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a := p.get(t, "/v1/reports").is(t, 200)
		for i := range a.list(t, "items") {
			if a.text(t, "items", i, "name") != "stock_on_hand" {
				continue
			}
			if a.text(t, "items", i, "parameters", 0, "name") != "region" || a.text(t, "items", i, "columns", 3, "unit") != "units" || a.text(t, "items", i, "chart", "kind") != "bars" {
				t.Errorf("it is %s", a.compact(t, "items", i))
			}
			return
		}
		t.Errorf("no stock_on_hand: %s", a.raw)
	})
}

// A report comes in the format that is asked for, by its name or in the Accept header.
func TestAReportInEveryFormat(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 7)
		path := "/v1/reports/stock_on_hand?max_staleness=0s&sku=" + s.sku
		a := p.get(t, path).is(t, 200)
		if a.int(t, "rows", 0, "on_hand") != 7 || a.text(t, "rows", 0, "location") != s.location || a.text(t, "parameters", "sku") != s.sku ||
			a.int(t, "parameters", "limit") != 1000 || a.text(t, "as_of") != a.header.Get("Stock-As-Of") {
			t.Errorf("JSON is %s", a.raw)
		}
		for _, c := range []struct{ more, accept, media, holds string }{
			{"&format=csv", "", "text/csv; charset=utf-8", s.location + "," + s.sku + ",7,0,0,0,0,7\r\n"},
			{"", "text/csv", "text/csv; charset=utf-8", "region,location,sku,on_hand"},
			{"", "text/html, image/svg+xml;q=0.9, */*", "image/svg+xml; charset=utf-8", "<title id=\"title\">Stock on hand</title>"},
			{"", "text/csv;q=0.5, text/plain;q=0.8, image/svg+xml;q=0", "text/plain; charset=utf-8", "1 row\n"},
			{"&format=svg", "text/csv", "image/svg+xml; charset=utf-8", ">" + s.sku + ", on_hand: 7<"},
			{"&format=table", "application/json", "text/plain; charset=utf-8", "1 row\n"},
			{"", "text/html", "application/json", `"rows":[`},
		} {
			body, media := p.raw(t, path+c.more, c.accept)
			if media != c.media || !strings.Contains(body, c.holds) {
				t.Errorf("%s as %s: %s: %s", c.more, c.accept, media, body)
			}
		}
	})
}

// A SKU that a spreadsheet would run is text in its cell.
func TestAReportAsCSVRunsNothing(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := shelf{p.location(t, america), "=cmd|' /C calc'!" + name("a")}
		p.put(t, "/v1/products/"+strings.NewReplacer(" ", "%20", "/", "%2F", "|", "%7C").Replace(s.sku), `{"name": "x"}`).is(t, 201)
		p.receive(t, s, 1)
		body, _ := p.raw(t, "/v1/reports/stock_on_hand?max_staleness=0s&format=csv&location="+s.location, "")
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][2] != "'"+s.sku {
			t.Errorf("%v: %q", err, rows)
		}
	})
}
