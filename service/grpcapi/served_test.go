package grpcapi_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"stockyard/service/auth"
	pb "stockyard/service/grpcapi/stockyardv1"
)

// methods are all calls that the .proto files declare, by full name.
func methods() map[string]protoreflect.MethodDescriptor {
	all := map[string]protoreflect.MethodDescriptor{}
	protoregistry.GlobalFiles.RangeFilesByPackage("stockyard.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				all["/"+string(s.FullName())+"/"+string(m.Name())] = m
			}
		}
		return true
	})
	return all
}

// An empty message is understood by each, answered or refused for what is missing, and needs no more
// than a role.
func TestEveryCallIsServed(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for path, m := range methods() {
			err := p.invoke(once(t), path, m, dynamicpb.NewMessage(m.Input()))
			switch code := status.Code(err); code {
			case codes.OK, codes.InvalidArgument, codes.NotFound:
			default:
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}

func TestEveryOperationHasACall(t *testing.T) {
	served := map[string]bool{}
	for _, m := range methods() {
		served[strings.ToLower(string(m.Name()))] = true
	}
	for _, op := range auth.Operations() {
		isPartOfMove := strings.HasPrefix(string(op), string(auth.Move)+":")
		if !served[strings.ReplaceAll(string(op), "_", "")] && !isPartOfMove {
			t.Errorf("%s has no call", op)
		}
	}
}

func TestReflectionNamesTheServices(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		stream, err := grpc_reflection_v1.NewServerReflectionClient(p.conn).ServerReflectionInfo(with(t))
		if err != nil {
			t.Fatal(err)
		}
		ask := &grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}
		if err := stream.Send(ask); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range answer.GetListServicesResponse().GetService() {
			names = append(names, s.GetName())
		}
		for path := range methods() {
			service, _, _ := strings.Cut(path[1:], "/")
			if !slices.Contains(names, service) {
				t.Errorf("%s is not among %v", service, names)
			}
		}
	})
}

// A pod that drains says so to whoever asks for its health, and answers what still comes in. It stops
// once its calls are done, whoever watches its health.
func TestDraining(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		health := grpc_health_v1.NewHealthClient(p.conn)
		watch, err := health.Watch(with(t), &grpc_health_v1.HealthCheckRequest{Service: "stockyard.v1.StockService"})
		if err != nil {
			t.Fatal(err)
		}
		serving(t, watch, grpc_health_v1.HealthCheckResponse_SERVING)
		if got := ok(health.Check(with(t), &grpc_health_v1.HealthCheckRequest{}))(t); got.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("before: %v", got)
		}
		p.server.Drain()
		serving(t, watch, grpc_health_v1.HealthCheckResponse_NOT_SERVING)
		call, err := p.conn.NewStream(with(t), &grpc.StreamDesc{ClientStreams: true}, pb.CatalogueService_ListRegions_FullMethodName)
		if err != nil {
			t.Fatal(err)
		}
		ok(p.catalogue.ListRegions(with(t), &pb.ListRegionsRequest{}))(t) // by then the call before it is under way
		stopped := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			stopped <- p.server.Shutdown(ctx)
		}()
		until(t, "the pod takes no more calls", func() bool {
			fresh := dial(t, p.conn.Target())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := pb.NewCatalogueServiceClient(fresh).ListRegions(ctx, &pb.ListRegionsRequest{})
			return status.Code(err) == codes.Unavailable
		})
		answer := &pb.ListRegionsResponse{}
		if err := errors.Join(call.SendMsg(&pb.ListRegionsRequest{}), call.CloseSend(), call.RecvMsg(answer)); err != nil || answer.GetAnsweredBy() != america {
			t.Errorf("the call that was under way: %v, %v", answer, err)
		}
		if err := <-stopped; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

func serving(t *testing.T, watch grpc.ServerStreamingClient[grpc_health_v1.HealthCheckResponse], want grpc_health_v1.HealthCheckResponse_ServingStatus) {
	t.Helper()
	got, err := watch.Recv()
	if err != nil || got.GetStatus() != want {
		t.Fatalf("health is %v, %v; want %v", got, err, want)
	}
}
