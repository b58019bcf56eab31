package replay_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"stockyard/service/replay"
)

const header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

func TestParse(t *testing.T) {
	t.Parallel()
	first := replay.Row{
		Line: 2, Invoice: "536365", SKU: "85123A", Description: "HEART, WHITE", Country: "United Kingdom",
		Quantity: 6, At: time.Date(2010, 12, 1, 8, 26, 0, 0, time.UTC),
	}
	with := func(change func(*replay.Row)) replay.Row {
		row := first
		change(&row)
		return row
	}
	for name, c := range map[string]struct {
		file    string
		want    replay.Row
		recoded int
	}{
		"as the sample":    {header + `536365,85123A,"HEART, WHITE",6,2010-12-01 08:26:00,2.55,17850,United Kingdom`, first, 0},
		"as UCI's":         {header + `536365,85123A,"HEART, WHITE",6,12/1/2010 8:26,2.55,17850,United Kingdom`, first, 0},
		"byte order mark":  {"\ufeff" + header + `536365,85123A,"HEART, WHITE",6,2010-12-01 08:26:00,2.55,,United Kingdom`, first, 0},
		"spaces, CRLF":     {strings.TrimSpace(header) + "\r\n" + `536365 , 85123A ,"HEART, WHITE ", 6,2010-12-01 08:26:00,-2.55,,United Kingdom ` + "\r\n", first, 0},
		"columns in order": {"Country,Till,InvoiceDate,Quantity,CustomerID,Description,UnitPrice,StockCode,InvoiceNo\n" + `United Kingdom,7,2010-12-01 08:26:00,6,,"HEART, WHITE",0,85123A,536365`, first, 0},
		"quoted newline": {
			header + "536365,85123A,\"HEART\nWHITE\",6,2010-12-01 08:26:00,2.55,17850,United Kingdom",
			with(func(r *replay.Row) { r.Description = "HEART\nWHITE" }), 0,
		},
		"Windows-1252": {
			header + "536365,85123A,\"CAF\xc9 \x80 5\",6,2010-12-01 08:26:00,2.55,17850,United Kingdom",
			with(func(r *replay.Row) { r.Description = "CAFÉ € 5" }), 1,
		},
		"a minus": {
			header + `536365,85123A,,-6,2010-12-01 08:26:00,2.55,17850,United Kingdom`,
			with(func(r *replay.Row) { r.Description, r.Quantity = "", -6 }), 0,
		},
	} {
		sales, err := replay.Parse(strings.NewReader(c.file), "sales.csv")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(sales.Rows) != 1 || sales.Rows[0] != c.want || sales.Recoded != c.recoded {
			t.Errorf("%s: got %+v, want %+v", name, sales, c.want)
		}
	}
}

func TestParseNamesFaults(t *testing.T) {
	t.Parallel()
	const good = "1,A,x,6,2010-12-01 08:26:00,2.55,,France\n"
	for name, c := range map[string]struct{ file, want string }{
		"empty":           {"", "sales.csv:1: the file is empty"},
		"header only":     {header, "sales.csv:1: there are no sales below the header"},
		"missing columns": {"InvoiceNo,Quantity,Foo\n", "sales.csv:1: the header lacks StockCode, Description, InvoiceDate, UnitPrice, CustomerID, Country"},
		"twice":           {"Quantity," + header, "sales.csv:1: column Quantity: is in the header twice"},
		"number":          {header + good + "1,A,x,six,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:3: column Quantity: "six" is no whole number`},
		"fraction":        {header + "1,A,x,6.5,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:2: column Quantity: "6.5" is no whole number`},
		"too large":       {header + "1,A,x,9223372036854775808,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:2: column Quantity: "9223372036854775808" is beyond 9223372036854775807`},
		"too small":       {header + "1,A,x,-9223372036854775808,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:2: column Quantity: "-9223372036854775808" is beyond 9223372036854775807`},
		"date":            {header + "1,A,x,6,2010-13-01 08:26:00,2.55,,France\n", `sales.csv:2: column InvoiceDate: "2010-13-01 08:26:00" is no date like 2010-12-01 08:26:00 or 12/1/2010 8:26`},
		"price":           {header + "1,A,x,6,2010-12-01 08:26:00,free,,France\n", `sales.csv:2: column UnitPrice: "free" is no number`},
		"several in one":  {header + " ,,x,,,,,\n", "sales.csv:2: column InvoiceNo: is empty\nsales.csv:2: column StockCode: is empty\nsales.csv:2: column Quantity: is empty\nsales.csv:2: column InvoiceDate: is empty\nsales.csv:2: column Country: is empty\nsales.csv:2: column UnitPrice: is empty"},
		"line of a field": {header + "1,A,\"x\ny\",six,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:3: column Quantity: "six" is no whole number`},
		"fields":          {header + "1,A,x\n" + good + "1,A\n", "sales.csv:2: has 3 fields, the header has 8\nsales.csv:4: has 2 fields, the header has 8"},
		"quote":           {header + good + "1,A,x\"y,6,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:3: bare " in non-quoted-field`},
		"long SKU":        {header + "1," + strings.Repeat("é", 65) + ",x,6,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:2: column StockCode: "` + strings.Repeat("é", 65) + `" has 65 characters, at most 64 are allowed`},
		"odd SKU":         {header + "1,A\aB,x,6,2010-12-01 08:26:00,2.55,,France\n", `sales.csv:2: column StockCode: "A\aB" has characters that can't be printed`},
	} {
		_, err := replay.Parse(strings.NewReader(c.file), "sales.csv")
		var file *replay.FileError
		if !errors.As(err, &file) || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestParseStopsAfterTwentyFaults(t *testing.T) {
	t.Parallel()
	_, err := replay.Parse(strings.NewReader(header+strings.Repeat("1,A,x,six,2010-12-01 08:26:00,2.55,,France\n", 1000)), "sales.csv")
	var file *replay.FileError
	if !errors.As(err, &file) || len(file.Faults) != 20 || !strings.HasSuffix(err.Error(), "stopped reading after 20 faults") {
		t.Error(err)
	}
}

func sample(t *testing.T) *replay.Sales {
	t.Helper()
	const name = "testdata/online-retail/sales.csv"
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sales, err := replay.Parse(file, name)
	if err != nil {
		t.Fatal(err)
	}
	return sales
}

func plan(t *testing.T, sales *replay.Sales, percent int) *replay.Plan {
	t.Helper()
	p, err := replay.NewPlan(sales, percent)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
