package grpcapi_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/grpcapi"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
)

const asia = "asia-southeast1"

// granted takes a bearer's word for who it is and what it may do: a name and its grants, as in
// `Bearer till-7 pos@location:NYC viewer`.
type granted struct{}

func (granted) Authenticate(_ context.Context, authorization string) (auth.Principal, error) {
	words, bearer := strings.CutPrefix(authorization, "Bearer ")
	said := strings.Fields(words)
	switch {
	case authorization == "":
		return auth.Principal{}, auth.ErrNoCredential
	case !bearer || len(said) == 0:
		return auth.Principal{}, auth.ErrBadCredential
	}
	p := auth.Principal{Kind: auth.KindKey, ID: said[0], Name: said[0]}
	for _, text := range said[1:] {
		g, err := auth.ParseGrant(text)
		if err != nil {
			return auth.Principal{}, auth.ErrBadCredential
		}
		p.Grants = append(p.Grants, g)
	}
	return p, nil
}

// reach says which grants of a role do for a call.
type reach int

const (
	anywhere   reach = iota // any grant does
	everywhere              // one that is bound doesn't
	placed                  // the grant must be good where the request is about
)

// call is what a test knows of an operation: who may do it, with which grants, and a request about
// something in america, made afresh where it would not be the same twice.
type call struct {
	roles string // besides admin
	reach reach
	ask   func(t *testing.T, f *field) proto.Message
}

func (c call) takes(role, bound string) bool {
	switch {
	case role != "admin" && !slices.Contains(strings.Fields(c.roles), role),
		c.reach == everywhere && bound != "",
		c.reach == placed && bound == "@region:"+asia:
		return false
	}
	return true
}

// Every call, every role, with a grant that is good everywhere, one that is good where the request is
// about, and one that is good elsewhere; and nobody at all.
func TestEveryCallIsForThoseWhoMayAlone(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		f := newField(t, start(t, db, america))
		f.guarded = start(t, db, america, func(_ *service.Options, o *grpcapi.Options) { o.Authenticator = granted{} })
		who, request := name("who"), name("request")
		var denied, unknown atomic.Int64
		t.Run("each", func(t *testing.T) {
			known := calls()
			for path, m := range methods() {
				c, described := known[string(m.Name())]
				if !described {
					t.Errorf("nothing is said about who may call %s", path)
					continue
				}
				t.Run(string(m.Name()), func(t *testing.T) {
					t.Parallel()
					for _, credential := range []string{"", "Basic YTpi"} {
						unknown.Add(1)
						err := f.guarded.invoke(keyed(t, name("key"), "authorization", credential, "x-request-id", request), path, m, c.ask(t, f))
						fails(0, err)(t, codes.Unauthenticated, "unauthenticated")
					}
					denied.Add(c.walk(t, f, path, m, who))
				})
			}
		})
		f.refusals(t, &pb.ListAuditLogRequest{Outcome: "denied", Actor: "key:" + who}, denied.Load())
		f.refusals(t, &pb.ListAuditLogRequest{Outcome: "unauthenticated", RequestId: request}, unknown.Load())
		db.Verify(t)
	})
}

// walk calls as everybody, and gives how many were turned away. What was refused left no trace: the
// next one sends the same, and it does what it would have done at first.
func (c call) walk(t *testing.T, f *field, path string, m protoreflect.MethodDescriptor, who string) (denied int64) {
	var message proto.Message
	for _, role := range auth.Roles() {
		for _, bound := range []string{"@region:" + asia, "", "@region:" + america} {
			if message == nil {
				message = c.ask(t, f)
			}
			credential := "Bearer " + who + " " + string(role) + bound
			err := f.guarded.invoke(keyed(t, name("key"), "authorization", credential), path, m, message)
			switch {
			case !c.takes(string(role), bound):
				fails(0, err)(t, codes.PermissionDenied, "forbidden")
				denied++
				continue
			case err != nil:
				t.Errorf("as %s%s: %v", role, bound, err)
			}
			message = nil
		}
	}
	return denied
}

// invoke makes a call that sends one message, and reads all that comes back; of a stream that never
// ends, the first message.
func (p *pod) invoke(ctx context.Context, path string, m protoreflect.MethodDescriptor, message proto.Message) error {
	if !m.IsStreamingClient() && !m.IsStreamingServer() {
		return p.conn.Invoke(ctx, path, message, dynamicpb.NewMessage(m.Output()))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: m.IsStreamingClient(), ServerStreams: m.IsStreamingServer()}, path)
	if err != nil {
		return err
	}
	if err := errors.Join(stream.SendMsg(message), stream.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for {
		switch err := stream.RecvMsg(dynamicpb.NewMessage(m.Output())); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil || !m.IsStreamingClient():
			return err
		}
	}
}

// refusals waits until the audit log has so many attempts of a query.
func (f *field) refusals(t *testing.T, query *pb.ListAuditLogRequest, attempts int64) {
	t.Helper()
	query.PageSize = ptr[int64](1000)
	until(t, "every refusal is in the audit log", func() bool {
		var sum int64
		for _, e := range ok(f.admin.ListAuditLog(with(t), query))(t).GetItems() {
			sum += e.GetAttempts()
		}
		if sum > attempts {
			t.Fatalf("%v: %d attempts are in the audit log, not %d", query, sum, attempts)
		}
		return sum == attempts
	})
}

// What is allowed by the role alone is refused within a batch for each item whose place isn't the
// caller's; all or none is none.
func TestABatchIsJudgedItemByItem(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		open := start(t, db, america)
		p := start(t, db, america, func(_ *service.Options, o *grpcapi.Options) { o.Authenticator = granted{} })
		near, far := open.shelf(t, 5), shelf{open.location(t, asia), open.product(t)}
		till := func() context.Context {
			return keyed(t, name("key"), "authorization", "Bearer till pos@region:"+america)
		}
		items := []*pb.MovementInput{movement("return", far.line(1)), movement("return", near.line(1))}
		fails(p.stock.MoveBatch(till(), &pb.MoveBatchRequest{Movements: items, OnError: "abort"}))(t, codes.PermissionDenied, "forbidden")
		got := ok(p.stock.MoveBatch(till(), &pb.MoveBatchRequest{Movements: items}))(t).GetItems()
		if refused := got[0].GetError(); codes.Code(refused.GetCode()) != codes.PermissionDenied || got[1].GetError() != nil {
			t.Errorf("the items are %v", got)
		}
		for s, want := range map[shelf]string{near: "on_hand 6", far: "on_hand 0"} {
			if got := open.balances(t, s); !strings.HasPrefix(got, want+" ") {
				t.Errorf("%s: %s, want %s", s.location, got, want)
			}
		}
		db.Verify(t)
	})
}
