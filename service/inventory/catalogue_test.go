package inventory_test

import (
	"math"
	"strings"
	"testing"

	"stockyard/service/inventory"
)

func TestNamesThatCallersMayGive(t *testing.T) {
	for sku, good := range map[string]bool{
		"85123A": true, "a b": true, "Ünï/cödé %20": true, strings.Repeat("ü", 64): true, "x": true,
		"": false, " a": false, "a ": false, strings.Repeat("x", 65): false, "a\nb": false, "a\x00": false, "\xff": false, "a\u00a0b": false, "a\u200bb": false,
	} {
		if wrong := inventory.CheckSKU(sku); (wrong == "") != good {
			t.Errorf("SKU %q: %q", sku, wrong)
		}
	}
	for name, good := range map[string]bool{
		"store-1.a_B": true, strings.Repeat("x", 64): true, "..": true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "é": false, "a\n": false, "a/b": false,
	} {
		if wrong := inventory.CheckIdentifier(name); (wrong == "") != good {
			t.Errorf("name %q: %q", name, wrong)
		}
	}
	for text, good := range map[string]bool{
		"": true, "two\nlines\tand ünïcode": true, "12345678901234567890123456": true,
		"123456789012345678901234567": false, "a\x00": false, "a\x1b[31m": false, "\xff": false,
	} {
		if wrong := inventory.CheckText(text, 26); (wrong == "") != good {
			t.Errorf("text %q: %q", text, wrong)
		}
	}
}

func TestMoney(t *testing.T) {
	for _, c := range []struct{ amount, currency, want string }{
		{"12.50", "GBP", ""},
		{"0", "JPY", ""},
		{"123456789012345.123456", "EUR", ""},
		{"", "GBP", "unit_cost.amount"},
		{"-1", "GBP", "unit_cost.amount"},
		{"1.", "GBP", "unit_cost.amount"},
		{".5", "GBP", "unit_cost.amount"},
		{"1e3", "GBP", "unit_cost.amount"},
		{"1,5", "GBP", "unit_cost.amount"},
		{"1\n", "GBP", "unit_cost.amount"},
		{"1234567890123456", "GBP", "unit_cost.amount"},
		{"1", "gbp", "unit_cost.currency"},
		{"1", "POUND", "unit_cost.currency"},
		{"NaN", "", "unit_cost.amount unit_cost.currency"},
	} {
		m := &inventory.Money{Amount: c.amount, Currency: c.currency}
		if got := strings.Join(fields(m.Check("unit_cost")), " "); got != c.want {
			t.Errorf("%q %q: wrong are %q, want %q", c.amount, c.currency, got, c.want)
		}
	}
	if wrong := (*inventory.Money)(nil).Check("unit_cost"); wrong != nil {
		t.Errorf("no money at all: %v", wrong)
	}
}

func TestEveryWrongFieldOfACatalogueEntryIsNamed(t *testing.T) {
	good := inventory.Product{SKU: "tea", Name: "Tea", Attributes: map[string]any{"organic": true, "notes": []any{"a", map[string]any{"b": 1.0}}}}
	nameless := inventory.Product{SKU: " ", UnitCost: &inventory.Money{}, Barcode: "\x00", Attributes: map[string]any{"a": []any{map[string]any{"b": "\x00"}}}}
	deep := any("x")
	for range 63 {
		deep = []any{deep}
	}
	odd := inventory.Product{SKU: "tea", Name: "Tea", Attributes: map[string]any{"nan": math.NaN(), "inf": []any{math.Inf(-1)}, "deep": deep, "less": deep.([]any)[0]}}
	warehouse := inventory.Location{Name: "lon-1", Title: "London", Region: "eu", Kind: "warehouse", Country: "GB", Latitude: ptr(51.5), Longitude: ptr(-0.1)}
	nowhere := inventory.Location{Name: "l 1", Kind: "shed", Country: "uk", Latitude: ptr(math.NaN()), Priority: -1}
	web := inventory.Channel{Name: "web", Title: "Web", Kind: "web", Locations: []string{"lon-1"}, SafetyStock: math.MaxInt64}
	vague := inventory.Channel{Kind: "fax", Locations: []string{"a", "b c"}, SafetyStock: -1}
	for name, c := range map[string]struct {
		wrong []inventory.FieldError
		want  string
	}{
		"product":      {good.Check(), ""},
		"bad product":  {nameless.Check(), "attributes.a barcode name sku unit_cost.amount unit_cost.currency"},
		"odd product":  {odd.Check(), "attributes.deep attributes.inf attributes.nan"},
		"location":     {warehouse.Check(), ""},
		"bad location": {nowhere.Check(), "country kind latitude latitude location name priority region"},
		"channel":      {web.Check(), ""},
		"bad channel":  {vague.Check(), "channel kind locations[1] name safety_stock"},
	} {
		if got := strings.Join(fields(c.wrong), " "); got != c.want {
			t.Errorf("%s: wrong are %s, want %s", name, got, c.want)
		}
	}
}
