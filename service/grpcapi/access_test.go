package grpcapi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/grpcapi"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
)

// byName takes callers for what their credential says.
type byName map[string]auth.Principal

func (b byName) Authenticate(_ context.Context, authorization string) (auth.Principal, error) {
	switch p, known := b[authorization]; {
	case authorization == "":
		return p, auth.ErrNoCredential
	case authorization == "later":
		return p, auth.ErrUnavailable
	case !known:
		return p, auth.ErrBadCredential
	default:
		return p, nil
	}
}

func TestOnlyWhoMayComesIn(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		warehouse := auth.Principal{Kind: auth.KindKey, ID: "wms", Grants: []auth.Grant{{Role: auth.Warehouse, Regions: []string{america}}}}
		known := byName{
			"Bearer wms":  warehouse,
			"Bearer all":  {Kind: auth.KindKey, ID: "root", Grants: []auth.Grant{{Role: auth.Admin}}},
			"Bearer view": {Kind: auth.KindKey, ID: "view", Grants: []auth.Grant{{Role: auth.Viewer}}},
		}
		open := start(t, db, america)
		s, far := open.shelf(t, 5), shelf{open.location(t, europe), open.product(t)}
		p := start(t, db, america, func(_ *service.Options, o *grpcapi.Options) { o.Authenticator = known })
		receive := func(who string, at shelf) (*pb.MoveResponse, error) {
			return p.stock.Move(keyed(t, name("key"), "authorization", who), move("receive", at.line(1)))
		}
		ok(receive("Bearer wms", s))(t)
		fails(receive("Bearer wms", far))(t, codes.PermissionDenied, "forbidden")
		fails(receive("Bearer view", s))(t, codes.PermissionDenied, "forbidden")
		fails(receive("Bearer other", s))(t, codes.Unauthenticated, "unauthenticated")
		fails(receive("later", s))(t, codes.Unavailable, "unavailable")
		// Whoever may not come in isn't listened to: what is too large isn't even read.
		huge := move("receive", s.line(1))
		huge.GetMovement().Reason = strings.Repeat("x", 5<<20)
		fails(p.stock.Move(once(t), huge))(t, codes.Unauthenticated, "unauthenticated")

		stranger := name("request")
		fails(p.admin.ListKeys(with(t, "authorization", "Bearer other", "x-request-id", stranger), &pb.ListKeysRequest{}))(t, codes.Unauthenticated, "unauthenticated")
		until(t, "the audit log has the attempt", func() bool {
			asked := &pb.ListAuditLogRequest{RequestId: stranger, Outcome: "unauthenticated", Operation: "list_keys"}
			found := ok(p.admin.ListAuditLog(with(t, "authorization", "Bearer all"), asked))(t).GetItems()
			return len(found) == 1 && found[0].GetDetail() == "from 127.0.0.1"
		})

		events := ok(p.stock.ListEvents(with(t, "authorization", "Bearer all"), &pb.ListEventsRequest{Location: s.location, Sku: s.sku}))(t).GetItems()
		if len(events) != 2 || events[1].GetActor() != "key:wms" {
			t.Errorf("the ledger says %v", events)
		}
	})
}

// Whoever forgets to say who may come in has a door that is shut.
func TestWithoutAnAuthenticatorNobodyComesIn(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(_ *service.Options, o *grpcapi.Options) { o.Authenticator = nil })
		fails(p.catalogue.ListRegions(with(t), &pb.ListRegionsRequest{}))(t, codes.Unauthenticated, "unauthenticated")
	})
}

// Whoever asks for more than a share is told when to come back; others aren't kept from theirs.
func TestAShareIsAllThatAPrincipalGets(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		admin := []auth.Grant{{Role: auth.Admin}}
		known := byName{"greedy": {Kind: auth.KindKey, ID: "greedy", Grants: admin}, "modest": {Kind: auth.KindKey, ID: "modest", Grants: admin}}
		p := start(t, db, america, func(o *service.Options, door *grpcapi.Options) { o.RateLimit, door.Authenticator = 2, known })
		ask := func(who string) (*pb.ListRegionsResponse, error) {
			return p.catalogue.ListRegions(with(t, "authorization", who), &pb.ListRegionsRequest{})
		}
		var refused error
		for range 100 {
			if _, refused = ask("greedy"); refused != nil {
				break
			}
		}
		st := fails(struct{}{}, refused)(t, codes.ResourceExhausted, "rate-limited")
		if wait := detail[*errdetails.RetryInfo](t, st).GetRetryDelay().AsDuration(); wait <= 0 || wait > time.Second {
			t.Errorf("come back after %s", wait)
		}
		ok(ask("modest"))(t)
	})
}
