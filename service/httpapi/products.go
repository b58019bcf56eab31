package httpapi

import (
	"net/http"

	"stockyard/service/inventory"
)

func productBodyOf(p inventory.Product) productBody {
	return productBody{p.Name, p.Description, p.Unit, p.Barcode, p.Category, p.UnitCost, p.Attributes}
}

func (b productBody) apply(p inventory.Product) inventory.Product {
	p.Name, p.Description, p.Unit, p.Barcode = b.Name, b.Description, b.Unit, b.Barcode
	p.Category, p.UnitCost, p.Attributes = b.Category, b.UnitCost, b.Attributes
	return p
}

func (a *api) putProduct(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	sku, err := r.sku()
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	body, err := decode[productBody](r)
	if err != nil {
		return reply{}, err
	}
	p, created, err := a.service.PutProduct(r.ctx, r.who, body.apply(inventory.Product{SKU: sku}), pre)
	return reply{status: putStatus(created), body: p, version: p.Version}, err
}

func (a *api) getProduct(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	sku, err := r.sku()
	if err != nil {
		return reply{}, err
	}
	p, err := a.service.Product(r.ctx, r.who, sku)
	return reply{status: http.StatusOK, body: p, version: p.Version}, err
}

func (a *api) patchProduct(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	sku, err := r.sku()
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	patch, err := mergePatch(r, productBodyOf, func(p inventory.Product, b productBody) inventory.Product { return b.apply(p) })
	if err != nil {
		return reply{}, err
	}
	p, err := a.service.PatchProduct(r.ctx, r.who, sku, pre, patch)
	return reply{status: http.StatusOK, body: p, version: p.Version}, err
}

func (a *api) deleteProduct(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	sku, err := r.sku()
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, a.service.ArchiveProduct(r.ctx, r.who, sku, pre)
}

func (a *api) listProducts(r *request) (reply, error) {
	q := r.query()
	search, category, page := q.text("query"), q.text("category"), q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Products(r.ctx, r.who, search, category, page)
	return reply{status: http.StatusOK, body: list}, err
}

func putStatus(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}
