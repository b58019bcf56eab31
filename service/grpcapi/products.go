package grpcapi

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"
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
	attributes, err := attributesOf(p)
	return &pb.ProductInput{
		Name: p.Name, Description: p.Description, Unit: p.Unit, Barcode: p.Barcode,
		Category: p.Category, UnitCost: moneyOf(p.UnitCost), Attributes: attributes,
	}, err
}

func productOf(p inventory.Product) (*pb.Product, error) {
	attributes, err := attributesOf(p)
	return &pb.Product{
		Sku: p.SKU, Name: p.Name, Description: p.Description, Unit: p.Unit, Barcode: p.Barcode,
		Category: p.Category, UnitCost: moneyOf(p.UnitCost), Attributes: attributes,
		Version: p.Version, CreatedAt: timestamppb.New(p.CreatedAt), UpdatedAt: timestamppb.New(p.UpdatedAt),
	}, err
}

// valuesOf gives free values as JSON has them. The library's own way makes text of numbers that JSON
// doesn't have; here they stay, to be refused.
func valuesOf(s *structpb.Struct) map[string]any {
	values := make(map[string]any, len(s.GetFields()))
	for key, v := range s.GetFields() {
		values[key] = valueOf(v)
	}
	return values
}

func valueOf(v *structpb.Value) any {
	switch kind := v.GetKind().(type) {
	case *structpb.Value_NumberValue:
		return kind.NumberValue
	case *structpb.Value_StructValue:
		return valuesOf(kind.StructValue)
	case *structpb.Value_ListValue:
		return each(kind.ListValue.GetValues(), valueOf)
	}
	return v.AsInterface()
}

func attributesOf(p inventory.Product) (*structpb.Struct, error) {
	if p.Attributes == nil {
		return nil, nil
	}
	values, err := structpb.NewStruct(p.Attributes)
	if err != nil {
		return nil, fmt.Errorf("attributes of %q: %w", p.SKU, err)
	}
	return values, nil
}
