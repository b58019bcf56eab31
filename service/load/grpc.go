package load

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "stockyard/service/grpcapi/stockyardv1"
)

// grpcDoors share a few connections to each target, as one caller's processes would.
type grpcDoors struct {
	conns [][]*grpc.ClientConn // of each target
	token string
}

func openGRPC(p *Plan) (doors, error) {
	d := &grpcDoors{token: p.Token}
	for i, address := range p.GRPC {
		private := insecure.NewCredentials()
		if strings.HasPrefix(p.Targets[i], "https:") {
			private = credentials.NewTLS(p.TLS)
		}
		var conns []*grpc.ClientConn
		for range p.Connections {
			conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(private), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
				grpc.WithUserAgent("stockyard-load"))
			if err != nil {
				d.close()
				return nil, fmt.Errorf("--grpc-target %q: %w", address, err)
			}
			conns = append(conns, conn)
			d.conns = append(d.conns[:i], conns)
		}
	}
	return d, nil
}

func (d *grpcDoors) close() {
	for _, conns := range d.conns {
		for _, c := range conns {
			_ = c.Close() // fails where it is closed already
		}
	}
}

func (d *grpcDoors) open(client int, s *stage, _ bool) door {
	door := &grpcDoor{stage: s, md: metadata.MD{}}
	if d.token != "" {
		door.md.Set("authorization", "Bearer "+d.token)
	}
	for _, conns := range d.conns {
		conn := conns[client%len(conns)]
		door.targets = append(door.targets, grpcTarget{pb.NewStockServiceClient(conn), pb.NewReservationServiceClient(conn)})
	}
	return door
}

type grpcTarget struct {
	stock        pb.StockServiceClient
	reservations pb.ReservationServiceClient
}

type grpcDoor struct {
	targets []grpcTarget
	stage   *stage
	md      metadata.MD
}

func (d *grpcDoor) try(target int, op operation, patience time.Duration) answer {
	if op.key == "" {
		delete(d.md, "idempotency-key")
	} else {
		d.md["idempotency-key"] = []string{op.key}
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(context.Background(), d.md), patience)
	defer cancel()
	id, err := d.call(ctx, d.targets[target], op)
	if err == nil {
		return answer{verdict: done, id: id}
	}
	return judge(err)
}

func (d *grpcDoor) call(ctx context.Context, to grpcTarget, op operation) (id string, err error) {
	one := int64(1)
	switch op.kind {
	case availability:
		_, err = to.stock.GetAvailability(ctx, &pb.GetAvailabilityRequest{Skus: []string{d.stage.sku(op.level)}})
	case reserve:
		line := &pb.ReservationLineInput{Sku: d.stage.sku(op.level), Location: d.stage.location(op.level), Quantity: &one}
		var made *pb.ReserveResponse
		made, err = to.reservations.Reserve(ctx, &pb.ReserveRequest{Reservation: &pb.ReservationInput{Lines: []*pb.ReservationLineInput{line}, ExpiresIn: hold}})
		id = made.GetReservation().GetId()
	case confirm:
		_, err = to.reservations.Confirm(ctx, &pb.ConfirmRequest{Id: op.id})
	case fulfil:
		_, err = to.reservations.Fulfil(ctx, &pb.FulfilRequest{Id: op.id})
	case receive, sell:
		line := &pb.MovementLineInput{Sku: d.stage.sku(op.level), Location: d.stage.location(op.level), Quantity: &one}
		_, err = to.stock.Move(ctx, &pb.MoveRequest{Movement: &pb.MovementInput{Kind: op.kind.String(), Lines: []*pb.MovementLineInput{line}}})
	}
	return id, err
}

// verdicts are those of codes; of all others nobody knows whether there was an effect.
var verdicts = map[codes.Code]verdict{
	codes.FailedPrecondition: refused,
	codes.ResourceExhausted:  later,
	codes.DeadlineExceeded:   later,
	codes.Unavailable:        lost,
	codes.InvalidArgument:    wrong,
	codes.NotFound:           wrong,
	codes.Aborted:            wrong,
	codes.AlreadyExists:      wrong,
	codes.Unauthenticated:    wrong,
	codes.PermissionDenied:   wrong,
	codes.Unimplemented:      wrong,
}

func judge(err error) answer {
	s := status.Convert(err)
	v, known := verdicts[s.Code()]
	if !known {
		v = broken
	}
	if v == refused {
		return answer{verdict: refused}
	}
	a := answer{verdict: v, why: s.Code().String() + ": " + withoutAddresses(s.Message())}
	for _, detail := range s.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			// The service spoke: the pod is there, and busy.
			a.verdict, a.after = later, retry.GetRetryDelay().AsDuration()
		}
	}
	return a
}

// withoutAddresses leaves out a connection's own addresses, so that failures alike are one.
func withoutAddresses(message string) string { return addresses.ReplaceAllString(message, "") }

var addresses = regexp.MustCompile(`\S+->\S+: `)
