package report

import (
	"strings"
	"testing"
	"time"
)

// Every file of sql/reports is well-formed.
func TestEveryReportIsWellFormed(t *testing.T) {
	reports, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(reports) == 0 {
		t.Fatal("there are no reports")
	}
	for _, r := range reports {
		found, is, err := Find(r.Name)
		if err != nil || !is || found != r {
			t.Errorf("%s is not found: %v", r.Name, err)
		}
	}
}

const heading = `-- A title.
--
-- What is
-- the question?
--
-- Parameters:
--   from    date = 30 days ago             First day.
--   since   time = now                     Moment.
--   region  text =                         Only this region.
--   place   text = LON                     Only this place.
--   sku     text                           Which one.
--   limit   integer = 1000 in 1..100000    Rows at most.
--   above   integer in 0..9                More than this.
-- Columns:
--   day    date            Day, UTC.
--   sold   integer, units  Units.
--   share  decimal         Of all.
-- Chart: lines day: sold, share
`

const statement = `SELECT day, sold, share FROM t -- :'nothing' of a comment; nor this
 WHERE day >= :'from'::date AND at > :'since'::timestamptz AND (:'region' = '' OR region = :'region') AND x <> ':''nope'' ;'
   AND place = :'place' AND sku = :'sku' AND n > :'above'::bigint LIMIT :'limit'::bigint;
`

func TestAHeaderSaysWhatAReportTakesAndGives(t *testing.T) {
	r, err := parse("title", heading+statement)
	if err != nil {
		t.Fatal(err)
	}
	if r.Title != "A title" || r.Question != "What is the question?" || len(r.Params) != 7 || len(r.Columns) != 3 {
		t.Errorf("got %+v", r)
	}
	for i, want := range []Param{
		{Name: "from", Type: Date, Default: "30 days ago", About: "First day."},
		{Name: "since", Type: Time, Default: "now", About: "Moment."},
		{Name: "region", Type: Text, About: "Only this region."},
		{Name: "place", Type: Text, Default: "LON", About: "Only this place."},
		{Name: "sku", Type: Text, Required: true, About: "Which one."},
		{Name: "limit", Type: Integer, Default: "1000", Bounded: true, Least: 1, Most: 100000, Bounds: "1..100000", About: "Rows at most."},
		{Name: "above", Type: Integer, Required: true, Bounded: true, Most: 9, Bounds: "0..9", About: "More than this."},
	} {
		if r.Params[i] != want {
			t.Errorf("parameter %+v, want %+v", r.Params[i], want)
		}
	}
	if want := (Column{Name: "sold", Type: Integer, Unit: "units", About: "Units."}); r.Columns[1] != want {
		t.Errorf("column %+v", r.Columns[1])
	}
	if c := r.Chart; c == nil || c.Kind != "lines" || c.Label != "day" || strings.Join(c.Values, " ") != "sold share" {
		t.Errorf("chart %+v", c)
	}
	const want = `SELECT day, sold, share FROM t -- :'nothing' of a comment; nor this
 WHERE day >= $1::date AND at > $2::timestamptz AND ($3 = '' OR region = $3) AND x <> ':''nope'' ;'
   AND place = $4 AND sku = $5 AND n > $7::bigint LIMIT $6::bigint`
	if r.SQL != want {
		t.Errorf("the statement is %s", r.SQL)
	}
}

func TestAnIllFormedFileIsRefusedWithItsReason(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"-- A title.", "-- A title", "ends with a dot"},
		{"-- What is\n-- the question?\n", "", "no question"},
		{"date = 30", "datum = 30", `no type "datum"`},
		{"30 days ago", "a month ago", "must be a date"},
		{"= now", "= soon", "must be a time"},
		{"= 1000 in", "= 0 in", "from 1 to 100000"},
		{"in 1..100000", "in 9..1", "no bounds"},
		{"--   since ", "--   from ", "twice"},
		{"--   since ", "--   format ", "reserved"},
		{"--   since ", "--   Since ", "snake case"},
		{"text                           Which", "text Which", "two spaces"},
		{"--   sold ", "--   day ", "twice"},
		{"decimal  ", "float  ", `no type "float"`},
		{"lines day", "pie day", "bars|lines"},
		{"lines day", "lines week", "labels are column week"},
		{"sold, share\n", "sold, day\n", "holds no numbers"},
		{"sold, share\n", "sold, share\n-- And more.\n", "nothing comes after"},
		{":'sku'", ":'skus'", "doesn't describe"},
		{":'sku'", "'x'", "doesn't use parameter sku"},
		{"::bigint;\n", "::bigint; SELECT 1", "more than one statement"},
		{"SELECT day", "DELETE day", "must be a SELECT"},
		{heading, "", "no header"},
	} {
		text := strings.Replace(heading+statement, c.old, c.new, 1)
		if text == heading+statement {
			t.Fatalf("%q is not in the file", c.old)
		}
		if _, err := parse("title", text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
	if _, err := parse("A-title", heading+statement); err == nil {
		t.Error("a name that is no snake case was taken")
	}
}

func TestParametersAreCheckedAndDefaulted(t *testing.T) {
	r, err := parse("title", heading+statement)
	if err != nil {
		t.Fatal(err)
	}
	values, wrong := r.Check(map[string]string{"sku": "tea", "above": "07", "since": "2026-01-01T01:00:00.1234567+01:00"})
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	now := time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("", -3600))
	if got := strings.Join(r.At(values, now), "|"); got != "2026-01-31|2026-01-01T00:00:00.123456Z||LON|tea|1000|7" {
		t.Errorf("the values are %s", got)
	}
	_, wrong = r.Check(map[string]string{
		"from": "2026-02-30", "since": "now", "region": "a\x00", "place": strings.Repeat("x", 1001), "limit": "100001", "above": "1e3", "nope": "1", "\xff": "",
	})
	named := map[string]string{}
	for _, w := range wrong {
		named[w.Param] = w.Message
	}
	for _, name := range []string{"from", "since", "region", "place", "sku", "limit", "above", "nope", "\ufffd"} {
		if named[name] == "" {
			t.Errorf("%s is not named: %v", name, wrong)
		}
	}
	if len(wrong) != 9 || named["limit"] != "must be a whole number from 1 to 100000" || named["sku"] != "is required" || !strings.Contains(named["nope"], "it takes from, since") {
		t.Errorf("wrong are %v", wrong)
	}
}
