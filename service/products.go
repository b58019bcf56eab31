package service

import (
	"context"
	"errors"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

func productEntry(sku string) entry[inventory.Product] {
	return entry[inventory.Product]{
		resource: "product", name: sku,
		read:  func(ctx context.Context, tx *store.Tx) (inventory.Product, error) { return tx.Product(ctx, sku) },
		write: func(tx *store.Tx, p inventory.Product) error { return tx.PutProduct(p) },
		stamp: func(p *inventory.Product) *inventory.Stamp { return &p.Stamp },
	}
}

// PutProduct makes a product or replaces it; an archived one comes back.
func (s *Service) PutProduct(ctx context.Context, caller Caller, p inventory.Product, pre Precondition) (inventory.Product, bool, error) {
	if err := s.may(caller, auth.PutProduct); err != nil {
		return p, false, err
	}
	if wrong := p.Check(); len(wrong) > 0 {
		return p, false, invalid(wrong...)
	}
	return s.putProduct(ctx, caller, auth.PutProduct, p, pre)
}

func (s *Service) putProduct(ctx context.Context, caller Caller, op auth.Operation, p inventory.Product, pre Precondition) (inventory.Product, bool, error) {
	if pre.isNone() {
		p.Stamp = inventory.Stamp{}
		put, ok, err := s.store.PutProduct(ctx, p, s.setting(caller, op, "product", p.SKU, p))
		if err != nil || ok {
			return put, put.Version == 1, fromStore(err, errors.Is(err, store.ErrAmbiguous))
		}
	}
	return change(ctx, s, caller, op, productEntry(p.SKU), pre, func(ctx context.Context, tx *store.Tx, before inventory.Product, _ bool) (inventory.Product, error) {
		if before.ArchivedAt != nil {
			levels, err := tx.LevelsOfProduct(ctx, p.SKU)
			if err != nil {
				return p, err
			}
			tx.SetClosed(s.atOpenLocations(ctx, levels), false)
		}
		p.Stamp = inventory.Stamp{}
		return p, nil
	})
}

// atOpenLocations leaves out levels of archived locations: they stay closed.
func (s *Service) atOpenLocations(ctx context.Context, levels []inventory.Level) (open []inventory.Level) {
	for _, l := range levels {
		if place, ok, err := s.places.location(ctx, l.Key.Location); err == nil && ok && place.ArchivedAt == nil {
			open = append(open, l)
		}
	}
	return open
}

// PatchProduct applies a change to a product. Errors: *inventory.Refusal, also of the change's own.
func (s *Service) PatchProduct(ctx context.Context, caller Caller, sku string, pre Precondition, patch func(inventory.Product) (inventory.Product, error)) (inventory.Product, error) {
	if err := s.may(caller, auth.PatchProduct); err != nil {
		return inventory.Product{}, err
	}
	p, _, err := change(ctx, s, caller, auth.PatchProduct, productEntry(sku), pre, func(_ context.Context, _ *store.Tx, before inventory.Product, exists bool) (inventory.Product, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("product", sku)
		}
		after, err := patch(before)
		if err != nil {
			return before, err
		}
		after.SKU, after.Stamp = sku, inventory.Stamp{}
		if wrong := after.Check(); len(wrong) > 0 {
			return before, invalid(wrong...)
		}
		return after, nil
	})
	return p, err
}

// ArchiveProduct takes a product without stock out of the catalogue; its history stays.
func (s *Service) ArchiveProduct(ctx context.Context, caller Caller, sku string, pre Precondition) error {
	if err := s.may(caller, auth.ArchiveProduct); err != nil {
		return err
	}
	_, _, err := change(ctx, s, caller, auth.ArchiveProduct, productEntry(sku), pre, func(ctx context.Context, tx *store.Tx, before inventory.Product, exists bool) (inventory.Product, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("product", sku)
		}
		levels, err := tx.LevelsOfProduct(ctx, sku)
		if err != nil {
			return before, err
		}
		before.Stamp = archived
		return before, mustBeEmpty(tx, "product", sku, levels)
	})
	return err
}

// Product gives a product that is not archived.
func (s *Service) Product(ctx context.Context, caller Caller, sku string) (inventory.Product, error) {
	if err := s.may(caller, auth.GetProduct); err != nil {
		return inventory.Product{}, err
	}
	return s.product(ctx, sku)
}

func (s *Service) product(ctx context.Context, sku string) (inventory.Product, error) {
	p, err := s.store.Product(ctx, sku)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.ArchivedAt != nil {
		return p, missing("product", sku)
	}
	return p, fromStore(err, false)
}

// Products lists products, a page at a time, in the order of their SKUs.
func (s *Service) Products(ctx context.Context, caller Caller, query, category string, page Page) (Listed[inventory.Product], error) {
	if err := s.may(caller, auth.ListProducts); err != nil {
		return Listed[inventory.Product]{}, err
	}
	var last productsCursor
	if err := page.open(&last); err != nil {
		return Listed[inventory.Product]{}, err
	}
	items, err := s.store.Products(ctx, store.ProductFilter{Query: query, Category: category, After: last.SKU, Limit: page.Size + 1})
	if err != nil {
		return Listed[inventory.Product]{}, fromStore(err, false)
	}
	return listed(items, page, func(p inventory.Product) any { return productsCursor{p.SKU} })
}
