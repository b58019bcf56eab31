package grpcapi

import (
	"context"
	"errors"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"stockyard/service"
	"stockyard/service/inventory"
)

// received is a message on its way in: what it is to be read into, and why that failed.
type received struct {
	message any
	bad     error
}

// codec reads messages as grpc does, but keeps a failure beside the message: left to itself, grpc
// answers INTERNAL before any handler is asked.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(encodingproto.Name)} }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if r, ours := v.(*received); ours {
		r.bad = c.CodecV2.Unmarshal(data, r.message)
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// strictly reads a call's message within its handler: not before the caller is known to be allowed,
// and so that a message that doesn't come, or can't be understood, is answered, counted and logged
// like any other error.
func strictly(handle grpc.MethodHandler) grpc.MethodHandler {
	return func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		later := func(any) error { return nil }
		return handle(srv, ctx, later, func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			return interceptor(ctx, req, info, func(ctx context.Context, req any) (any, error) {
				if err := readMessage(dec, req); err != nil {
					return nil, err
				}
				return handler(ctx, req)
			})
		})
	}
}

// strictStream reads each message of a stream strictly, for a caller who is known.
type strictStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *strictStream) Context() context.Context { return s.ctx }

func (s *strictStream) RecvMsg(m any) error {
	err := readMessage(s.ServerStream.RecvMsg, m)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

func readMessage(dec func(any) error, into any) error {
	r := received{message: into}
	if err := dec(&r); err != nil {
		return &notReceived{err}
	}
	if r.bad != nil {
		reason := strings.ReplaceAll(strings.TrimPrefix(r.bad.Error(), "proto:"), "\u00a0", " ")
		return service.Invalid(inventory.FieldError{Field: "message", Message: "can't be read: " + strings.TrimSpace(reason)})
	}
	if m, is := into.(proto.Message); is {
		if wrong := unknownFields(m.ProtoReflect(), ""); len(wrong) > 0 {
			return service.Invalid(wrong...)
		}
	}
	return nil
}

// notReceived is a message that didn't come: it is larger than the limit, or the caller or the
// deadline ended the call before. grpc has answered by then.
type notReceived struct{ err error }

func (n *notReceived) Error() string { return "not received: " + n.err.Error() }
func (n *notReceived) Unwrap() error { return n.err }
