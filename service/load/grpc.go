package load

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "stockyard/service/grpcapi/stockyardv1"
)

// grpcDoors share a few connections to each target, as one caller's processes would.
type grpcDoors struct {
	targets [][]*line
}

// line is a place for a connection to a target, which is made again where it was lost.
type line struct {
	address string
	private *tls.Config
	fixed   []hpack.HeaderField

	mu  sync.Mutex
	now *wire // nil at first
}

// http2TLS is a TLS configuration, nil for what this machine trusts, for connections that speak HTTP/2.
func http2TLS(given *tls.Config) *tls.Config {
	private := &tls.Config{MinVersion: tls.VersionTLS12}
	if given != nil {
		private = given.Clone()
	}
	private.NextProtos = []string{http2.NextProtoTLS}
	return private
}

func openGRPC(p *Plan) (doors, error) {
	d := &grpcDoors{}
	for i, address := range p.GRPC {
		scheme, private := "http", (*tls.Config)(nil)
		if strings.HasPrefix(p.Targets[i], "https:") {
			scheme, private = "https", http2TLS(p.TLS)
		}
		fixed := []hpack.HeaderField{
			{Name: ":method", Value: "POST"},
			{Name: ":scheme", Value: scheme},
			{Name: ":authority", Value: address},
			{Name: "content-type", Value: "application/grpc"},
			{Name: "te", Value: "trailers"},
			{Name: "user-agent", Value: "stockyard-load"},
		}
		if p.Token != "" {
			fixed = append(fixed, hpack.HeaderField{Name: "authorization", Value: "Bearer " + p.Token})
		}
		var lines []*line
		for range p.Connections {
			lines = append(lines, &line{address: address, private: private, fixed: fixed})
		}
		d.targets = append(d.targets, lines)
	}
	return d, nil
}

func (d *grpcDoors) close() {
	for _, lines := range d.targets {
		for _, l := range lines {
			l.mu.Lock()
			if l.now != nil {
				l.now.end(net.ErrClosed)
			}
			l.mu.Unlock()
		}
	}
}

// wire gives a connection that calls can be begun on.
func (l *line) wire() (*wire, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now != nil && l.now.usable() {
		return l.now, nil
	}
	w, err := dialWire(context.Background(), l.address, l.private, l.fixed)
	if err == nil {
		l.now = w
	}
	return w, err
}

func (d *grpcDoors) open(client int, s *stage, steps bool) door {
	door := &grpcDoor{stage: s, steps: steps, stream: stream{done: make(chan error, 1)}, patience: time.NewTimer(time.Hour)}
	for _, lines := range d.targets {
		door.lines = append(door.lines, lines[client%len(lines)])
	}
	return door
}

type grpcDoor struct {
	lines    []*line // of each target
	stage    *stage
	steps    bool
	stream   stream
	patience *time.Timer
	message  []byte
}

func (d *grpcDoor) try(target int, op operation, patience time.Duration) answer {
	w, err := d.lines[target].wire()
	if err != nil {
		return judge(err)
	}
	own := []hpack.HeaderField{{Name: "grpc-timeout", Value: grpcTimeout(patience)}}
	if op.key != "" { // it comes but once: there is no use in remembering it
		own = append(own, hpack.HeaderField{Name: "idempotency-key", Value: op.key, Sensitive: true})
	}
	path, err := d.fill(op)
	if err != nil {
		return answer{verdict: wrong, why: err.Error()}
	}
	d.patience.Reset(patience)
	if err := w.call(&d.stream, path, own, d.message, d.patience); err != nil {
		return judge(err)
	}
	return d.made(op)
}

const prefixBytes = 5

// fill makes the message, behind what gRPC puts before each: that it isn't compressed, and its length.
func (d *grpcDoor) fill(op operation) (path string, err error) {
	one := int64(1)
	var m proto.Message
	switch op.kind {
	case availability:
		path, m = pb.StockService_GetAvailability_FullMethodName, &pb.GetAvailabilityRequest{Skus: []string{d.stage.sku(op.level)}}
	case reserve:
		line := &pb.ReservationLineInput{Sku: d.stage.sku(op.level), Location: d.stage.location(op.level), Quantity: &one}
		path, m = pb.ReservationService_Reserve_FullMethodName, &pb.ReserveRequest{Reservation: &pb.ReservationInput{Lines: []*pb.ReservationLineInput{line}, ExpiresIn: hold}}
	case confirm:
		path, m = pb.ReservationService_Confirm_FullMethodName, &pb.ConfirmRequest{Id: op.id}
	case fulfil:
		path, m = pb.ReservationService_Fulfil_FullMethodName, &pb.FulfilRequest{Id: op.id}
	case receive, sell:
		line := &pb.MovementLineInput{Sku: d.stage.sku(op.level), Location: d.stage.location(op.level), Quantity: &one}
		path, m = pb.StockService_Move_FullMethodName, &pb.MoveRequest{Movement: &pb.MovementInput{Kind: op.kind.String(), Lines: []*pb.MovementLineInput{line}}}
	}
	d.message, err = proto.MarshalOptions{}.MarshalAppend(append(d.message[:0], make([]byte, prefixBytes)...), m)
	binary.BigEndian.PutUint32(d.message[1:], uint32(len(d.message)-prefixBytes))
	return path, err
}

func (d *grpcDoor) made(op operation) answer {
	if op.kind != reserve || !d.steps {
		return answer{verdict: done}
	}
	var made pb.ReserveResponse
	if len(d.stream.message) < prefixBytes || proto.Unmarshal(d.stream.message[prefixBytes:], &made) != nil || made.GetReservation().GetId() == "" {
		return answer{verdict: broken, why: "a reservation without an id"}
	}
	return answer{verdict: done, id: made.GetReservation().GetId()}
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
