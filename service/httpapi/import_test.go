package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	asCSV  = "text/csv"
	asJSON = "application/x-ndjson"
)

// imported is the answer to an import.
type imported struct {
	raw     string
	rows    []importedRow
	summary struct {
		Rows, Created, Updated, Unchanged, Refused int
		Complete                                   bool
	}
	problem struct{ Type, Detail, Instance string }
}

type importedRow struct {
	Row, Line   int
	SKU, Status string
	Problem     struct {
		Type   string
		Errors []struct{ Field, Message string }
	}
}

// imports imports a file that is taken in.
func (p *pod) imports(t testing.TB, contentType, file, query string) imported {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/products/import"+query, strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", contentType)
	r, err := p.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != asJSON {
		t.Fatalf("import: %d %v", r.StatusCode, r.Header)
	}
	return readImported(t, json.NewDecoder(r.Body))
}

// readImported reads an answer to its last line, and wants its numbers to agree.
func readImported(t testing.TB, d *json.Decoder) (got imported) {
	t.Helper()
	var all strings.Builder
	defer func() { got.raw = all.String() }()
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatalf("the answer has no summary: %v\n%s", err, all.String())
		}
		all.Write(append(raw, '\n'))
		var end struct{ Summary, Problem json.RawMessage }
		if err := json.Unmarshal(raw, &end); err != nil {
			t.Fatal(err)
		}
		if end.Summary == nil {
			var row importedRow
			if err := json.Unmarshal(raw, &row); err != nil {
				t.Fatal(err)
			}
			got.rows = append(got.rows, row)
			continue
		}
		if err := json.Unmarshal(end.Summary, &got.summary); err != nil {
			t.Fatal(err)
		}
		if end.Problem != nil {
			if err := json.Unmarshal(end.Problem, &got.problem); err != nil {
				t.Fatal(err)
			}
		}
		if d.More() {
			t.Errorf("something follows the summary: %s", all.String())
		}
		if s := got.summary; s.Created+s.Updated+s.Unchanged+s.Refused != s.Rows {
			t.Errorf("the summary doesn't add up: %+v", s)
		}
		return got
	}
}

// is wants what became of each row, such as "created", or "refused" with the fields named.
func (got imported) is(t testing.TB, rows ...string) imported {
	t.Helper()
	said := make([]string, len(got.rows))
	for i, r := range got.rows {
		said[i] = r.Status
		for _, e := range r.Problem.Errors {
			said[i] += " " + e.Field
		}
		if r.Row != i+1 {
			t.Errorf("row %d comes as the %d. one", r.Row, i+1)
		}
	}
	if strings.Join(said, "\n") != strings.Join(rows, "\n") {
		t.Errorf("the rows became\n%s\nwant\n%s\nin\n%s", strings.Join(said, "\n"), strings.Join(rows, "\n"), got.raw)
	}
	if got.summary.Rows != len(rows) || !got.summary.Complete {
		t.Errorf("summary %+v of %d rows", got.summary, len(rows))
	}
	return got
}

// version gives a product's version, 0 where there is none.
func (p *pod) version(t testing.TB, sku string) int64 {
	t.Helper()
	a := p.get(t, "/v1/products/"+sku)
	if a.status == http.StatusNotFound {
		return 0
	}
	return a.is(t, 200).int(t, "version")
}

func TestImportCSV(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b, c := name("csv"), name("csv"), name("csv")
		file := "\xef\xbb\xbfsku,name,description,unit,barcode,category,unit_cost,currency,attributes.colour,attributes.size\r\n" +
			a + ",\"Mug, large\",\"Two\r\nlines, and a \"\"quote\"\"\",piece,501,Kitchen,12.50,GBP,red,\r\n" +
			"\r\n" +
			b + ",Tea 1\",,,,,,,,\r\n" +
			c + ",Чай,,,,,,,,L"
		got := p.imports(t, asCSV+"; charset=UTF-8", file, "").is(t, "created", "refused row", "created")
		if got.rows[0].SKU != a || got.rows[0].Line != 2 || got.rows[1].Line != 5 || got.rows[2].Line != 6 {
			t.Errorf("lines of the file: %s", got.raw)
		}
		first := p.get(t, "/v1/products/"+a).is(t, 200)
		want := fmt.Sprintf(`{"sku":%q,"name":"Mug, large","description":"Two\nlines, and a \"quote\"","unit":"piece","barcode":"501","category":"Kitchen","unit_cost":{"amount":"12.50","currency":"GBP"},"attributes":{"colour":"red"},"version":1,`, a)
		if !strings.HasPrefix(first.raw, want) {
			t.Errorf("product is\n%s\nwant\n%s", first.raw, want)
		}
		if p.version(t, b) != 0 || p.get(t, "/v1/products/"+c).is(t, 200).text(t, "attributes", "size") != "L" {
			t.Error("the rows around the bad one are not what the file says")
		}
	})
}

