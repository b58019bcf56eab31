package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/report"
	"stockyard/service/store"
)

// run runs a report as fresh as can be, or with what is given as max_staleness.
func (y *yard) report(t *testing.T, name string, params map[string]string, staleness ...string) report.Result {
	t.Helper()
	q := service.ReportQuery{Name: name, Params: params, MaxStaleness: strings.Join(append(staleness, "0s")[:1], "")}
	result, err := y.pods[0].RunReport(t.Context(), tester, q)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func textOf(rows [][]report.Value) string {
	var lines []string
	for _, row := range rows {
		var cells []string
		for _, v := range row {
			cells = append(cells, v.Text)
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return strings.Join(lines, "\n")
}

func TestStockOnHandIsWhatTheBooksSay(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc, lon)
		y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), move("quarantine", nyc, sku, 3)))
		y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), move("sell", lon, sku, 4)))
		home := func(i int) string { return y.Topology.Regions[i].Name }
		got := y.report(t, "stock_on_hand", map[string]string{"sku": sku})
		want := fmt.Sprintf("%s LON %s 6 0 0 0 0 6\n%s NYC %s 10 0 0 3 0 7", home(1), sku, home(0), sku)
		if got := textOf(got.Rows); home(1) > home(0) || got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if age := time.Since(got.AsOf).Abs(); age > time.Minute {
			t.Errorf("it is %s old", age)
		}
		if part := y.report(t, "stock_on_hand", map[string]string{"sku": sku, "limit": "1"}); !part.More || got.More {
			t.Errorf("more than one row: %t; more than two: %t", part.More, got.More)
		}
		for filter, rows := range map[string]int{"region " + home(1): 1, "location NYC": 1, "location '; DROP TABLE stock_levels; --": 0, "limit 1": 1} {
			name, value, _ := strings.Cut(filter, " ")
			if got := y.report(t, "stock_on_hand", map[string]string{"sku": sku, name: value}); len(got.Rows) != rows {
				t.Errorf("%s: %d rows, want %d", filter, len(got.Rows), rows)
			}
		}
	})
}

// A report that may be old is one of a moment that replicas know of: on CockroachDB some seconds ago,
// without a licence, once the schema is as old as that; on PostgreSQL now.
func TestAReportMayBeOldAndSaysHowOld(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		age := func() time.Duration {
			return time.Since(y.report(t, "stock_on_hand", map[string]string{"limit": "1"}, "").AsOf)
		}
		if !y.isCockroach() {
			if old := age().Abs(); old > 4*time.Second {
				t.Errorf("it is %s old", old)
			}
			return
		}
		for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
			old := age()
			if old > 4*time.Second && old < 20*time.Second {
				return
			}
			if time.Since(began) > 30*time.Second {
				t.Fatalf("it is still %s old", old)
			}
		}
	})
}

