package grpcapi_test

import (
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"

	pb "stockyard/service/grpcapi/stockyardv1"
)

func TestProducts(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		sku, category := name("Té 1/2 +"), name("category")
		input := &pb.ProductInput{
			Name: "Tea", Description: "Loose", Unit: "g", Barcode: "123", Category: category,
			UnitCost:   &pb.Money{Amount: "2.50", Currency: "GBP"},
			Attributes: attributes(t, map[string]any{"organic": true, "origin": map[string]any{"country": "LK"}, "a.b": 1.0}),
		}
		put := ok(p.catalogue.PutProduct(with(t), &pb.PutProductRequest{Sku: sku, Input: input}))(t)
		if got := put.GetProduct(); !put.GetCreated() || got.GetVersion() != 1 || got.GetName() != "Tea" || got.GetCreatedAt() == nil || !proto.Equal(got.GetAttributes(), input.GetAttributes()) {
			t.Errorf("put %v", put)
		}
		if again := ok(p.catalogue.PutProduct(with(t), &pb.PutProductRequest{Sku: sku, Input: input, IfVersion: ptr[int64](1)}))(t); again.GetCreated() || again.GetProduct().GetVersion() != 2 {
			t.Errorf("put again %v", again)
		}
		patched := ok(p.catalogue.PatchProduct(with(t), &pb.PatchProductRequest{
			Sku: sku, IfVersion: ptr[int64](2), Input: &pb.ProductInput{Name: "Black tea", Attributes: attributes(t, map[string]any{"a.b": 2.0})},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"name", "description", "unit_cost", "attributes.organic", "attributes.a.b"}},
		}))(t).GetProduct()
		want := attributes(t, map[string]any{"origin": map[string]any{"country": "LK"}, "a.b": 2.0})
		if patched.GetName() != "Black tea" || patched.GetDescription() != "" || patched.GetUnitCost() != nil || patched.GetUnit() != "g" || !proto.Equal(patched.GetAttributes(), want) {
			t.Errorf("patched %v", patched)
		}
		// Without a mask: what is set, and nothing else.
		patched = ok(p.catalogue.PatchProduct(with(t), &pb.PatchProductRequest{Sku: sku, Input: &pb.ProductInput{Unit: "kg"}}))(t).GetProduct()
		if patched.GetUnit() != "kg" || patched.GetName() != "Black tea" || patched.GetVersion() != 4 {
			t.Errorf("patched without a mask: %v", patched)
		}
		if got := ok(p.catalogue.GetProduct(with(t), &pb.GetProductRequest{Sku: sku}))(t).GetProduct(); !proto.Equal(got, patched) {
			t.Errorf("got %v, want %v", got, patched)
		}
		list := ok(p.catalogue.ListProducts(with(t), &pb.ListProductsRequest{Category: category, Query: "black"}))(t)
		if len(list.GetItems()) != 1 || !proto.Equal(list.GetItems()[0], patched) || list.GetNextPageToken() != "" {
			t.Errorf("listed %v", list)
		}
		fresh := &pb.PutProductRequest{Sku: sku, Input: input, IfVersion: ptr[int64](0)}
		st := fails(p.catalogue.PutProduct(with(t), fresh))(t, codes.Aborted, "version-mismatch")
		if d := detail[*pb.VersionMismatch](t, st); d.GetExpected() != 0 || d.GetCurrent() != 4 {
			t.Errorf("mismatch %v", d)
		}
		ok(p.catalogue.ArchiveProduct(with(t), &pb.ArchiveProductRequest{Sku: sku, IfVersion: ptr[int64](4)}))(t)
		if again := ok(p.catalogue.PutProduct(with(t), fresh))(t); !again.GetCreated() {
			t.Errorf("made where there was none: %v", again)
		}
		ok(p.catalogue.ArchiveProduct(with(t), &pb.ArchiveProductRequest{Sku: sku}))(t)
		fails(p.catalogue.GetProduct(with(t), &pb.GetProductRequest{Sku: sku}))(t, codes.NotFound, "not-found")
	})
}

