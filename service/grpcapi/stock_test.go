package grpcapi_test

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "stockyard/service/grpcapi/stockyardv1"
)

func TestStockSaysWhichMomentItSpeaksOf(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		var header metadata.MD
		level := ok(p.stock.GetLevel(with(t), &pb.GetLevelRequest{Location: s.location, Sku: s.sku}, grpc.Header(&header)))(t).GetLevel()
		if level.GetVersion() != 0 || level.GetUpdatedAt() != nil || level.GetRegion() != p.region {
			t.Errorf("a level that never had an event is %v", level)
		}
		ok(p.stock.Move(once(t), move("receive", s.line(7))))(t)
		for what, ask := range map[string]func(...grpc.CallOption) error{
			"level": func(o ...grpc.CallOption) error {
				_, err := p.stock.GetLevel(with(t), &pb.GetLevelRequest{Location: s.location, Sku: s.sku, Consistency: "bounded", MaxStaleness: "5s", MinVersion: ptr[int64](1)}, o...)
				return err
			},
			"levels": func(o ...grpc.CallOption) error {
				_, err := p.stock.ListLevels(with(t), &pb.ListLevelsRequest{Sku: s.sku}, o...)
				return err
			},
			"availability": func(o ...grpc.CallOption) error {
				_, err := p.stock.GetAvailability(with(t), &pb.GetAvailabilityRequest{Skus: []string{s.sku}}, o...)
				return err
			},
		} {
			var header metadata.MD
			if err := ask(grpc.Header(&header)); err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339Nano, value(header, "stock-as-of"))
			if err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("%s: stock-as-of is %q, %v", what, value(header, "stock-as-of"), err)
			}
		}
		st := fails(p.stock.GetLevel(with(t), &pb.GetLevelRequest{Location: s.location, Sku: s.sku, MinVersion: ptr[int64](9)}))(t, codes.Aborted, "version-mismatch")
		if d := detail[*pb.VersionMismatch](t, st); d.GetExpected() != 9 || d.GetCurrent() != 1 {
			t.Errorf("mismatch %v", d)
		}
	})
}

func TestStockOfThePast(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		first := ok(p.stock.Move(once(t), move("receive", s.line(7))))(t).GetMovement()
		ok(p.stock.Move(once(t), move("sell", s.line(2))))(t)
		asked := &pb.GetLevelRequest{Location: s.location, Sku: s.sku, AsOf: first.GetRecordedAt(), Axis: "recorded"}
		var h header
		if got := ok(p.stock.GetLevel(with(t), asked, h.keep()))(t).GetLevel(); got.GetOnHand() != 7 || got.GetVersion() != 1 || h.value("stock-as-of") == "" {
			t.Errorf("it was %v, %v", got, h.md)
		}
		asked.Consistency = "strong"
		fails(p.stock.GetLevel(with(t), asked))(t, codes.InvalidArgument, "invalid-request")
		asked = &pb.GetLevelRequest{Location: s.location, Sku: s.sku, Axis: "effective"}
		if got := wrong(t, fails(p.stock.GetLevel(with(t), asked))(t, codes.InvalidArgument, "invalid-request")); len(got) != 1 || got[0] != "axis" {
			t.Errorf("wrong are %v", got)
		}
	})
}

func TestListsComeInPages(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		for range 5 {
			ok(p.stock.Move(once(t), move("receive", s.line(1))))(t)
		}
		var versions []int64
		request := &pb.ListEventsRequest{Location: s.location, Sku: s.sku, AfterVersion: 1, PageSize: ptr[int64](2)}
		for pages := 1; ; pages++ {
			page := ok(p.stock.ListEvents(with(t), request))(t)
			for _, e := range page.GetItems() {
				versions = append(versions, e.GetVersion())
			}
			if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
				break
			}
		}
		if len(versions) != 4 || versions[0] != 2 || versions[3] != 5 {
			t.Errorf("versions %v", versions)
		}
		levels := ok(p.stock.ListLevels(with(t), &pb.ListLevelsRequest{Location: s.location, AvailableBelow: ptr[int64](6)}))(t).GetItems()
		if len(levels) != 1 || levels[0].GetAvailable() != 5 {
			t.Errorf("levels %v", levels)
		}
	})
}

// What a line may say, a movement may say for all lines; an event carries all of it.
func TestEverythingAMovementMaySay(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		yesterday := time.Now().Add(-24 * time.Hour).Truncate(time.Microsecond)
		receive := movement("receive", s.line(10))
		receive.Reason, receive.Reference, receive.EffectiveAt = "delivery", "note 7", timestamppb.New(yesterday)
		receive.Lines[0].IfVersion, receive.Lines[0].UnitCost = ptr[int64](0), &pb.Money{Amount: "1.5", Currency: "EUR"}
		moved := ok(p.stock.Move(once(t), &pb.MoveRequest{Movement: receive}))(t).GetMovement()
		event := ok(p.stock.ListEvents(with(t), &pb.ListEventsRequest{Location: s.location, Sku: s.sku}))(t).GetItems()[0]
		want := &pb.Event{
			Location: s.location, Sku: s.sku, Region: p.region, Version: 1, Kind: "receive", Deltas: &pb.Balances{OnHand: 10},
			Balances: &pb.Balances{OnHand: 10}, Movement: moved.GetId(), UnitCost: &pb.Money{Amount: "1.5", Currency: "EUR"},
			Reason: "delivery", Reference: "note 7", Actor: "anonymous",
			EffectiveAt: timestamppb.New(yesterday), RecordedAt: moved.GetRecordedAt(),
		}
		if !proto.Equal(event, want) {
			t.Errorf("the event is %v, want %v", event, want)
		}
		returned := movement("return", s.line(2))
		returned.To = "quarantined"
		ok(p.stock.Move(once(t), &pb.MoveRequest{Movement: returned}))(t)
		scrap := s.line(1)
		scrap.From = "quarantined"
		ok(p.stock.Move(once(t), move("scrap", scrap)))(t)
		sale := movement("sell", s.line(12))
		sale.AllowShortfall = ptr(true)
		ok(p.stock.Move(once(t), &pb.MoveRequest{Movement: sale}))(t)
		count := s.line(3)
		count.AsOfVersion = ptr[int64](4)
		if got := ok(p.stock.Move(once(t), move("count", count)))(t).GetMovement(); got.GetKind() != "count" {
			t.Errorf("counted %v", got)
		}
		if got, want := p.balances(t, s), "on_hand 3 held 0 allocated 0 quarantined 1 shortfall 0 available 2 version 5"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func value(header metadata.MD, key string) string {
	if v := header.Get(key); len(v) == 1 {
		return v[0]
	}
	return ""
}
