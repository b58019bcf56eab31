package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/telemetry/tracing"
)

// Metadata that calls and answers carry. The names are those of REST's headers.
const (
	keyCredential = "authorization"
	keyKey        = "idempotency-key"
	keyRequestID  = "x-request-id"
	keyRegion     = "stockyard-region"
	keyReplayed   = "idempotency-replayed"
	keyAsOf       = "stock-as-of"
)

// frame frames the handler of a call.
func (d *Server) frame(ctx context.Context, message any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
	operation, ours := d.operations[info.FullMethod]
	if !ours {
		return handle(ctx, message)
	}
	err = d.framed(ctx, operation, info.FullMethod, func(ctx context.Context) (err error) {
		answer, err = handle(ctx, message)
		return err
	})
	return answer, err
}

// frameStream is frame for streams.
func (d *Server) frameStream(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	operation, ours := d.operations[info.FullMethod]
	if !ours {
		return handle(srv, s)
	}
	return d.framed(s.Context(), operation, info.FullMethod, func(ctx context.Context) error {
		return handle(srv, &strictStream{s, tracing.Unrecorded(ctx)})
	})
}

// framed does what every call gets: request id, region, caller, errors, metrics, log, trace.
func (d *Server) framed(ctx context.Context, operation auth.Operation, method string, do func(context.Context) error) error {
	began := time.Now()
	ctx, span := d.options.Traces.Serve(ctx, incoming{ctx}, method[1:])
	id := service.RequestID(given(ctx, keyRequestID))
	setHeader(ctx, keyRequestID, id, keyRegion, d.service.Region())
	err := d.guarded(ctx, operation, id, do)
	code := codes.OK
	if err != nil {
		p := problemOf(err)
		code = p.code
		d.log(ctx, operation, id, p, err)
		sayReplayed(ctx, p.replayed)
		err = p.status(id, trailerBudget).Err()
	}
	took := time.Since(began)
	d.options.Observe(string(operation), code.String(), took)
	if d.options.Log.Enabled(ctx, slog.LevelDebug) {
		d.options.Log.DebugContext(ctx, "call", "operation", operation, "code", code.String(), "request_id", id, "took", took)
	}
	endSpan(span, method, operation, id, code)
	return err
}

// guarded runs the handler for a caller who may do the operation. A panic is an error like any other
// bug.
func (d *Server) guarded(ctx context.Context, operation auth.Operation, id string, do func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	principal, err := d.options.Authenticator.Authenticate(ctx, given(ctx, keyCredential))
	if err != nil {
		d.turnedAway(ctx, operation, id, err)
		return err
	}
	if len(metadata.ValueFromIncomingContext(ctx, keyKey)) > 1 {
		return service.Invalid(inventory.FieldError{Field: "Idempotency-Key", Message: "is there more than once"})
	}
	caller := service.Caller{Principal: principal, RequestID: id, Key: given(ctx, keyKey)}
	release, err := d.service.Admit(caller, operation)
	if err != nil {
		return err
	}
	defer release()
	return do(context.WithValue(ctx, callerKey{}, caller))
}

// stillMay asks whether the caller of a stream may go on: keys are revoked, and tokens' time ends.
func (d *Server) stillMay(ctx context.Context) error {
	principal, err := d.options.Authenticator.Authenticate(ctx, given(ctx, keyCredential))
	if err == nil && !principal.May(auth.Watch) {
		err = &auth.Denied{Operation: auth.Watch}
	}
	return err
}

// turnedAway has an attempt without a good credential recorded.
func (d *Server) turnedAway(ctx context.Context, op auth.Operation, id string, err error) {
	if !errors.Is(err, auth.ErrNoCredential) && !errors.Is(err, auth.ErrBadCredential) {
		return
	}
	from := "unknown"
	if p, known := peer.FromContext(ctx); known {
		from, _, _ = net.SplitHostPort(p.Addr.String())
	}
	d.service.Unauthenticated(op, id, from)
}

func (d *Server) log(ctx context.Context, operation auth.Operation, id string, p problem, err error) {
	if errors.Is(err, auth.ErrBadCredential) {
		d.options.Log.InfoContext(ctx, "credential refused", "operation", operation, "request_id", id, "reason", err)
	}
	if p.code == codes.Internal || p.code == codes.Unavailable || p.code == codes.DeadlineExceeded {
		d.options.Log.WarnContext(ctx, "call failed", "operation", operation, "code", p.code.String(), "request_id", id, "error", err)
	}
}

type callerKey struct{}

// callerOf says who asks.
func callerOf(ctx context.Context) service.Caller {
	caller, _ := ctx.Value(callerKey{}).(service.Caller)
	return caller
}

// commander is callerOf for a command, which may be a dry run.
func commander(ctx context.Context, command interface{ GetDryRun() bool }) service.Caller {
	caller := callerOf(ctx)
	caller.DryRun = command.GetDryRun()
	return caller
}

// given gives a value of the call's metadata, "" for none.
func given(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// setHeader adds to the answer's metadata. It fails only where the answer has gone out already.
func setHeader(ctx context.Context, pairs ...string) {
	_ = grpc.SetHeader(ctx, metadata.Pairs(pairs...))
}

// sayAsOf says which moment an answer speaks of.
func sayAsOf(ctx context.Context, at time.Time) {
	if !at.IsZero() {
		setHeader(ctx, keyAsOf, at.Format(time.RFC3339Nano))
	}
}

// sayReplayed says that a command was answered before.
func sayReplayed(ctx context.Context, replayed bool) {
	if replayed {
		setHeader(ctx, keyReplayed, "true")
	}
}
