package grpcapi_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "stockyard/service/grpcapi/stockyardv1"
)

func TestVerifyNamesItsChecks(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		got := ok(p.admin.Verify(with(t), &pb.VerifyRequest{}))(t)
		if !got.GetClean() || len(got.GetChecks()) < 5 || got.GetChecks()[0].GetAbout() == "" || time.Since(got.GetAsOf().AsTime()).Abs() > time.Minute {
			t.Errorf("verified %v", got)
		}
	})
}

func TestKeys(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		odd := &pb.CreateKeyRequest{Grants: []string{"king"}, ExpiresIn: "soon"}
		fields := wrong(t, fails(p.admin.CreateKey(with(t), odd))(t, codes.InvalidArgument, "invalid-request"))
		slices.Sort(fields)
		if got := strings.Join(fields, " "); got != "expires_in grants[0] name" {
			t.Errorf("wrong are %s", got)
		}
		made := ok(p.admin.CreateKey(with(t), &pb.CreateKeyRequest{Name: "WMS", Grants: []string{"warehouse@region:" + europe}, ExpiresIn: "720h"}))(t)
		key := made.GetKey()
		if !strings.Contains(made.GetText(), key.GetId()) || key.GetStatus() != "active" || key.GetExpiresAt() == nil || key.GetGrants()[0] != "warehouse@region:"+europe {
			t.Errorf("made %v", made)
		}
		if got := ok(p.admin.GetKey(with(t), &pb.GetKeyRequest{Id: key.GetId()}))(t).GetKey(); got.GetName() != "WMS" || got.GetCreatedBy() != "anonymous" || got.GetLastUsedAt() != nil {
			t.Errorf("got %v", got)
		}
		list := ok(p.admin.ListKeys(with(t), &pb.ListKeysRequest{PageSize: ptr[int64](1000)}))(t).GetItems()
		if !slices.ContainsFunc(list, func(k *pb.Key) bool { return k.GetId() == key.GetId() }) {
			t.Errorf("it is not among %v", list)
		}
		if got := ok(p.admin.RevokeKey(with(t), &pb.RevokeKeyRequest{Id: key.GetId()}))(t).GetKey(); got.GetStatus() != "revoked" || got.GetRevokedAt() == nil {
			t.Errorf("revoked %v", got)
		}
		st := fails(p.admin.GetKey(with(t), &pb.GetKeyRequest{Id: made.GetText()}))(t, codes.InvalidArgument, "invalid-request")
		if strings.Contains(st.String(), made.GetText()) {
			t.Errorf("the answer repeats a key: %v", st)
		}
	})
}

func TestTheAuditLogSaysWhatWasDone(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		sku, request := p.product(t), name("request")
		ok(p.catalogue.PatchProduct(with(t, "x-request-id", request), &pb.PatchProductRequest{Sku: sku, Input: &pb.ProductInput{Name: "Green tea"}}))(t)
		asked := &pb.ListAuditLogRequest{RequestId: request, Operation: "patch_product", Since: timestamppb.New(time.Now().Add(-time.Hour))}
		got := ok(p.admin.ListAuditLog(with(t), asked))(t).GetItems()
		if len(got) != 1 || got[0].GetName() != sku || got[0].GetActor() != "anonymous" || got[0].GetOutcome() != "accepted" || got[0].GetAfter().AsMap()["name"] != "Green tea" {
			t.Errorf("the log says %v", got)
		}
		ok(p.admin.ListSeals(with(t), &pb.ListSealsRequest{Region: america}))(t)
		fields := wrong(t, fails(p.admin.ListAuditLog(with(t), &pb.ListAuditLogRequest{Outcome: "odd"}))(t, codes.InvalidArgument, "invalid-request"))
		if !slices.Equal(fields, []string{"outcome"}) {
			t.Errorf("wrong are %v", fields)
		}
	})
}
