package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// productRows are products as rows of parameters, one array a column.
const productRows = `unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
    AS k(sku, name, description, unit, barcode, category, unit_cost, currency, attributes)`

var productRowTypes = []uint32{texts, texts, texts, texts, texts, texts, texts, texts, texts}

// Like put_product this reads nothing first. A product that is there as it is given stays as it
// is, and so does an archived one. Amounts are compared as they are written: 12.5 is replaced by 12.50.
var importProducts = define("import_products", `
INSERT INTO products (sku, name, description, unit, barcode, category, unit_cost, currency, attributes, version, created_at, updated_at)
SELECT k.sku, k.name, nullif(k.description, ''), nullif(k.unit, ''), nullif(k.barcode, ''), nullif(k.category, ''),
       nullif(k.unit_cost, '')::decimal, nullif(k.currency, ''), k.attributes::jsonb, 1, now(), now()
  FROM `+productRows+`
    ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description, unit = excluded.unit,
       barcode = excluded.barcode, category = excluded.category, unit_cost = excluded.unit_cost, currency = excluded.currency,
       attributes = excluded.attributes, version = products.version + 1, updated_at = excluded.updated_at
 WHERE products.archived_at IS NULL
   AND (products.name <> excluded.name OR products.description IS DISTINCT FROM excluded.description
        OR products.unit IS DISTINCT FROM excluded.unit OR products.barcode IS DISTINCT FROM excluded.barcode
        OR products.category IS DISTINCT FROM excluded.category
        OR products.unit_cost::text IS DISTINCT FROM excluded.unit_cost::text
        OR products.currency IS DISTINCT FROM excluded.currency OR products.attributes <> excluded.attributes)
RETURNING sku, version`, productRowTypes...)

var compareProducts = define("compare_products", `
SELECT p.sku, p.archived_at IS NOT NULL,
       p.name = k.name AND coalesce(p.description, '') = k.description AND coalesce(p.unit, '') = k.unit
       AND coalesce(p.barcode, '') = k.barcode AND coalesce(p.category, '') = k.category
       AND p.unit_cost::text IS NOT DISTINCT FROM nullif(k.unit_cost, '')::decimal::text AND coalesce(p.currency, '') = k.currency
       AND p.attributes = k.attributes::jsonb
  FROM `+productRows+`
  JOIN products AS p ON p.sku = k.sku`, productRowTypes...)

// ImportProducts makes or replaces products that are not archived, each SKU once, and gives the
// new versions of those that it changed. Running it again changes nothing more.
func (s *Store) ImportProducts(ctx context.Context, products []inventory.Product) (versions map[string]int64, err error) {
	columns, err := productColumnsOf(products)
	if err != nil {
		return nil, err
	}
	err = s.InTx(ctx, func(_ context.Context, tx *Tx) error {
		versions = make(map[string]int64, len(products))
		tx.queue(importProducts, func(r pgx.Rows) error {
			var sku string
			var version int64
			err := r.Scan(&sku, &version)
			versions[sku] = version
			return err
		}, columns...)
		return nil
	})
	return versions, err
}

// Comparison says how a product that is in the catalogue compares with one that is given.
type Comparison struct{ Archived, Equal bool }

// CompareProducts compares products, each SKU once, with those of the catalogue. SKUs that are
// not there are left out.
func (s *Store) CompareProducts(ctx context.Context, products []inventory.Product) (found map[string]Comparison, err error) {
	columns, err := productColumnsOf(products)
	if err != nil {
		return nil, err
	}
	found = make(map[string]Comparison, len(products))
	err = s.read(ctx, compareProducts, func(r pgx.Rows) error {
		var sku string
		var c Comparison
		err := r.Scan(&sku, &c.Archived, &c.Equal)
		found[sku] = c
		return err
	}, columns...)
	return found, err
}

// productColumnsOf gives the products as productRows wants them, in the order of their SKUs: all
// who write many rows at once lock them in one order.
func productColumnsOf(products []inventory.Product) ([]any, error) {
	products = slices.SortedFunc(slices.Values(products), func(a, b inventory.Product) int { return cmp.Compare(a.SKU, b.SKU) })
	columns := make([][]string, len(productRowTypes))
	for _, p := range products {
		args, err := productArgs(p)
		if err != nil {
			return nil, err
		}
		for i, arg := range args {
			columns[i] = append(columns[i], arg.(string))
		}
	}
	args := make([]any, len(columns))
	for i, column := range columns {
		args[i] = column
	}
	return args, nil
}
