package grpcapi_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/grpcapi"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
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

// revocable lets everybody in, until it is revoked.
type revocable struct{ revoked atomic.Bool }

func (r *revocable) Authenticate(context.Context, string) (auth.Principal, error) {
	if r.revoked.Load() {
		return auth.Principal{}, auth.ErrBadCredential
	}
	return auth.Nobody, nil
}

// A stream ends soon after its key was revoked, however much there is to see.
func TestABusyStreamEndsWithItsKey(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		key := &revocable{}
		open := start(t, db, db.Topology.Names()[0])
		guarded := start(t, db, db.Topology.Names()[0], func(_ *service.Options, o *grpcapi.Options) { o.Authenticator = key })
		s := open.shelf(t, 0)
		stream := ok(guarded.feed.Watch(with(t), &pb.WatchRequest{Skus: []string{s.sku}}))(t)
		defer storetest.Background(t, func(ctx context.Context) {
			for ctx.Err() == nil {
				ok(open.stock.Move(once(t), move("receive", s.line(1))))(t)
			}
		})()
		ok(stream.Recv())(t)
		key.revoked.Store(true)
		for began := time.Now(); ; {
			if _, err := stream.Recv(); err != nil {
				fails(0, err)(t, codes.Unauthenticated, "unauthenticated")
				break
			}
			if time.Since(began) > 50*time.Second {
				t.Fatal("whose key was revoked reads on")
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
