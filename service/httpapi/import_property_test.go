package httpapi_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"stockyard/service"
	"stockyard/service/httpapi"
)

// randomProduct is a row of a file; "" leaves a field out. Few values: rows shall often be equal.
func randomProduct(r *rand.Rand, sku string) map[string]string {
	row := map[string]string{"sku": sku}
	for column, values := range map[string][]string{
		"name":        {"Mug", "Mug", "mug, \"large\"", "Tea\nfor two", ""},
		"description": {"", "long,\r\nlong", "\t"},
		"unit":        {"", "piece", strings.Repeat("x", 33)},
		"barcode":     {"", "12", "012"},
		"category":    {"", "Küche"},
		"unit_cost":   {"", "12.5", "12.50", "1,5"},
		"currency":    {"GBP", "GBP", "gbp"},
		"attributes.": {"", "red", "blue"},
	} {
		if v := values[r.IntN(len(values))]; v != "" && (column != "currency" || row["unit_cost"] != "") {
			row[column] = v
		}
	}
	if row["unit_cost"] != "" && row["currency"] == "" {
		row["currency"] = "EUR"
	}
	if row["unit_cost"] == "" {
		delete(row, "currency")
	}
	if r.IntN(3) > 0 {
		row["name"] = "Mug"
		delete(row, "unit")
		delete(row, "description")
	}
	return row
}

// body is a row as a PUT's body.
func body(t *testing.T, row map[string]string, sku bool) string {
	t.Helper()
	v := map[string]any{}
	for column, text := range row {
		switch column {
		case "sku":
			if sku {
				v["sku"] = text
			}
		case "unit_cost":
			v["unit_cost"] = map[string]string{"amount": text, "currency": row["currency"]}
		case "currency":
		case "attributes.":
			v["attributes"] = map[string]string{"colour": text}
		default:
			v[column] = strings.ReplaceAll(text, "\r\n", "\n") // as CSV has it
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func fileOf(t *testing.T, media string, rows []map[string]string) string {
	t.Helper()
	var b strings.Builder
	if media == asJSON {
		for _, row := range rows {
			b.WriteString(body(t, row, true) + "\n")
		}
		return b.String()
	}
	columns := []string{"sku", "name", "description", "unit", "barcode", "category", "unit_cost", "currency", "attributes."}
	w := csv.NewWriter(&b)
	_ = w.Write(append(slices.Clone(columns[:8]), "attributes.colour"))
	for _, row := range rows {
		cells := make([]string, len(columns))
		for i, column := range columns {
			cells[i] = row[column]
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return b.String()
}

// An import comes to the same as PUTs of its rows one by one, of those that change something.
func TestImportIsManyPUTs(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		r := rand.New(rand.NewPCG(7, 11))
		for range 6 {
			media := []string{asCSV, asJSON}[r.IntN(2)]
			byFile, byHand := name("file"), name("hand")
			for _, prefix := range []string{byFile, byHand} {
				p.put(t, "/v1/products/"+prefix+"-0", `{"name": "Mug"}`).is(t, 201)
				p.do(t, "DELETE", "/v1/products/"+prefix+"-0", "").is(t, 204)
			}
			var rows []map[string]string
			var want []string
			for range 60 {
				row := randomProduct(r, fmt.Sprintf("%s-%d", byFile, r.IntN(12)))
				rows = append(rows, row)
				want = append(want, p.putUnlessEqual(t, strings.Replace(row["sku"], byFile, byHand, 1), body(t, row, false), media))
			}
			p.imports(t, media, fileOf(t, media, rows), "").is(t, want...)
			for i := range 12 {
				one, other := p.fields(t, fmt.Sprintf("%s-%d", byFile, i)), p.fields(t, fmt.Sprintf("%s-%d", byHand, i))
				if one != other {
					t.Errorf("the import made\n%s\nand PUT\n%s", one, other)
				}
			}
		}
	})
}

// putUnlessEqual does what a row of an import does, and says what became of it.
func (p *pod) putUnlessEqual(t *testing.T, sku, body, media string) string {
	t.Helper()
	before := p.fields(t, sku)
	a := p.put(t, "/v1/products/"+sku, body)
	switch a.status {
	case 201:
		return "created"
	case 400:
		said := "refused"
		for i := range a.list(t, "errors") {
			field := a.text(t, "errors", i, "field")
			if media == asCSV {
				field = strings.NewReplacer("unit_cost.amount", "unit_cost", "unit_cost.currency", "currency").Replace(field)
			}
			said += " " + field
		}
		return said
	}
	after := p.fields(t, sku)
	if withoutVersion(before) != withoutVersion(after) {
		return "updated"
	}
	// PUT made a version all the same, which an import doesn't.
	p.Exec(t, fmt.Sprintf("UPDATE products SET version = version - 1 WHERE sku = '%s'", sku))
	return "unchanged"
}

// fields gives what callers see of a product, but for its name and times.
func (p *pod) fields(t *testing.T, sku string) string {
	t.Helper()
	a := p.get(t, "/v1/products/"+sku)
	if a.status == 404 {
		return ""
	}
	fields := a.is(t, 200).json.(map[string]any)
	for _, other := range []string{"sku", "created_at", "updated_at"} {
		delete(fields, other)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func withoutVersion(fields string) string { return fields[:max(strings.Index(fields, `"version"`), 0)] }

// Nobody's rows are lost for another's: what the database itself refuses is told apart row by row.
func TestImportRefusesOnlyTheRowThatTheDatabaseRefuses(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		p = start(t, p.DB, america, func(o *service.Options, _ *httpapi.Options) { o.OnInternal = nil })
		p.Exec(t, "ALTER TABLE products ADD CONSTRAINT not_this_one CHECK (name <> 'poison')")
		got := p.imports(t, asCSV, "sku,name\na,x\nb,poison\nc,x\nb,y\n", "").is(t, "created", "refused", "created", "created")
		if got.rows[1].Problem.Type != "/problems/internal" || strings.Contains(got.raw, "not_this_one") {
			t.Errorf("answer is %s", got.raw)
		}
	})
}

func TestImportsAtOnceAreFew(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		var all []*sending
		for range service.MaxImports {
			s := p.sends(t, products(name("many"), 0, 1), "")
			s.next(t, 1)
			all = append(all, s)
		}
		p.post(t, "/v1/products/import", "{}", "Content-Type", asJSON).problem(t, 503, "overloaded")
		for _, s := range all {
			_ = s.Close()
			if end := readImported(t, s.answer); !end.summary.Complete {
				t.Errorf("one of those before: %s", end.raw)
			}
		}
	})
}

func TestImportIsInTheAuditLog(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		id := name("request")
		for _, query := range []string{"?dry_run=true", "?results=errors"} {
			q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/products/import"+query, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Content-Type", asJSON)
			q.Header.Set("X-Request-Id", id)
			r, err := p.client.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			readImported(t, json.NewDecoder(r.Body)).is(t, "refused sku name")
			_ = r.Body.Close()
		}
		log := p.get(t, "/v1/audit-log?request_id="+id).is(t, 200)
		if len(log.list(t, "items")) != 1 || log.text(t, "items", 0, "operation") != "import_products" || log.int(t, "items", 0, "after", "refused") != 1 {
			t.Errorf("audit log: %s", log.raw)
		}
	})
}

