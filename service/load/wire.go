package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// wire is an HTTP/2 connection that carries unary gRPC calls and nothing else. A proper gRPC client
// takes more processor time for a reservation than the pod's whole gRPC door, and what it takes is
// missing where both run on one machine.
type wire struct {
	conn  net.Conn
	fixed []hpack.HeaderField // of every call

	mu       sync.Mutex
	room     *sync.Cond     // there is window, or a stream less, or the end
	out      []byte         // frames that are yet to be sent
	frames   *http2.Framer  // writes to out; read by the reader alone
	head     *hpack.Encoder // writes to block
	block    []byte
	streams  map[uint32]*stream
	next     uint32 // number of the next stream
	most     int    // streams at once, as the server wants it
	window   int64  // bytes that the server has room for
	leaving  bool   // the server takes no new streams on it
	broken   error  // why it has ended
	unsent   chan struct{}
	received uint32 // bytes since the server was last told that there is room for more
}

// stream is a call on its way. Each client has one, for one call after the other.
type stream struct {
	number  uint32
	done    chan error // has room for one
	message []byte
	trailer trailer
}

// What we take from the server: more than ever comes at once.
const (
	ourWindow     = 1 << 30
	ourStreamSize = 1 << 22
)

// dialWire opens a connection to a pod. private is nil for one without TLS.
func dialWire(ctx context.Context, address string, private *tls.Config, fixed []hpack.HeaderField) (*wire, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var conn net.Conn
	var err error
	if private == nil {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&tls.Dialer{Config: private}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, status.Error(codes.Unavailable, reason(err))
	}
	w := &wire{
		conn: conn, fixed: fixed, streams: map[uint32]*stream{}, next: 1, most: 100, window: 65535, unsent: make(chan struct{}, 1),
	}
	w.room = sync.NewCond(&w.mu)
	w.frames = http2.NewFramer((*outgoing)(w), conn)
	w.head = hpack.NewEncoder((*headerBlock)(w))
	w.out = append(w.out, http2.ClientPreface...)
	err = errors.Join(
		w.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: ourStreamSize}, http2.Setting{ID: http2.SettingEnablePush, Val: 0}),
		w.frames.WriteWindowUpdate(0, ourWindow-65535),
	)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go w.send()
	go w.read()
	w.wake()
	return w, nil
}

// outgoing and headerBlock are what the framer and the encoder of headers write to. They never fail.
type (
	outgoing    wire
	headerBlock wire
)

func (o *outgoing) Write(b []byte) (int, error) {
	o.out = append(o.out, b...)
	return len(b), nil
}

func (h *headerBlock) Write(b []byte) (int, error) {
	h.block = append(h.block, b...)
	return len(b), nil
}

// call sends a message, framed as gRPC wants it, and waits for the answer's, which is s.message.
func (w *wire) call(s *stream, path string, own []hpack.HeaderField, message []byte, patience *time.Timer) error {
	if err := w.begin(s, path, own, message); err != nil {
		return err
	}
	select {
	case err := <-s.done:
		return err
	case <-patience.C:
		return w.abandon(s)
	}
}

// begin queues a call's frames once there is room for them.
func (w *wire) begin(s *stream, path string, own []hpack.HeaderField, message []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.broken == nil && !w.leaving && (len(w.streams) >= w.most || w.window < int64(len(message))) {
		w.room.Wait()
	}
	if w.broken != nil || w.leaving {
		return status.Error(codes.Unavailable, "the connection is gone")
	}
	s.number, s.message, s.trailer = w.next, s.message[:0], trailer{}
	w.next += 2
	w.streams[s.number] = s
	w.window -= int64(len(message))
	w.block = w.block[:0]
	_ = w.head.WriteField(hpack.HeaderField{Name: ":path", Value: path})
	for _, f := range w.fixed {
		_ = w.head.WriteField(f)
	}
	for _, f := range own {
		_ = w.head.WriteField(f)
	}
	err := errors.Join(
		w.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: s.number, BlockFragment: w.block, EndHeaders: true}),
		w.frames.WriteData(s.number, true, message),
	)
	w.wake()
	return err
}

// abandon gives up on a call, unless its answer has just come.
func (w *wire) abandon(s *stream) error {
	w.mu.Lock()
	_, waits := w.streams[s.number]
	if waits {
		delete(w.streams, s.number)
		_ = w.frames.WriteRSTStream(s.number, http2.ErrCodeCancel)
		w.room.Broadcast()
		w.wake()
	}
	w.mu.Unlock()
	if !waits {
		return <-s.done
	}
	return status.Error(codes.DeadlineExceeded, "no answer in time")
}

// wake has what is queued sent.
func (w *wire) wake() {
	select {
	case w.unsent <- struct{}{}:
	default:
	}
}

// send sends what has gathered, in one write, for as long as the connection lasts.
func (w *wire) send() {
	var sending []byte
	for range w.unsent {
		runtime.Gosched() // those who are about to queue something share the write
		w.mu.Lock()
		sending, w.out = w.out, sending[:0]
		broken := w.broken
		w.mu.Unlock()
		if broken != nil {
			return
		}
		if _, err := w.conn.Write(sending); err != nil {
			w.end(err)
			return
		}
	}
}

// end ends the connection and every call on it.
func (w *wire) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return
	}
	w.broken = err
	_ = w.conn.Close()
	for number, s := range w.streams {
		delete(w.streams, number)
		s.done <- status.Error(codes.Unavailable, "the connection was lost: "+reason(err))
	}
	w.room.Broadcast()
	w.wake()
}

// usable says that calls can be begun on it.
func (w *wire) usable() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken == nil && !w.leaving
}

// grpcTimeout writes a duration as gRPC does: at most eight digits and a unit.
func grpcTimeout(d time.Duration) string {
	return fmt.Sprintf("%dm", min(max(d.Milliseconds(), 1), 99_999_999))
}
