package pod_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"stockyard/service/store/storetest"
)

// An analyst lists the reports and runs one, to read, to work on and to show; what is wrong with the
// question is said on standard error, all of it, and the exit status is not 0.
func TestReportsFromTheCommandLine(t *testing.T) {
	binary := build(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := &process{binary: binary, database: db.URLs[0]}
		if list := p.stockyard(t, "report", "list"); !strings.Contains(list, "stock_on_hand") || !strings.Contains(list, "limit=1000") {
			t.Errorf("the list is %s", list)
		}
		var listed []struct{ Name string }
		if err := json.Unmarshal([]byte(p.stockyard(t, "report", "list", "--json")), &listed); err != nil || len(listed) < 2 {
			t.Errorf("listed are %v, %v", listed, err)
		}
		none := []string{"report", "stock_on_hand", "--param", "sku=nothing of = that name", "--param", "limit=5"}
		if table := p.stockyard(t, none...); !strings.HasPrefix(table, "Stock on hand, as of 20") || !strings.HasSuffix(table, "0 rows") {
			t.Errorf("the table is %s", table)
		}
		if csv := p.stockyard(t, append(none, "--format", "csv")...); csv != "region,location,sku,on_hand,held,allocated,quarantined,shortfall,available" {
			t.Errorf("as CSV it is %q", csv)
		}
		var answer struct{ Parameters map[string]any }
		if err := json.Unmarshal([]byte(p.stockyard(t, append(none, "--json")...)), &answer); err != nil || answer.Parameters["limit"] != 5.0 {
			t.Errorf("as JSON it has %v, %v", answer, err)
		}
		file := filepath.Join(t.TempDir(), "chart.svg")
		if said := p.stockyard(t, append(none, "--format", "svg", "--out", file)...); said != "" {
			t.Errorf("with --out it said %q", said)
		}
		if raw, err := os.ReadFile(file); err != nil || xml.Unmarshal(raw, new(struct{})) != nil {
			t.Errorf("the chart is %.200s, %v", raw, err)
		}
		for _, c := range []struct {
			args  []string
			wants string
		}{
			{[]string{"weather"}, "stockyard report list"},
			{[]string{"sales_by_day", "--param", "from=yesterday", "--param", "limit=0", "--param", "skuu=A"}, "from must be a date"},
			{[]string{"sales_by_day", "--param", "from=yesterday", "--param", "limit=0", "--param", "skuu=A"}, "skuu is no parameter of report sales_by_day; it takes from, to, region, sku, limit"},
			{[]string{"sales_by_day", "--param", "from"}, "must be NAME=VALUE"},
			{[]string{"sales_by_day", "--format", "xls"}, "--format must be one of"},
			{[]string{"sales_by_day", "--out", filepath.Join(t.TempDir(), "no", "such")}, "no such file or directory"},
		} {
			cmd := exec.CommandContext(t.Context(), binary, append([]string{"report"}, c.args...)...)
			cmd.Env = append(os.Environ(), "STOCKYARD_DATABASE_URL="+db.URLs[0])
			var out, said strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &said
			if err := cmd.Run(); err == nil || !strings.Contains(said.String(), c.wants) {
				t.Errorf("report %v: %v, said %q", c.args, err, said.String())
			}
		}
	})
}