// An attribute can be set where there was none at all, and a mask may name what is no field.
func TestPatchesOfAttributes(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		sku := p.product(t)
		one := &pb.PatchProductRequest{
			Sku: sku, Input: &pb.ProductInput{Attributes: attributes(t, map[string]any{"colour": "red"})},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"attributes.colour"}},
		}
		if got := ok(p.catalogue.PatchProduct(with(t), one))(t).GetProduct().GetAttributes().AsMap(); len(got) != 1 || got["colour"] != "red" {
			t.Errorf("attributes %v", got)
		}
		one.UpdateMask.Paths = []string{"name", "sku", "version", "unit_cost.amount", "attributes.", "*"}
		st := fails(p.catalogue.PatchProduct(with(t), one))(t, codes.InvalidArgument, "invalid-request")
		if got := wrong(t, st); !slices.Equal(got, []string{"update_mask.paths[1]", "update_mask.paths[2]", "update_mask.paths[3]", "update_mask.paths[4]", "update_mask.paths[5]"}) {
			t.Errorf("wrong are %v", got)
		}
		fails(p.catalogue.PatchProduct(with(t), &pb.PatchProductRequest{Sku: name("none"), Input: &pb.ProductInput{Name: "x"}}))(t, codes.NotFound, "not-found")
		empty := &pb.PatchProductRequest{Sku: sku, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"name"}}}
		if got := wrong(t, fails(p.catalogue.PatchProduct(with(t), empty))(t, codes.InvalidArgument, "invalid-request")); !slices.Equal(got, []string{"name"}) {
			t.Errorf("an emptied name: wrong are %v", got)
		}
	})
}

func TestLocations(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		site := name("site")
		input := &pb.LocationInput{Name: "Site", Region: europe, Kind: "warehouse", Country: "GB", Latitude: ptr(0.0), Longitude: ptr(-0.1), Priority: 3}
		put := ok(p.catalogue.PutLocation(with(t), &pb.PutLocationRequest{Location: site, Input: input}))(t)
		if got := put.GetLocation(); !put.GetCreated() || got.GetRegion() != europe || got.Latitude == nil || got.GetLongitude() != -0.1 || got.GetPriority() != 3 {
			t.Errorf("put %v", put)
		}
		patched := ok(p.catalogue.PatchLocation(with(t), &pb.PatchLocationRequest{
			Location: site, IfVersion: ptr[int64](1), Input: &pb.LocationInput{Name: "New"},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"name", "latitude", "longitude"}},
		}))(t).GetLocation()
		if patched.GetName() != "New" || patched.Latitude != nil || patched.GetKind() != "warehouse" || patched.GetVersion() != 2 {
			t.Errorf("patched %v", patched)
		}
		st := fails(p.catalogue.PatchLocation(with(t), &pb.PatchLocationRequest{Location: site, Input: &pb.LocationInput{Region: america}}))(t, codes.FailedPrecondition, "conflict")
		if st.Message() == "" {
			t.Error("nothing is said")
		}
		if got := ok(p.catalogue.GetLocation(with(t), &pb.GetLocationRequest{Location: site}))(t).GetLocation(); !proto.Equal(got, patched) {
			t.Errorf("got %v", got)
		}
		list := ok(p.catalogue.ListLocations(with(t), &pb.ListLocationsRequest{Region: europe, PageSize: ptr[int64](1000)}))(t)
		if !slices.ContainsFunc(list.GetItems(), func(l *pb.Location) bool { return proto.Equal(l, patched) }) {
			t.Errorf("%s is not among %v", site, list)
		}
		ok(p.catalogue.ArchiveLocation(with(t), &pb.ArchiveLocationRequest{Location: site}))(t)
		fails(p.catalogue.GetLocation(with(t), &pb.GetLocationRequest{Location: site}))(t, codes.NotFound, "not-found")
	})
}

