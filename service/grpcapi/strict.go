package grpcapi

import (
	"context"
	"errors"
	"fmt"
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

// received is a message on its way in: what it is to be read into, how many bytes it may have and
// has, and why reading failed.
type received struct {
	message     any
	limit, size int
	bad         error
}

// codec reads messages as grpc does, but keeps a failure beside the message: left to itself, grpc
// answers INTERNAL before any handler is asked.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(encodingproto.Name)} }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if r, ours := v.(*received); ours {
		if r.size = data.Len(); r.size > r.limit {
			return nil
		}
		r.bad = c.CodecV2.Unmarshal(data, r.message)
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// strictly reads a call's message within its handler: not before the caller is known to be allowed,
// and so that a message that doesn't come, or can't be understood, is answered, counted and logged
// like any other error.
func strictly(handle grpc.MethodHandler, read receiver) grpc.MethodHandler {
	return func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		later := func(any) error { return nil }
		return handle(srv, ctx, later, func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			return interceptor(ctx, req, info, func(ctx context.Context, req any) (any, error) {
				done, err := read(ctx, dec, req)
				if err != nil {
					return nil, err
				}
				defer done()
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
	_, err := readStrictly(s.ServerStream.RecvMsg, m, maxMessage)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

// receiver reads a call's message. done is called when nobody needs the message any more.
type receiver func(ctx context.Context, dec func(any) error, into any) (done func(), err error)

func readMessage(_ context.Context, dec func(any) error, into any) (done func(), err error) {
	_, err = readStrictly(dec, into, maxMessage)
	return func() {}, err
}

// readBatch reads a message that may be large, when there is room for it. How large it is isn't known
// before.
func (d *Server) readBatch(ctx context.Context, dec func(any) error, into any) (done func(), err error) {
	if err := d.bulk.Acquire(ctx, maxBatch); err != nil {
		return nil, err
	}
	size, err := readStrictly(dec, into, maxBatch)
	if err != nil {
		size = 0
	}
	d.bulk.Release(int64(maxBatch - size))
	return func() { d.bulk.Release(int64(size)) }, err
}

func readStrictly(dec func(any) error, into any, limit int) (size int, err error) {
	r := received{message: into, limit: limit}
	if err := dec(&r); err != nil {
		return 0, &notReceived{err}
	}
	switch {
	case r.size > limit:
		return 0, &tooLarge{r.size, limit}
	case r.bad != nil:
		reason := strings.ReplaceAll(strings.TrimPrefix(r.bad.Error(), "proto:"), "\u00a0", " ")
		return 0, service.Invalid(inventory.FieldError{Field: "message", Message: "can't be read: " + strings.TrimSpace(reason)})
	}
	if m, is := into.(proto.Message); is {
		if wrong := unknownFields(m.ProtoReflect(), ""); len(wrong) > 0 {
			return 0, service.Invalid(wrong...)
		}
	}
	return r.size, nil
}

// tooLarge is a message beyond the limit of its call.
type tooLarge struct{ size, limit int }

func (l *tooLarge) Error() string {
	return fmt.Sprintf("the message has %d bytes; at most %d are allowed", l.size, l.limit)
}

// notReceived is a message that didn't come: it is larger than any may be, or the caller or the
// deadline ended the call before. grpc has answered by then.
type notReceived struct{ err error }

func (n *notReceived) Error() string { return "not received: " + n.err.Error() }
func (n *notReceived) Unwrap() error { return n.err }
