package replay_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stockyard/service/client"
	"stockyard/service/replay"
)

func TestPlanOfTheSample(t *testing.T) {
	t.Parallel()
	sales := sample(t)
	p := plan(t, sales, 100)
	// Facts of the file, counted independently of this package.
	if len(sales.Rows) != 8373 || len(p.Products) != 1909 {
		t.Errorf("%d rows, %d products", len(sales.Rows), len(p.Products))
	}
	want := []struct {
		location        string
		rows, invoices  int
		sold, writeOffs int
	}{{"LON", 8359, 457, 388, 30}, {"NYC", 0, 0, 0, 0}, {"SIN", 14, 1, 1, 0}}
	for i, q := range p.Queues {
		sold, writeOffs := 0, 0
		for _, invoice := range q.Invoices {
			sold += len(invoice.Sale)
			writeOffs += len(invoice.WriteOffs)
		}
		if w := want[i]; q.Location != w.location || q.Rows != w.rows || len(q.Invoices) != w.invoices || sold != w.sold || writeOffs != w.writeOffs {
			t.Errorf("%s: %d rows, %d invoices, %d sold, %d write-offs, want %+v", q.Location, q.Rows, len(q.Invoices), sold, writeOffs, w)
		}
	}
	lon := p.Queues[0]
	if first := lon.Invoices[0]; first.Number != "536365" || len(first.Sale[0].Lines) != 7 ||
		first.Sale[0].Lines[0] != (client.ReservationLine{Location: "LON", SKU: "85123A", Quantity: 6}) ||
		first.Sale[0].OrderReference != "536365" || first.Sale[0].Policy != "all_or_nothing" {
		t.Errorf("first invoice: %+v", first)
	}
	if lon.Opening[0].Key != "replay-opening-LON-1" || len(lon.Opening[0].Movement.Lines) != 1000 {
		t.Errorf("opening: %s with %d lines", lon.Opening[0].Key, len(lon.Opening[0].Movement.Lines))
	}
}

func TestPlanOfInvoices(t *testing.T) {
	t.Parallel()
	at := time.Date(2010, 12, 1, 9, 0, 0, 0, time.UTC)
	row := func(invoice, sku, country string, quantity int64) replay.Row {
		return replay.Row{Invoice: invoice, SKU: sku, Country: country, Quantity: quantity, At: at}
	}
	p := plan(t, &replay.Sales{Rows: []replay.Row{
		row("1", "A", "France", 5), row("1", "A", "France", 2), row("2", "B", "usa", 9), row("1", "A", "Japan", 1),
		row("1", "B", "France", -3), row("1", "C", "France", 0), row("C9", "A", "France", -2), row("C9", "B", "France", 4),
		row("1", "a", "France", 1), // the invoice goes on after others
	}}, 50)
	lon := p.Queues[0]
	lines := func(kind string, l ...client.MovementLine) client.MovementRequest {
		return client.MovementRequest{Kind: kind, Lines: l, EffectiveAt: at}
	}
	opening := lines("receive", client.MovementLine{Location: "LON", SKU: "A", Quantity: 3}, client.MovementLine{Location: "LON", SKU: "B", Quantity: 1})
	opening.Reference = "replay, opening stock at 50 percent"
	writeOff := lines("adjust", client.MovementLine{Location: "LON", SKU: "B", Quantity: -3})
	writeOff.Reason, writeOff.Reference = "write_off", "1"
	back := lines("return", client.MovementLine{Location: "LON", SKU: "A", Quantity: 2}, client.MovementLine{Location: "LON", SKU: "B", Quantity: 4})
	back.Reference = "C9"
	want := replay.Queue{
		Warehouse: replay.Warehouses[0], Rows: 7, ZeroRows: 1,
		Opening: []replay.Command{{Key: "replay-opening-LON-1", Movement: opening}},
		Opened:  map[string]int64{"A": 3, "B": 1, "C": 0, "a": 0},
		Invoices: []replay.Invoice{
			{Number: "1", Sale: []client.ReservationRequest{{
				OrderReference: "1", ExpiresIn: "24h", Policy: "all_or_nothing",
				Lines: []client.ReservationLine{{Location: "LON", SKU: "A", Quantity: 5}, {Location: "LON", SKU: "A", Quantity: 2}, {Location: "LON", SKU: "a", Quantity: 1}},
			}}, WriteOffs: []replay.Command{{Key: "replay-1-LON-adjust-3", Movement: writeOff}}},
			{Number: "C9", Returns: []replay.Command{{Key: "replay-C9-LON-return", Movement: back}}},
		},
	}
	if !reflect.DeepEqual(lon, want) {
		t.Errorf("got  %+v\nwant %+v", lon, want)
	}
	// New York sells 9 of B, half of which is 4; Singapore's single unit rounds down to nothing,
	// which is said by a count that changes nothing.
	if got := p.Queues[1].Opened["B"]; got != 4 {
		t.Errorf("New York opens with %d", got)
	}
	marker := p.Queues[2].Opening[0]
	if l := marker.Movement.Lines[0]; marker.Movement.Kind != "count" || l.Quantity != 0 || l.AsOfVersion == nil || *l.AsOfVersion != 0 {
		t.Errorf("Singapore opens with %+v", marker)
	}
}

