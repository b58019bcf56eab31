package grpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

func (c *catalogue) PutProduct(ctx context.Context, r *pb.PutProductRequest) (*pb.PutProductResponse, error) {
	if err := catalogued("sku", r.GetSku(), inventory.CheckSKU); err != nil {
		return nil, err
	}
	p, created, err := c.service.PutProduct(ctx, callerOf(ctx), applyProduct(inventory.Product{SKU: r.GetSku()}, r.GetInput()), precondition(r.IfVersion))
	if err != nil {
		return nil, err
	}
	answer, err := productOf(p)
	return &pb.PutProductResponse{Product: answer, Created: created}, err
}

func (c *catalogue) GetProduct(ctx context.Context, r *pb.GetProductRequest) (*pb.GetProductResponse, error) {
	if err := catalogued("sku", r.GetSku(), inventory.CheckSKU); err != nil {
		return nil, err
	}
	p, err := c.service.Product(ctx, callerOf(ctx), r.GetSku())
	if err != nil {
		return nil, err
	}
	answer, err := productOf(p)
	return &pb.GetProductResponse{Product: answer}, err
}

func (c *catalogue) PatchProduct(ctx context.Context, r *pb.PatchProductRequest) (*pb.PatchProductResponse, error) {
	if err := catalogued("sku", r.GetSku(), inventory.CheckSKU); err != nil {
		return nil, err
	}
	change, err := patch(r.GetInput(), r.GetUpdateMask(), productInputOf, applyProduct)
	if err != nil {
		return nil, err
	}
	p, err := c.service.PatchProduct(ctx, callerOf(ctx), r.GetSku(), precondition(r.IfVersion), change)
	if err != nil {
		return nil, err
	}
	answer, err := productOf(p)
	return &pb.PatchProductResponse{Product: answer}, err
}

func (c *catalogue) ArchiveProduct(ctx context.Context, r *pb.ArchiveProductRequest) (*pb.ArchiveProductResponse, error) {
	if err := catalogued("sku", r.GetSku(), inventory.CheckSKU); err != nil {
		return nil, err
	}
	return &pb.ArchiveProductResponse{}, c.service.ArchiveProduct(ctx, callerOf(ctx), r.GetSku(), precondition(r.IfVersion))
}

func (c *catalogue) ListProducts(ctx context.Context, r *pb.ListProductsRequest) (*pb.ListProductsResponse, error) {
	var in reader
	query, category := in.text("query", r.GetQuery()), in.text("category", r.GetCategory())
	page := in.page(r.PageSize, r.GetPageToken())
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := c.service.Products(ctx, callerOf(ctx), query, category, page)
	if err != nil {
		return nil, err
	}
	answer := &pb.ListProductsResponse{NextPageToken: list.NextPageToken}
	for _, p := range list.Items {
		item, err := productOf(p)
		if err != nil {
			return nil, err
		}
		answer.Items = append(answer.Items, item)
	}
	return answer, nil
}

func applyProduct(p inventory.Product, in *pb.ProductInput) inventory.Product {
	p.Name, p.Description, p.Unit, p.Barcode = in.GetName(), in.GetDescription(), in.GetUnit(), in.GetBarcode()
	p.Category, p.UnitCost, p.Attributes = in.GetCategory(), moneyIn(in.GetUnitCost()), nil
	if in.GetAttributes() != nil {
		p.Attributes = valuesOf(in.GetAttributes())
	}
	return p
}

func productInputOf(p inventory.Product) (*pb.ProductInput, error) {
	attributes, err := structOf(p.Attributes)
	return &pb.ProductInput{
		Name: p.Name, Description: p.Description, Unit: p.Unit, Barcode: p.Barcode,
		Category: p.Category, UnitCost: moneyOf(p.UnitCost), Attributes: attributes,
	}, err
}

func productOf(p inventory.Product) (*pb.Product, error) {
	attributes, err := structOf(p.Attributes)
	return &pb.Product{
		Sku: p.SKU, Name: p.Name, Description: p.Description, Unit: p.Unit, Barcode: p.Barcode,
		Category: p.Category, UnitCost: moneyOf(p.UnitCost), Attributes: attributes,
		Version: p.Version, CreatedAt: timestamppb.New(p.CreatedAt), UpdatedAt: timestamppb.New(p.UpdatedAt),
	}, err
}
