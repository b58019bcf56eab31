package service_test

import (
	"maps"
	"testing"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// tally is the census as a person would take it, on the database itself.
func (y *yard) tally(t *testing.T) map[string]inventory.Census {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), y.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), `SELECT region::text, on_hand - held - allocated - quarantined - shortfall, shortfall FROM stock_levels`)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]inventory.Census{}
	var region string
	var available, shortfall int64
	if _, err := pgx.ForEachRow(rows, []any{&region, &available, &shortfall}, func() error {
		c := by[region]
		c.Region = region
		c.Levels++
		if available <= 0 {
			c.OutOfStock++
		}
		if shortfall > 0 {
			c.InShortfall++
		}
		by[region] = c
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return by
}

// What is out of stock, or short, is counted in its region.
func TestCensusCountsWhatIsOutOfStockAndShort(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		before := y.tally(t)
		sku, yes := y.product(t, 2, nyc, lon, sin), true
		short := move("sell", nyc, sku, 3)
		short.AllowShortfall = &yes
		y.must(t)(y.pods[0].Move(t.Context(), y.fresh(), short))
		y.must(t)(y.pods[1].Reserve(t.Context(), y.fresh(), reserve(sku, 2, lon)))
		want := y.tally(t)
		for i, more := range []inventory.Census{{Levels: 1, OutOfStock: 1, InShortfall: 1}, {Levels: 1, OutOfStock: 1}, {Levels: 1}} {
			region := y.Topology.Regions[i].Name
			was, is := before[region], want[region]
			if got := (inventory.Census{Levels: is.Levels - was.Levels, OutOfStock: is.OutOfStock - was.OutOfStock, InShortfall: is.InShortfall - was.InShortfall}); got != more {
				t.Errorf("%s has more by %+v, not %+v", region, got, more)
			}
		}
		eventually(t, "followers count the same", func() bool {
			counts, err := y.pods[0].Census(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]inventory.Census{}
			for _, c := range counts {
				got[c.Region] = c
			}
			return maps.Equal(got, want)
		})
	})
}
