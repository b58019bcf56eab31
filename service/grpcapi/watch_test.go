package grpcapi_test

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "stockyard/service/grpcapi/stockyardv1"
)

// What is committed comes to those who watch, as the list of events gives it; a watcher that was away
// goes on where it was, and one from the beginning gets it all.
func TestWatchGivesWhatIsCommitted(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		stream := ok(p.feed.Watch(with(t), &pb.WatchRequest{Skus: []string{s.sku}}))(t)
		begin := ok(stream.Recv())(t)
		if begin.GetCursor() == "" || begin.GetEvent() != nil {
			t.Fatalf("it begins with %v", begin)
		}
		for range 10 {
			ok(p.stock.Move(once(t), move("receive", s.line(1))))(t)
		}
		listed := ok(p.stock.ListEvents(with(t), &pb.ListEventsRequest{Location: s.location, Sku: s.sku}))(t).GetItems()
		for _, after := range []string{"", begin.GetCursor(), "earliest"} {
			if after != "" {
				stream = ok(p.feed.Watch(with(t), &pb.WatchRequest{Skus: []string{s.sku}, After: after}))(t)
			}
			for seen := int64(0); seen < 10; {
				m := ok(stream.Recv())(t)
				e := m.GetEvent()
				if e == nil {
					continue
				}
				if e.GetVersion() > seen+1 {
					t.Fatalf("version %d comes after %d", e.GetVersion(), seen)
				}
				if seen = max(seen, e.GetVersion()); !proto.Equal(e, listed[e.GetVersion()-1]) {
					t.Errorf("got %v; want %v", e, listed[e.GetVersion()-1])
				}
			}
		}
	})
}

func TestBadWatchersAreToldWhy(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for _, c := range []struct {
			ask    *pb.WatchRequest
			code   codes.Code
			reason string
		}{
			{&pb.WatchRequest{After: "nonsense"}, codes.InvalidArgument, "invalid-request"},
			{&pb.WatchRequest{Kinds: []string{"lost"}}, codes.InvalidArgument, "invalid-request"},
			{&pb.WatchRequest{Skus: make([]string, 501)}, codes.InvalidArgument, "over-limit"},
			{&pb.WatchRequest{Regions: []string{"mars"}}, codes.NotFound, "not-found"},
		} {
			stream := ok(p.feed.Watch(with(t), c.ask))(t)
			_, err := stream.Recv()
			fails(0, err)(t, c.code, c.reason)
		}
	})
}

// A pod that goes away doesn't wait for those who watch.
func TestWatchersDontHoldThePod(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		stream := ok(p.feed.Watch(with(t), &pb.WatchRequest{Skus: []string{"nobody"}}))(t)
		ok(stream.Recv())(t)
		done := make(chan error, 1)
		go func() { done <- p.server.Shutdown(t.Context()) }()
		_, err := stream.Recv()
		fails(0, err)(t, codes.Unavailable, "unavailable")
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the pod waits")
		}
	})
}
