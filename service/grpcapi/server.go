// Package grpcapi is the gRPC door: the operations of REST under the same names and rules. It holds
// no rules; a handler turns a message into a service's input and the outcome into a message.
package grpcapi

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/telemetry/tracing"
)

// Options of the gRPC door.
type Options struct {
	// Authenticator finds out who asks. Without one nobody comes in.
	Authenticator auth.Authenticator
	// Traces begins the spans of calls; nil for none.
	Traces *tracing.Traces
	// Feed is what those who watch read.
	Feed *feed.Hub
	// RequestTimeout is a call's deadline where the caller names none; 15s.
	RequestTimeout time.Duration
	// Patience is how long a stream waits for its client to send, or to take what is sent; 1m.
	Patience time.Duration
	// TLS is how connections are kept private; nil: they are plain.
	TLS *tls.Config
	Log *slog.Logger
	// Observe is told of every call: its operation, the code's name, how long it took.
	Observe func(operation, code string, took time.Duration)
}

// Limits of what a client may send and hold.
const (
	maxMessage    = 4 << 20      // bytes; what clients take by default, too
	maxBatch      = 64 << 20     // bytes of a batch's message: a thousand commands of a thousand lines
	maxBulk       = 4 * maxBatch // bytes of batches held at once; more wait for room, to their deadline
	maxHeaders    = 64 << 10     // bytes
	maxConcurrent = 256          // calls at once on a connection
)

// Server is the gRPC door of a service.
type Server struct {
	grpc    *grpc.Server
	health  *health.Server
	service *service.Service
	options Options
	// operations are the calls that are Stockyard's own, by full method name. Health and reflection
	// are not among them.
	operations map[string]auth.Operation
	bulk       *semaphore.Weighted // bytes of batches that are read and run
	// stopping ends streams that would never end by themselves, such as those that watch health.
	stopping context.Context
	stop     context.CancelFunc
}

// New makes the gRPC door of a service.
func New(s *service.Service, o Options) *Server {
	if o.Authenticator == nil {
		o.Authenticator = &auth.Bearer{}
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 15 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(string, string, time.Duration) {}
	}
	d := &Server{service: s, options: o, health: health.NewServer(), operations: map[string]auth.Operation{}, bulk: semaphore.NewWeighted(maxBulk)}
	d.stopping, d.stop = context.WithCancel(context.Background())
	private := insecure.NewCredentials()
	if o.TLS != nil {
		private = credentials.NewTLS(o.TLS)
	}
	d.grpc = grpc.NewServer(
		grpc.Creds(private),
		grpc.UnaryInterceptor(d.frame),
		grpc.StreamInterceptor(d.frameStream),
		grpc.InTapHandle(d.deadline),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxBatch),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxConcurrent),
		grpc.NumStreamWorkers(maxConcurrent), // a new goroutine a call would grow its stack each time
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: time.Minute, Timeout: 20 * time.Second, // a peer that is gone without a word is found out
			MaxConnectionIdle: 15 * time.Minute,
			// Connections are balanced over pods when they are made; without an age, new pods get none.
			MaxConnectionAge: 30 * time.Minute, MaxConnectionAgeGrace: streamTimeout,
		}),
	)
	d.register(&pb.CatalogueService_ServiceDesc, &catalogue{service: s, stopping: d.stopping, patience: o.Patience})
	d.register(&pb.StockService_ServiceDesc, &stock{s})
	d.register(&pb.ReservationService_ServiceDesc, &reservations{s})
	d.register(&pb.FeedService_ServiceDesc, &watchers{service: s, feed: o.Feed, stopping: d.stopping, patience: o.Patience, may: d.stillMay})
	d.register(&pb.TransferService_ServiceDesc, &transfers{s})
	d.register(&pb.WebhookService_ServiceDesc, &webhooks{s})
	d.register(&pb.ReportService_ServiceDesc, &reports{s})
	d.register(&pb.AdminService_ServiceDesc, &admin{s})
	grpc_health_v1.RegisterHealthServer(d.grpc, d.health)
	reflection.Register(d.grpc)
	return d
}

// Serve answers calls that come in on a listener, until Shutdown.
func (d *Server) Serve(l net.Listener) error { return d.grpc.Serve(l) }

// Drain tells those who ask for the pod's health to look elsewhere. Calls are still answered.
func (d *Server) Drain() { d.health.Shutdown() }

// Shutdown takes no more calls and finishes those it has, or cuts them off when the context ends.
func (d *Server) Shutdown(ctx context.Context) error {
	d.Drain()
	d.stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		d.grpc.Stop()
		<-done
		return ctx.Err()
	}
}

// Close ends everything at once.
func (d *Server) Close() {
	d.stop()
	d.grpc.Stop()
}
