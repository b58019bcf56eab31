package grpcapi

import (
	"strconv"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

// domain is what reasons belong to.
const domain = "stockyard"

// An error's details travel in the trailers, of which some clients take no more than 8 KiB, encoded.
// What is listed there is cut at a budget of bytes; within messages there is none.
const (
	trailerBudget = 3 << 10
	noBudget      = 0
)

// status is the problem as grpc carries it.
func (p problem) status(requestID string, budget int) *status.Status {
	if p.firstRequest != "" {
		requestID = p.firstRequest
	}
	about := &errdetails.ErrorInfo{Reason: p.reason, Domain: domain, Metadata: map[string]string{}}
	details := []protoadapt.MessageV1{about, &errdetails.RequestInfo{RequestId: requestID}}
	details = append(details, p.ofKind(about, budget)...)
	if p.item != nil {
		details = append(details, &pb.BatchRefusal{Item: *p.item})
	}
	if p.retry > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(p.retry)})
	}
	st := status.New(p.code, p.message)
	detailed, err := st.WithDetails(details...)
	if err != nil { // only a bug can bring this about; the types are ours
		return st
	}
	return detailed
}

// ofKind gives the details that only some kinds have.
func (p problem) ofKind(about *errdetails.ErrorInfo, budget int) (details []protoadapt.MessageV1) {
	r := p.refusal
	switch {
	case p.code == codes.InvalidArgument:
		bad := &errdetails.BadRequest{}
		for _, f := range r.Fields {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: f.Field, Description: f.Message})
		}
		bad.FieldViolations = within(bad.FieldViolations, budget, "omitted_violations", about)
		details = append(details, bad)
	case p.code == codes.FailedPrecondition:
		details = append(details, p.precondition())
	case r.Kind == inventory.VersionMismatch:
		details = append(details, &pb.VersionMismatch{Expected: r.Expected, Current: r.Current})
	case r.Kind == inventory.NotFound:
		details = append(details, &errdetails.ResourceInfo{ResourceType: r.Resource, ResourceName: r.Name, Description: r.Detail})
	}
	if len(r.Shortages) > 0 {
		details = append(details, &pb.Shortages{Shortages: within(shortagesOf(r.Shortages), budget, "omitted_shortages", about)})
	}
	return details
}

// precondition says which state stands against a command, and at which fields where that is known.
func (p problem) precondition() *errdetails.PreconditionFailure {
	violation := &errdetails.PreconditionFailure_Violation{Type: p.reason, Description: p.message}
	if len(p.refusal.Fields) > 0 {
		violation.Subject = p.refusal.Fields[0].Field
	}
	return &errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{violation}}
}

// within cuts a list at a budget of bytes, and says in the error's own metadata how many are missing.
func within[M proto.Message](all []M, budget int, missing string, about *errdetails.ErrorInfo) []M {
	if budget == noBudget {
		return all
	}
	for i, m := range all {
		if budget -= proto.Size(m); budget < 0 {
			about.Metadata[missing] = strconv.Itoa(len(all) - i)
			return all[:i]
		}
	}
	return all
}
