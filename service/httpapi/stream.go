package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	// hurriedTimeout is what is left to a client when nothing more is wanted of it.
	hurriedTimeout = time.Second
	// streamTimeout bounds an answer that is written as it comes about, where the caller doesn't.
	streamTimeout = 24 * time.Hour
)

// errDraining ends streams when the pod goes away.
var errDraining = errors.New("the pod is going away")

// untilDraining gives a context for a stream.
func (a *api) untilDraining(ctx context.Context) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-a.options.Draining:
			end(errDraining)
		case <-ctx.Done():
		}
	}()
	return ctx
}

// stream is an answer that is written as it comes about, if need be while the body still arrives.
// The deadlines of the connection move on with whatever flows either way: a client that sends all
// before it reads is not taken for one that is gone.
type stream struct {
	writer  gin.ResponseWriter
	control *http.ResponseController
	body    io.Reader
	stall   time.Duration
	hurried atomic.Bool
	unasked bool // the client waits to be asked for the body, and wasn't yet

	mu      sync.Mutex
	writing bool
}

// openStream prepares to answer in pieces. Read something of the body before begin: a client that
// waits for "100 Continue" doesn't get it later.
func (a *api) openStream(r *request) *stream {
	return &stream{
		writer: r.gin.Writer, control: http.NewResponseController(r.gin.Writer), body: r.gin.Request.Body,
		stall: a.options.StallTimeout, unasked: r.gin.GetHeader("Expect") != "",
	}
}

// begin sends status and headers.
func (s *stream) begin(contentType string) error {
	// Other transports than HTTP/1.1 read and write at once anyway, and say that they don't know it.
	if err := s.control.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	s.writer.Header().Set("Content-Type", contentType)
	s.writer.Header().Set("X-Accel-Buffering", "no") // proxies that know it pass pieces on as they come
	s.writer.WriteHeader(http.StatusOK)
	s.writer.WriteHeaderNow()
	return s.flush()
}

// Write sends a piece at once.
func (s *stream) Write(p []byte) (int, error) {
	s.setWriting(true)
	defer s.setWriting(false)
	n, err := s.writer.Write(p)
	if err == nil {
		err = s.flush()
	}
	return n, err
}

// setWriting has a deadline for as long as something is written: HTTP/2 would end the stream by one
// that passes in between.
func (s *stream) setWriting(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = is
	deadline := time.Time{}
	if is {
		deadline = time.Now().Add(s.stall)
	}
	_ = s.control.SetWriteDeadline(deadline)
}

// flows moves the deadline of a write on.
func (s *stream) flows() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing {
		_ = s.control.SetWriteDeadline(time.Now().Add(s.stall))
	}
}

func (s *stream) flush() error {
	if err := s.control.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// Read reads the body.
func (s *stream) Read(p []byte) (int, error) {
	s.unasked = false
	stall := s.stall
	if s.hurried.Load() {
		stall = hurriedTimeout
	}
	_ = s.control.SetReadDeadline(time.Now().Add(stall))
	n, err := s.body.Read(p)
	// None while nobody reads: the server itself reads on, to notice that the client goes, and what
	// is done with a piece may take its time.
	_ = s.control.SetReadDeadline(time.Time{})
	switch {
	case err == nil, err == io.EOF: //nolint:errorlint // a reader's end is this very value
		s.flows()
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = badField("body", "stopped coming before its end")
	default:
		err = badField("body", "was cut off")
	}
	return n, err
}

// hurry has a Read that waits for the client give up soon.
func (s *stream) hurry() {
	s.hurried.Store(true)
	_ = s.control.SetReadDeadline(time.Now().Add(hurriedTimeout))
}

// discard reads on, within bounds, when the rest of the body isn't wanted: many clients look for an
// answer only once all is sent, and never see one that comes with a reset of their connection.
func (s *stream) discard() {
	const most, longest = 64 << 20, 10 * time.Second
	if s.unasked {
		return
	}
	s.hurried.Store(true)
	for began, read := time.Now(), int64(0); read < most && time.Since(began) < longest; {
		n, err := io.CopyN(io.Discard, s, 1<<20)
		if read += n; err != nil {
			return
		}
	}
}