func TestOpeningPercentIsInTheBodyAndNotInTheKey(t *testing.T) {
	t.Parallel()
	sales := sample(t)
	for _, pair := range [][2]int{{0, 100}, {1, 100}, {100, 101}, {999, 1000}, {0, 1}} {
		a, b := plan(t, sales, pair[0]), plan(t, sales, pair[1])
		for w := range a.Queues {
			if a.Queues[w].Rows == 0 {
				continue
			}
			first, second := a.Queues[w].Opening[0], b.Queues[w].Opening[0]
			if first.Key != second.Key || reflect.DeepEqual(first.Movement, second.Movement) {
				t.Errorf("%v percent of %s: keys %s and %s, same body: %t", pair, a.Queues[w].Location,
					first.Key, second.Key, reflect.DeepEqual(first.Movement, second.Movement))
			}
		}
	}
}

func TestPlanRefusesSumsBeyondInt64(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows    []replay.Row
		percent int
		fits    bool
	}{
		"just fits":       {[]replay.Row{{Invoice: "1", SKU: "A", Quantity: math.MaxInt64}}, 100, true},
		"two lines":       {[]replay.Row{{Invoice: "1", SKU: "A", Quantity: math.MaxInt64}, {Invoice: "2", SKU: "A", Quantity: -1}}, 100, false},
		"percent":         {[]replay.Row{{Invoice: "1", SKU: "A", Quantity: math.MaxInt64}}, 101, false},
		"percent, by far": {[]replay.Row{{Invoice: "1", SKU: "A", Quantity: math.MaxInt64}}, 1000, false},
		"credit on top":   {[]replay.Row{{Invoice: "1", SKU: "A", Quantity: math.MaxInt64}, {Invoice: "C2", SKU: "A", Quantity: -1}}, 100, false},
	} {
		_, err := replay.NewPlan(&replay.Sales{Rows: c.rows}, c.percent)
		if (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCountries(t *testing.T) {
	t.Parallel()
	for country, location := range map[string]string{
		"United Kingdom": "LON", "EIRE": "LON", "Channel Islands": "LON", "Cyprus": "LON", "Lithuania": "LON", "Iceland": "LON",
		"USA": "NYC", "Canada": "NYC", "Brazil": "NYC",
		"Australia": "SIN", "Japan": "SIN", "Singapore": "SIN", "RSA": "SIN", "Unspecified": "SIN", "Israel": "SIN", "Atlantis": "SIN",
	} {
		p := plan(t, &replay.Sales{Rows: []replay.Row{{Invoice: "1", SKU: "A", Country: country, Quantity: 1}}}, 100)
		for _, q := range p.Queues {
			if (q.Rows == 1) != (q.Location == location) {
				t.Errorf("%s: %d rows at %s, want them at %s", country, q.Rows, q.Location, location)
			}
		}
	}
}

var anySales = rapid.Custom(func(t *rapid.T) *replay.Sales {
	number := rapid.OneOf(rapid.StringMatching(`C?[0-9]{1,2}`), rapid.SampledFrom([]string{"A-LON", "1-LON-reserve", "é", strings.Repeat("9", 300)}))
	row := rapid.Custom(func(t *rapid.T) replay.Row {
		return replay.Row{
			Invoice:  number.Draw(t, "invoice"),
			SKU:      rapid.SampledFrom([]string{"A", "a", "POST", "BANK CHARGES"}).Draw(t, "sku"),
			Country:  rapid.SampledFrom([]string{"France", "USA", "Japan"}).Draw(t, "country"),
			Quantity: rapid.Int64Range(-1000, 1000).Draw(t, "quantity"),
		}
	})
	rows := rapid.SliceOfN(row, 1, 40).Draw(t, "rows")
	if rapid.Bool().Draw(t, "long invoice") {
		for range rapid.IntRange(990, 2100).Draw(t, "lines") {
			rows = append(rows, replay.Row{Invoice: "7", SKU: "A", Country: "France", Quantity: 1})
		}
	}
	return &replay.Sales{Rows: rows}
})

// TestNoUnitIsLost adds up the plan's commands by what they are, and the file by what it says.
func TestNoUnitIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sales := anySales.Draw(t, "sales")
		p, err := replay.NewPlan(sales, 100)
		if err != nil {
			t.Fatal(err)
		}
		want, got := map[string]int64{}, map[string]int64{}
		at := map[string]string{"France": "LON", "USA": "NYC", "Japan": "SIN"}
		for _, r := range sales.Rows {
			quantity, what := r.Quantity, "sale"
			switch {
			case strings.HasPrefix(r.Invoice, "C"):
				quantity, what = max(quantity, -quantity), "return"
			case quantity < 0:
				what = "adjust"
			}
			tally(want, what, at[r.Country], r.SKU, quantity)
			if what != "return" {
				tally(want, "receive", at[r.Country], r.SKU, max(quantity, -quantity))
			}
		}
		keys := map[string]bool{}
		for _, q := range p.Queues {
			addUp(t, got, keys, q)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func tally(sums map[string]int64, what, location, sku string, quantity int64) {
	if quantity != 0 {
		sums[fmt.Sprint(what, " ", location, " ", sku)] += quantity
	}
}

func addUp(t *rapid.T, sums map[string]int64, keys map[string]bool, q replay.Queue) {
	commands := q.Opening
	for _, invoice := range q.Invoices {
		commands = append(commands, append(invoice.Returns, invoice.WriteOffs...)...)
		for _, part := range invoice.Sale {
			if len(part.Lines) > 1000 || len(part.Lines) == 0 {
				t.Fatalf("a reservation of %d lines", len(part.Lines))
			}
			for _, l := range part.Lines {
				tally(sums, "sale", l.Location, l.SKU, l.Quantity)
			}
		}
	}
	for _, c := range commands {
		if keys[c.Key] || len(c.Key) > 255 || strings.ContainsFunc(c.Key, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("key %q is not good, or there twice", c.Key)
		}
		keys[c.Key] = true
		if len(c.Movement.Lines) > 1000 || len(c.Movement.Lines) == 0 {
			t.Fatalf("%s has %d lines", c.Key, len(c.Movement.Lines))
		}
		for _, l := range c.Movement.Lines {
			if l.Location != q.Location {
				t.Fatalf("%s is for %s", c.Key, l.Location)
			}
			tally(sums, c.Movement.Kind, l.Location, l.SKU, l.Quantity)
		}
	}
}
