package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

const productColumns = `p.sku, p.name, coalesce(p.description, ''), coalesce(p.unit, ''), coalesce(p.barcode, ''),
       coalesce(p.category, ''), coalesce(p.unit_cost::text, ''), coalesce(p.currency, ''), p.attributes::text,
       p.version, p.archived_at, p.created_at, p.updated_at`

var selectProduct = define("product", `
SELECT `+productColumns+`
  FROM products AS p WHERE p.sku = $1`, text)

var lockProduct = define("lock_product", selectProduct.sql+` FOR UPDATE`, text)

var upsertProduct = define("upsert_product", `
INSERT INTO products (sku, name, description, unit, barcode, category, unit_cost, currency, attributes, version, archived_at, created_at, updated_at)
VALUES ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, ''), nullif($6, ''), nullif($7, '')::decimal, nullif($8, ''), $9::jsonb, $10, $11, $12, $13)
    ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description, unit = excluded.unit,
       barcode = excluded.barcode, category = excluded.category, unit_cost = excluded.unit_cost, currency = excluded.currency,
       attributes = excluded.attributes, version = excluded.version, archived_at = excluded.archived_at, updated_at = excluded.updated_at`,
	text, text, text, text, text, text, text, text, text, bigint, moment, moment, moment)

// Most products are put by imports, many at once. One statement that reads nothing first keeps them
// from conflicting with each other; an archived product, which has stock levels to reopen, is left
// to the caller.
var putProduct = define("put_product", `
WITH put AS (
INSERT INTO products (sku, name, description, unit, barcode, category, unit_cost, currency, attributes, version, created_at, updated_at)
VALUES ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, ''), nullif($6, ''), nullif($7, '')::decimal, nullif($8, ''), $9::jsonb, 1, now(), now())
    ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description, unit = excluded.unit,
       barcode = excluded.barcode, category = excluded.category, unit_cost = excluded.unit_cost, currency = excluded.currency,
       attributes = excluded.attributes, version = products.version + 1, updated_at = excluded.updated_at
 WHERE products.archived_at IS NULL
RETURNING version, created_at, updated_at), log AS (`+insertAuditColumns+`
SELECT $10::crdb_internal_region, now(), $11::uuid, $12, $13, $14, $15, $16, $17, $18, 1 FROM put RETURNING 1)
SELECT put.version, put.created_at, put.updated_at FROM put`,
	text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text)

// A search walks the catalogue in order and stops at a full page; a category has an index.
var listProducts = define("list_products", `
SELECT `+productColumns+`
  FROM products AS p
 WHERE p.sku > $1 AND p.archived_at IS NULL
   AND ($2 = '' OR lower(p.sku) LIKE $2 OR lower(p.name) LIKE $2 OR lower(coalesce(p.barcode, '')) LIKE $2)
 ORDER BY p.sku LIMIT $3`, text, text, bigint)

var listProductsOfCategory = define("list_products_of_category", `
SELECT `+productColumns+`
  FROM products AS p
 WHERE p.category = $4 AND p.sku > $1 AND p.archived_at IS NULL
   AND ($2 = '' OR lower(p.sku) LIKE $2 OR lower(p.name) LIKE $2 OR lower(coalesce(p.barcode, '')) LIKE $2)
 ORDER BY p.sku LIMIT $3`, text, text, bigint, text)

// Product gives a product, archived or not. Errors: ErrNotFound.
func (s *Store) Product(ctx context.Context, sku string) (p inventory.Product, err error) {
	found := false
	err = s.read(ctx, selectProduct, func(r pgx.Rows) (err error) {
		found = true
		p, err = scanProduct(r)
		return err
	}, sku)
	return p, foundOr(found, err)
}

// Product reads and locks a product. Errors: ErrNotFound.
func (tx *Tx) Product(ctx context.Context, sku string) (p inventory.Product, err error) {
	found := false
	tx.queue(lockProduct, func(r pgx.Rows) (err error) {
		found = true
		p, err = scanProduct(r)
		return err
	}, sku)
	return p, foundOr(found, tx.Run(ctx))
}

// PutProduct queues a product to be written as it is given.
func (tx *Tx) PutProduct(p inventory.Product) error {
	args, err := productArgs(p)
	if err != nil {
		return err
	}
	tx.queue(upsertProduct, nil, append(args, p.Version, p.ArchivedAt, p.CreatedAt, p.UpdatedAt)...)
	return nil
}

// PutProduct makes a product or replaces it, and gives it as it is now. ok is false, and nothing
// written, where it is archived.
func (s *Store) PutProduct(ctx context.Context, p inventory.Product, log AuditEntry) (put inventory.Product, ok bool, err error) {
	args, err := productArgs(p)
	if err != nil {
		return p, false, err
	}
	args = append(args, log.Region, uuidText(log.ID.UUID), log.Actor, log.RequestID, log.Operation, log.Outcome,
		log.Resource, log.Name, log.Detail)
	err = s.InTx(ctx, func(_ context.Context, tx *Tx) error {
		put, ok = p, false
		tx.queue(putProduct, func(r pgx.Rows) error {
			ok = true
			err := r.Scan(&put.Version, &put.CreatedAt, &put.UpdatedAt)
			inUTC(&put.Stamp)
			return err
		}, args...)
		return nil
	})
	return put, ok, err
}

func productArgs(p inventory.Product) ([]any, error) {
	attributes := []byte("{}")
	if p.Attributes != nil {
		var err error
		if attributes, err = json.Marshal(p.Attributes); err != nil {
			return nil, err
		}
	}
	cost := inventory.Money{}
	if p.UnitCost != nil {
		cost = *p.UnitCost
	}
	return []any{p.SKU, p.Name, p.Description, p.Unit, p.Barcode, p.Category, cost.Amount, cost.Currency, string(attributes)}, nil
}

// ProductFilter selects products for a list, in the order of their SKUs.
type ProductFilter struct {
	Query    string // part of SKU, name or barcode, whatever the letters' case
	Category string
	After    string
	Limit    int
}

// Products lists products that are not archived.
func (s *Store) Products(ctx context.Context, f ProductFilter) (items []inventory.Product, err error) {
	pattern := ""
	if f.Query != "" {
		pattern = "%" + likeEscaper.Replace(strings.ToLower(f.Query)) + "%"
	}
	st, args := listProducts, []any{f.After, pattern, int64(f.Limit)}
	if f.Category != "" {
		st, args = listProductsOfCategory, append(args, f.Category)
	}
	err = s.read(ctx, st, func(r pgx.Rows) error {
		p, err := scanProduct(r)
		items = append(items, p)
		return err
	}, args...)
	return items, err
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func scanProduct(r pgx.Rows) (p inventory.Product, err error) {
	var cost inventory.Money
	var attributes string
	err = r.Scan(&p.SKU, &p.Name, &p.Description, &p.Unit, &p.Barcode, &p.Category, &cost.Amount, &cost.Currency, &attributes,
		&p.Version, &p.ArchivedAt, &p.CreatedAt, &p.UpdatedAt)
	if err != nil {
		return p, err
	}
	if cost.Amount != "" {
		p.UnitCost = &cost
	}
	inUTC(&p.Stamp)
	if attributes != "{}" {
		err = json.Unmarshal([]byte(attributes), &p.Attributes)
	}
	return p, err
}

func inUTC(s *inventory.Stamp) {
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
	if s.ArchivedAt != nil {
		at := s.ArchivedAt.UTC()
		s.ArchivedAt = &at
	}
}

func foundOr(found bool, err error) error {
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}