func TestChannels(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 10)
		web := name("web")
		input := &pb.ChannelInput{Name: "Web", Kind: "web", Locations: []string{s.location}, SafetyStock: 4}
		if put := ok(p.catalogue.PutChannel(with(t), &pb.PutChannelRequest{Channel: web, Input: input}))(t); !put.GetCreated() || put.GetChannel().GetSafetyStock() != 4 {
			t.Errorf("put %v", put)
		}
		asked := &pb.GetAvailabilityRequest{Skus: []string{s.sku}, Channel: web, Region: p.region}
		if got := ok(p.stock.GetAvailability(with(t), asked))(t).GetItems()[0]; got.GetAvailable() != 10 || got.GetSellable() != 6 || got.GetByRegion()[p.region] != 10 || got.GetByLocation()[0].GetLocation() != s.location {
			t.Errorf("available %v", got)
		}
		patched := ok(p.catalogue.PatchChannel(with(t), &pb.PatchChannelRequest{
			Channel: web, Input: &pb.ChannelInput{SafetyStock: 1}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"safety_stock", "locations"}},
		}))(t).GetChannel()
		if patched.GetSafetyStock() != 1 || len(patched.GetLocations()) != 0 || patched.GetKind() != "web" {
			t.Errorf("patched %v", patched)
		}
		if got := ok(p.catalogue.GetChannel(with(t), &pb.GetChannelRequest{Channel: web}))(t).GetChannel(); !proto.Equal(got, patched) {
			t.Errorf("got %v", got)
		}
		list := ok(p.catalogue.ListChannels(with(t), &pb.ListChannelsRequest{PageSize: ptr[int64](1000)}))(t)
		if !slices.ContainsFunc(list.GetItems(), func(c *pb.Channel) bool { return proto.Equal(c, patched) }) {
			t.Errorf("%s is not among %v", web, list)
		}
		ok(p.catalogue.ArchiveChannel(with(t), &pb.ArchiveChannelRequest{Channel: web}))(t)
		fails(p.catalogue.GetChannel(with(t), &pb.GetChannelRequest{Channel: web}))(t, codes.NotFound, "not-found")
	})
}

func TestRegionsSayWhoAnswered(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		got := ok(p.catalogue.ListRegions(with(t), &pb.ListRegionsRequest{}))(t)
		if got.GetAnsweredBy() != america || len(got.GetRegions()) != len(p.Topology.Regions) || len(got.GetRegions()[1].GetCountries()) == 0 {
			t.Errorf("regions %v", got)
		}
	})
}

func attributes(t testing.TB, values map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestThresholds(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		low := name("low")
		put := ok(p.catalogue.PutThreshold(with(t), &pb.PutThresholdRequest{Name: low, Input: &pb.ThresholdInput{Sku: s.sku, Location: s.location, Below: 5}}))(t)
		if got := put.GetThreshold(); !put.GetCreated() || !got.GetActive() || got.GetSku() != s.sku || got.GetLocation() != s.location || got.GetBelow() != 5 || got.GetVersion() != 1 {
			t.Errorf("put %v", put)
		}
		patched := ok(p.catalogue.PatchThreshold(with(t), &pb.PatchThresholdRequest{
			Name: low, IfVersion: ptr[int64](1), Input: &pb.ThresholdInput{Active: ptr(false)}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"active", "sku"}},
		}))(t).GetThreshold()
		if patched.GetActive() || patched.GetSku() != "" || patched.GetBelow() != 5 {
			t.Errorf("patched %v", patched)
		}
		list := ok(p.catalogue.ListThresholds(with(t), &pb.ListThresholdsRequest{PageSize: ptr[int64](1000)}))(t)
		if !slices.ContainsFunc(list.GetItems(), func(c *pb.Threshold) bool { return proto.Equal(c, patched) }) {
			t.Errorf("%s is not among %v", low, list)
		}
		both := &pb.PutThresholdRequest{Name: low, Input: &pb.ThresholdInput{Location: s.location, Channel: "web", Below: 5}}
		fails(p.catalogue.PutThreshold(with(t), both))(t, codes.InvalidArgument, "invalid-request")
		ok(p.catalogue.ArchiveThreshold(with(t), &pb.ArchiveThresholdRequest{Name: low}))(t)
		fails(p.catalogue.GetThreshold(with(t), &pb.GetThresholdRequest{Name: low}))(t, codes.NotFound, "not-found")
	})
}