func TestImportNDJSON(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b, c := name("json"), name("json"), name("json")
		row := func(sku, more string) string { return fmt.Sprintf(`{"sku":%q,"name":"Mug"%s}`, sku, more) }
		file := "\xef\xbb\xbf" + row(a, `,"unit_cost":{"amount":"1","currency":"EUR"},"attributes":{"n":1.5,"deep":{"list":[1,null,"x"]}}`) + "\r\n\n" +
			row(b, `,"colour":"red","unit":7,"barcode":null`) + "\n" +
			`{"sku":"x","name":` + "\n" + `[1]` + "\n" + row("b\xffd", "") + "\n" + `{"sku":"x","sku":"y","name":"z"}` + "\n" +
			`{"sku":" x","unit_cost":{"amount":"1,5","currency":"euro"}}` + "\n" + row(c, "")
		got := p.imports(t, asJSON, file, "").is(t, "created", "refused colour unit", "refused row", "refused row", "refused row", "refused row",
			"refused sku name unit_cost.amount unit_cost.currency", "created")
		if got.rows[0].Line != 1 || got.rows[1].Line != 3 || got.rows[7].Line != 9 {
			t.Errorf("lines of the file: %s", got.raw)
		}
		if first := p.get(t, "/v1/products/"+a).is(t, 200).raw; !strings.Contains(first, `"attributes":{"deep":{"list":[1,null,"x"]},"n":1.5}`) {
			t.Errorf("product is %s", first)
		}
		if p.version(t, c) != 1 || p.version(t, b) != 0 {
			t.Error("the rows around the bad ones are not what the file says")
		}
	})
}

func TestImportKeepsWhatIsThere(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b := name("again"), name("again")
		header := "sku,name,unit_cost,currency,attributes.colour\n"
		file := header + a + ",Mug,12.50,GBP,red\n" + b + ",Tea,0.000001,GBP,\n"
		p.imports(t, asCSV, file, "").is(t, "created", "created")
		p.imports(t, asCSV, file, "").is(t, "unchanged", "unchanged")
		if p.version(t, a) != 1 || p.version(t, b) != 1 {
			t.Error("rows that are there as they are given got another version")
		}
		for i, change := range [][2]string{{"red", "blue"}, {"12.50", "12.5"}, {"Mug", "mug"}, {"red", ""}} {
			p.imports(t, asCSV, strings.ReplaceAll(file, change[0], change[1]), "").is(t, "updated", "unchanged")
			if v := p.version(t, a); v != int64(i+2) {
				t.Errorf("after %v the version is %d", change, v)
			}
		}
		// An empty cell is a field left out, and like PUT an import replaces all fields.
		if last := p.get(t, "/v1/products/"+a).is(t, 200); last.has("attributes") {
			t.Errorf("product is %s", last.raw)
		}
	})
}

func TestImportRowsOfOneSKUTakeEffectInOrder(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b := name("twice"), name("twice")
		var file strings.Builder
		var want []string
		file.WriteString("sku,name\n")
		for i := range 1200 {
			fmt.Fprintf(&file, "%s,Mug %d\n%s,Tea\n", a, i, b)
			want = append(want, "updated", "unchanged")
		}
		want[0], want[1] = "created", "created"
		p.imports(t, asCSV, file.String(), "").is(t, want...)
		if last := p.get(t, "/v1/products/"+a).is(t, 200); last.text(t, "name") != "Mug 1199" || last.int(t, "version") != 1200 {
			t.Errorf("product is %s", last.raw)
		}
		if p.version(t, b) != 1 {
			t.Error("rows that change nothing made versions")
		}
	})
}