// FuzzImport: every row is accounted for, and none is the server's fault.
func FuzzImport(f *testing.F) {
	p := fuzzed(f)
	for _, file := range []string{
		"sku,name,unit_cost,currency,attributes.a\na,\"x,\"\"y\",1.5,GBP,\xff\n\"b\nc\",d,,,\n", "\xef\xbb\xbfsku,name\r\n\"a\"b,c\r\n\r\na,\"b", "sku,name,description\n,,\na,\x00,b\n\"", "name,sku\n\r\n\"\r\n\",\"\"\"\"",
	} {
		f.Add(true, file)
	}
	for _, file := range []string{
		`{"sku":"a","name":"b","attributes":{"x":[{}]}}` + "\n\r\n{}\n{\n[1]\nnull\n", `{"sku":"\u0000","name":"\ud800"}`, "\xef\xbb\xbf\xef\xbb\xbf{}", `{"sku":"a","name":"b","attributes":{"x":1e999}}`, `{"sku":"a","name":"b","attributes":{"":"\u0000"}}`,
	} {
		f.Add(false, file)
	}
	f.Fuzz(func(t *testing.T, isCSV bool, file string) {
		media := asJSON
		if isCSV {
			media = asCSV
		}
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://stockyard/v1/products/import", strings.NewReader(file))
		q.Header.Set("Content-Type", media)
		answer := httptest.NewRecorder()
		p.door.ServeHTTP(answer, q)
		if isCSV && answer.Code == 400 {
			return
		}
		got := readImported(t, json.NewDecoder(answer.Body))
		lines := 0
		for line := range strings.SplitSeq(strings.TrimPrefix(file, "\xef\xbb\xbf"), "\n") {
			if strings.TrimRight(line, "\r") != "" {
				lines++
			}
		}
		if !got.summary.Complete || len(got.rows) != got.summary.Rows || got.summary.Rows > lines || !isCSV && got.summary.Rows != lines {
			t.Errorf("%q has %d lines: %s", file, lines, got.raw)
		}
		for i, row := range got.rows {
			if row.Row != i+1 || row.Line < row.Row || row.Status == "refused" && row.Problem.Type != "/problems/invalid-request" {
				t.Errorf("%q: %+v", file, row)
			}
		}
	})
}