// What is too much for a report is refused, with what narrows it; nothing is broken then.
func TestWhatIsTooMuchForAReportIsRefused(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		many := `SELECT n::text AS name, n AS number FROM generate_series(1, $1::bigint) AS s(n) ORDER BY n`
		for what, c := range map[string]struct {
			sql, n string
			want   error
		}{
			"as many rows as may be": {many, "100000", nil},
			"one row more":           {many, "100001", store.ErrTooManyRows},
			"too large":              {`SELECT 'x' AS name, $1::bigint + n AS number FROM generate_series(1, 2) AS s(n)`, "9223372036854775807", store.ErrTooLarge},
			"too large a product":    {`SELECT 'x' AS name, $1::bigint * 2 AS number`, "9223372036854775807", store.ErrTooLarge},
		} {
			found, err := y.Report(t.Context(), numbers(c.sql), report.Values{"n": c.n}, store.ReportTimeout)
			if !errors.Is(err, c.want) || c.want == nil && len(found.Rows) != 100_000 {
				t.Errorf("%s: %d rows, %v", what, len(found.Rows), err)
			}
		}
		for what, sql := range map[string]string{
			"other columns": `SELECT 1 AS number, 'x' AS name WHERE $1::bigint > 0`,
			"other types":   `SELECT 'x' AS name, 1.5 AS number WHERE $1::bigint > 0`,
			"a write":       `WITH w AS (DELETE FROM products WHERE sku = $1::text RETURNING 1) SELECT 'x' AS name, 1 AS number`,
		} {
			if _, err := y.Report(t.Context(), numbers(sql), report.Values{"n": "1"}, store.ReportTimeout); err == nil {
				t.Errorf("%s: was not refused", what)
			}
		}
		endless := numbers(`SELECT 'x' AS name, 1 AS number FROM pg_sleep($1::float)`)
		if _, err := y.Report(t.Context(), endless, report.Values{"n": "30"}, 50*time.Millisecond); !errors.Is(err, store.ErrTooSlow) {
			t.Errorf("its time is up: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := y.Report(ctx, endless, report.Values{"n": "30"}, store.ReportTimeout); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("its caller's time is up: %v", err)
		}
		_, err := y.pods[0].RunReport(t.Context(), tester, service.ReportQuery{Name: "sales_by_day", Timeout: time.Nanosecond})
		var refusal *inventory.Refusal
		if err != nil && (!errors.As(err, &refusal) || refusal.Kind != inventory.OverLimit || len(refusal.Fields) != 5) {
			t.Errorf("no time at all: %v", err)
		}
	})
}

func numbers(sql string) *report.Report {
	return &report.Report{
		Name: "numbers", SQL: sql, Params: []report.Param{{Name: "n", Type: report.Integer, Required: true}},
		Columns: []report.Column{{Name: "name", Type: report.Text}, {Name: "number", Type: report.Integer}},
	}
}

// Every statement of sql/reports gives the columns that its header says, on either database, and
// takes every parameter.
func TestEveryReportIsAsItsHeaderSays(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc)
		y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), move("sell", nyc, sku, 4)))
		reports, err := y.pods[0].Reports(tester)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reports {
			required, all := map[string]string{}, map[string]string{}
			for i, p := range r.Params {
				v := r.At(nil, time.Now())[i]
				if p.Required {
					v = map[report.Type]string{report.Text: sku, report.Integer: fmt.Sprint(p.Least), report.Date: "2026-11-27", report.Time: "2026-11-27T08:00:00Z"}[p.Type]
					required[p.Name] = v
				}
				all[p.Name] = v
			}
			y.report(t, r.Name, required)
			y.report(t, r.Name, all)
		}
	})
}

// A pod runs a few reports at once, and says so to more: they may read whole tables.
func TestReportsDontQueueUp(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		const askers = 24
		got := make(chan error, askers)
		for range askers {
			go func() {
				_, err := y.pods[0].RunReport(t.Context(), tester, service.ReportQuery{Name: "sales_by_day", MaxStaleness: "0s"})
				got <- err
			}()
		}
		answered := 0
		for range askers {
			switch err := <-got; {
			case err == nil:
				answered++
			case !errors.Is(err, service.ErrOverloaded):
				t.Error(err)
			}
		}
		if answered == 0 || answered == askers {
			t.Errorf("%d of %d reports at once were answered", answered, askers)
		}
	})
}

func TestAReportThatIsNotThereOrAskedWronglyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		ask := func(name string, params map[string]string) *inventory.Refusal {
			t.Helper()
			_, err := y.pods[0].RunReport(t.Context(), tester, service.ReportQuery{Name: name, Params: params})
			var refusal *inventory.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("%s %v: %v", name, params, err)
			}
			return refusal
		}
		if r := ask("weather", nil); r.Kind != inventory.NotFound || r.Name != "weather" {
			t.Errorf("no such report: %+v", r)
		}
		if r := ask("sales_by_day", map[string]string{"from": "x", "limit": "0", "colour": "A"}); r.Kind != inventory.Invalid || len(r.Fields) != 3 {
			t.Errorf("asked wrongly: %+v", r)
		}
	})
}
