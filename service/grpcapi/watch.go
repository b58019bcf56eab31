package grpcapi

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	"stockyard/service/feed"
	pb "stockyard/service/grpcapi/stockyardv1"
)

// watchers serves FeedService.
type watchers struct {
	service  *service.Service
	feed     *feed.Hub
	stopping context.Context
	patience time.Duration
	// may asks again whether the caller of a stream may go on.
	may func(context.Context) error
}

const (
	// beat is how often a stream says that it is there, and where it is.
	beat = 15 * time.Second
	// watchPage is how many entries are taken at once.
	watchPage = 256
)

func (w *watchers) Watch(r *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	defer context.AfterFunc(w.stopping, func() { cancel(errLeaving) })()
	watched, err := w.service.Watch(ctx, callerOf(ctx), service.WatchQuery{
		Regions: r.GetRegions(), Locations: r.GetLocations(), SKUs: r.GetSkus(), Kinds: r.GetKinds(),
	})
	if err != nil {
		return because(ctx, err)
	}
	reader, err := w.feed.Read(ctx, r.GetAfter(), watched)
	if err != nil {
		return because(ctx, err)
	}
	defer reader.Close()
	out := newSender(stream, w.patience)
	defer out.close()
	asked := time.Now()
	for wait := time.Duration(0); ; wait = beat {
		batch, err := reader.Next(ctx, watchPage, wait)
		if err != nil {
			return because(ctx, err)
		}
		if time.Since(asked) >= beat { // however much there is to see
			if err := w.may(ctx); err != nil {
				return err
			}
			asked = time.Now()
		}
		if len(batch.Items) == 0 {
			if err := out.send(ctx, &pb.WatchResponse{Cursor: batch.Cursor}); err != nil {
				return err
			}
		}
		for _, i := range batch.Items {
			if err := out.send(ctx, messageOf(i)); err != nil {
				return err
			}
		}
	}
}

// because gives the reason for which a stream was ended by the pod.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errLeaving) {
		return cause
	}
	return err
}

// sender sends the messages of a stream.
type sender struct {
	messages chan *pb.WatchResponse
	failed   chan error
	patience time.Duration
}

func newSender(stream grpc.ServerStreamingServer[pb.WatchResponse], patience time.Duration) *sender {
	s := &sender{messages: make(chan *pb.WatchResponse), failed: make(chan error, 1), patience: patience}
	go func() {
		for m := range s.messages {
			if err := stream.Send(m); err != nil {
				s.failed <- err
				return
			}
		}
	}()
	return s
}

// send waits for the client to take the messages before, as long as it is worth waiting for. One that
// it gives up on ends with the stream.
func (s *sender) send(ctx context.Context, m *pb.WatchResponse) error {
	stalled := time.NewTimer(s.patience)
	defer stalled.Stop()
	select {
	case s.messages <- m:
		return nil
	case err := <-s.failed:
		return err
	case <-stalled.C:
		return errStalled
	case <-ctx.Done():
		return because(ctx, ctx.Err())
	}
}

func (s *sender) close() { close(s.messages) }

func messageOf(i *feed.Item) *pb.WatchResponse {
	m := &pb.WatchResponse{Cursor: i.Cursor()}
	switch {
	case i.Event != nil:
		m.Event = eventOf(service.DescribeEvent(i.Event))
	case i.Alert != nil:
		m.Alert = alertOf(service.DescribeAlert(i.Alert))
	}
	return m
}

func alertOf(a service.AlertAnswer) *pb.Alert {
	return &pb.Alert{
		Id: a.ID.String(), Kind: string(a.Kind), Region: a.Region, Sku: a.SKU, Location: a.Location, Channel: a.Channel,
		Rule: a.Rule, Version: a.Version, Available: a.Available, Threshold: a.Threshold, Detail: a.Detail,
		RaisedAt: timestamppb.New(a.RaisedAt),
	}
}