func TestImportBringsArchivedProductsBack(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 1)
		p.post(t, "/v1/movements", s.movement("scrap", 1, `, "reason": "x"`)).is(t, 201)
		p.do(t, "DELETE", "/v1/products/"+s.sku, "").is(t, 204)
		p.post(t, "/v1/movements", s.movement("receive", 1)).is(t, 409)
		file := "sku,name\n" + s.sku + ",Tea\n" + s.sku + ",Tea\n" + s.sku + ",Tea two\n"
		p.imports(t, asCSV, file, "?dry_run=true").is(t, "created", "created", "created")
		p.imports(t, asCSV, file, "").is(t, "created", "unchanged", "updated")
		if v := p.version(t, s.sku); v != 4 {
			t.Errorf("version %d: made, archived, brought back, changed", v)
		}
		p.receive(t, s, 5) // its stock levels take commands again
	})
}

func TestImportDryRunWritesNothing(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		there, other := p.product(t), name("dry")
		file := fmt.Sprintf("sku,name\n%s,Tea\n%s,Coffee\n%s,Tea\nbad\n", there, there, other)
		got := p.imports(t, asCSV, file, "?dry_run=true").is(t, "unchanged", "updated", "created", "refused row")
		if !strings.Contains(got.raw, `"dry_run":true`) {
			t.Errorf("the summary doesn't say that it was a dry run: %s", got.raw)
		}
		if p.version(t, there) != 1 || p.version(t, other) != 0 {
			t.Error("a dry run changed something")
		}
	})
}

func TestImportReportsOnlyRefusedRowsWhereAsked(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b := name("few"), name("few")
		got := p.imports(t, asCSV, "sku,name,unit_cost,currency\n"+a+",Tea,,\n"+b+",Tea,12,pounds\n"+b+",Tea,,\n", "?results=errors")
		if len(got.rows) != 1 || got.rows[0].Row != 2 || got.rows[0].SKU != b || got.rows[0].Problem.Type != "/problems/invalid-request" ||
			got.rows[0].Problem.Errors[0].Field != "currency" || got.summary.Rows != 3 || got.summary.Created != 2 {
			t.Errorf("answer is %s", got.raw)
		}
	})
}

func TestImportRefusesFilesAsAWhole(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		trace := name("whole")
		path := "/v1/products/import"
		for _, c := range []struct{ header, fields string }{
			{"name,unit\nx,y", "sku"},
			{"sku,price\n", "name price"},
			{"sku;name\n", "name sku sku;name"},
			{"sku,name,Unit,unit,unit\n", "Unit unit"},
			{"sku,name,attributes.,attributes.a,attributes.a\n", "attributes. attributes.a"},
			{"sku,name,\xff\n", "\ufffd"},
			{"sku,na\"me\n", "header"},
		} {
			p.post(t, path, c.header+"\n"+trace+",x", "Content-Type", asCSV).problem(t, 400, "invalid-request", strings.Fields(c.fields)...)
		}
		p.post(t, path, "\n", "Content-Type", asCSV).problem(t, 400, "invalid-request", "header")
		for _, media := range []string{"", "application/json", "application/x-www-form-urlencoded", "text/csv; charset=latin1", ";;"} {
			a := p.post(t, path, "sku,name\n"+trace+",x", "Content-Type", media).problem(t, 415, "unsupported-media-type")
			if detail := a.text(t, "detail"); !strings.Contains(detail, asCSV) || !strings.Contains(detail, asJSON) {
				t.Errorf("%s doesn't say what is taken", detail)
			}
		}
		p.post(t, path, "sku,name\n"+trace+",x", "Content-Type", asCSV, "Content-Encoding", "gzip").problem(t, 415, "unsupported-media-type")
		p.post(t, path+"?results=some&dry_run=1&page=2", "", "Content-Type", asCSV).problem(t, 400, "invalid-request", "dry_run", "page", "results")
		p.imports(t, asJSON, "\n\n", "").is(t)
		p.imports(t, asCSV, "sku,name\n", "").is(t)
		if p.version(t, trace) != 0 {
			t.Error("a refused file had an effect")
		}
	})
}
