package report

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func sample(t *testing.T, rows ...[]string) *Result {
	t.Helper()
	r := &Report{
		Name: "sample", Title: "A <sample> & more", Question: "How much?",
		Params: []Param{{Name: "limit", Type: Integer}, {Name: "region", Type: Text}},
		Columns: []Column{
			{Name: "place", Type: Text},
			{Name: "sold", Type: Integer, Unit: "units"},
			{Name: "share", Type: Decimal, Unit: "units"},
			{Name: "day", Type: Date},
			{Name: "at", Type: Time},
			{Name: "open", Type: Boolean},
		},
		Chart: &Chart{Kind: "bars", Label: "place", Values: []string{"sold", "share"}},
	}
	f := &Result{Report: r, Params: []string{"10", ""}, AsOf: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC), Rows: [][]Value{}}
	for _, cells := range rows {
		row := make([]Value, len(cells))
		for i, text := range cells {
			if text == "null" {
				continue
			}
			v, err := r.Columns[i].Read(text)
			if err != nil {
				t.Fatal(err)
			}
			row[i] = v
		}
		f.Rows = append(f.Rows, row)
	}
	return f
}

func (f *Result) as(t *testing.T, format string) string {
	t.Helper()
	var b strings.Builder
	if err := f.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var cells = [][]string{
	{"London", "170141183460469231731687303715884105728", "0.10", "2026-11-27", "2026-11-27 08:00:00.5+00", "t"},
	{"=1+1, \"x\"\ny", "-5", "null", "null", "null", "f"},
	{"null", "null", "-1.5", "0001-01-01", "2026-11-27 08:00:00+05:30", "null"},
}

func TestJSONIsExact(t *testing.T) {
	const want = `{"report":"sample","title":"A \u003csample\u003e \u0026 more","as_of":"2026-11-27T08:00:00Z","parameters":{"limit":10,"region":""},"more":false,"columns":` +
		`[{"name":"place","type":"text","about":""},{"name":"sold","type":"integer","unit":"units","about":""},{"name":"share","type":"decimal","unit":"units","about":""},` +
		`{"name":"day","type":"date","about":""},{"name":"at","type":"time","about":""},{"name":"open","type":"boolean","about":""}],"rows":[` + `
{"place":"London","sold":170141183460469231731687303715884105728,"share":0.10,"day":"2026-11-27","at":"2026-11-27T08:00:00.5Z","open":true},
{"place":"=1+1, \"x\"\ny","sold":-5,"share":null,"day":null,"at":null,"open":false},
{"place":null,"sold":null,"share":-1.5,"day":"0001-01-01","at":"2026-11-27T02:30:00Z","open":null}]}
`
	if got := sample(t, cells...).as(t, "json"); got != want || !json.Valid([]byte(got)) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := sample(t).as(t, "json"); !strings.HasSuffix(got, `"rows":[]}`+"\n") {
		t.Errorf("no rows are %s", got)
	}
}

// Texts that a spreadsheet would take for formulas are quoted; numbers below zero are numbers.
func TestCSVIsHarmless(t *testing.T) {
	got := sample(t, append(cells, []string{"-2", "-2", "-2", "null", "null", "null"})...).as(t, "csv")
	if strings.Count(got, "\r\n") != 6 { // one is within a cell
		t.Errorf("lines don't end as RFC 4180 says: %q", got)
	}
	records, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || len(records) != 5 {
		t.Fatalf("%v: %q", err, got)
	}
	if head := strings.Join(records[0], " "); head != "place sold share day at open" {
		t.Errorf("the header is %s", head)
	}
	if records[2][0] != "'=1+1, \"x\"\ny" || records[2][1] != "-5" || records[4][0] != "'-2" || records[4][1] != "-2" || records[3][1] != "" {
		t.Errorf("rows are %q", records)
	}
}

func TestTableIsAligned(t *testing.T) {
	got := sample(t, []string{"Málaga", "5", "0.10", "2026-11-27", "null", "t"}, []string{"x\x1b[2J\ny", "-1234567", "null", "null", "null", "f"}).as(t, "table")
	const want = `A <sample> & more, as of 2026-11-27T08:00:00Z

place        sold  share  day         at  open
-------  --------  -----  ----------  --  -----
Málaga          5   0.10  2026-11-27  -   true
x [2J y  -1234567      -  -           -   false

2 rows
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestWhatTheHeaderDoesNotSayIsRefused(t *testing.T) {
	for kind, text := range map[Type]string{Integer: "1.5", Decimal: "NaN", Date: "infinity", Time: "infinity", Boolean: "yes"} {
		if v, err := (Column{Name: "x", Type: kind}).Read(text); err == nil {
			t.Errorf("%s took %q as %v", kind, text, v)
		}
	}
}

// Numbers come in all their digits, however the database writes them.
func TestNumbersArePlain(t *testing.T) {
	for _, c := range []struct {
		kind       Type
		text, want string
	}{
		{Integer, "12.00", "12"},
		{Integer, "-0", "0"},
		{Integer, "1E+20", "100000000000000000000"},
		{Integer, "1.5e3", "1500"},
		{Decimal, "-0.00", "0.00"},
		{Decimal, "1.50", "1.50"},
		{Decimal, "-1.25E-3", "-0.00125"},
		{Decimal, "9223372036854775808.000001", "9223372036854775808.000001"},
	} {
		if v, err := (Column{Type: c.kind}).Read(c.text); err != nil || v.Text != c.want {
			t.Errorf("%s %s is %v, %v", c.kind, c.text, v, err)
		}
	}
}

// A chart is well-formed whatever the rows are, says what it shows to those who don't see it, and
// draws nothing outside of the picture.
func TestChartsOfAnything(t *testing.T) {
	many := make([][]string, 1000)
	for i := range many {
		many[i] = []string{"a place with a very long name <" + strconv.Itoa(i) + ">", strconv.Itoa((i % 37) - 9), strconv.Itoa(i), "null", "null", "null"}
	}
	for name, rows := range map[string][][]string{
		"none": nil, "one": many[10:11], "nulls": {{"null", "null", "null", "null", "null", "null"}}, "few": many[:8], "many": many,
		"zeros": {{"a", "0", "0", "null", "null", "null"}}, "huge": {{"a", "9" + strings.Repeat("0", 300), "-9" + strings.Repeat("0", 300), "null", "null", "null"}},
		"beyond": {{"a", "9" + strings.Repeat("0", 400), "1", "null", "null", "null"}},
	} {
		for _, kind := range []string{"bars", "lines"} {
			f := sample(t, rows...)
			f.Report.Chart.Kind = kind
			svg := f.as(t, "svg")
			if dir := os.Getenv("CHARTS"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+"-"+kind+".svg"), []byte(svg), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			wellFormed(t, name+" "+kind, svg)
		}
	}
}

func wellFormed(t *testing.T, name, svg string) {
	t.Helper()
	elements := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v: %.300s", name, err, svg)
		}
		e, is := token.(xml.StartElement)
		if !is {
			continue
		}
		elements[e.Name.Local]++
		for _, a := range e.Attr {
			n, err := strconv.ParseFloat(a.Value, 64)
			if err == nil && a.Name.Local != "font-weight" && !(n >= 0 && n <= chartWidth) {
				t.Errorf("%s: %s has %s=%s", name, e.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	if !strings.Contains(svg, `role="img"`) || !strings.Contains(svg, "<title id=\"title\">A &lt;sample&gt; &amp; more</title>") || elements["desc"] != 1 || elements["script"] != 0 {
		t.Errorf("%s: %v: %.300s", name, elements, svg)
	}
}
