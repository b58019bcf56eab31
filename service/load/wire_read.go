package load

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// trailer is what an answer's headers say about how the call went.
type trailer struct {
	http    string // status, "" until headers have come
	code    string
	message string
	details string
}

func (t *trailer) take(f hpack.HeaderField) {
	switch f.Name {
	case ":status":
		t.http = f.Value
	case "grpc-status":
		t.code = f.Value
	case "grpc-message":
		t.message = f.Value
	case "grpc-status-details-bin":
		t.details = f.Value
	}
}

// err is the call's outcome.
func (t *trailer) err() error {
	code, err := strconv.ParseUint(t.code, 10, 32)
	if err != nil {
		return status.Error(codes.Unknown, "HTTP status "+t.http+" without an outcome")
	}
	if code == uint64(codes.OK) {
		return nil
	}
	if raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(t.details, "=")); err == nil && len(raw) > 0 {
		var s spb.Status
		if proto.Unmarshal(raw, &s) == nil {
			return status.FromProto(&s).Err()
		}
	}
	message, err := url.PathUnescape(t.message)
	if err != nil {
		message = t.message
	}
	return status.Error(codes.Code(code), message)
}

// reading is what the reader has of the headers that are coming in.
type reading struct {
	*wire
	decoder *hpack.Decoder
	into    *trailer // never nil while headers come
	ends    bool     // the stream ends with them
}

var errTooMuch = errors.New("the server sent what no gRPC server sends")

// read takes what the server sends until the connection ends.
func (w *wire) read() {
	r := &reading{wire: w}
	r.decoder = hpack.NewDecoder(4096, func(f hpack.HeaderField) { r.into.take(f) })
	w.frames.SetReuseFrames()
	for {
		frame, err := w.frames.ReadFrame()
		if err == nil {
			err = r.take(frame)
		}
		if err != nil {
			w.end(err)
			return
		}
	}
}

func (r *reading) take(frame http2.Frame) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	number := frame.Header().StreamID
	s := r.streams[number]
	switch f := frame.(type) {
	case *http2.HeadersFrame:
		r.into = &trailer{} // of a call that was given up: the decoder must see it all the same
		if s != nil {
			r.into = &s.trailer
		}
		r.ends = f.StreamEnded()
		return r.headers(s, f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.ContinuationFrame:
		return r.headers(s, f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.DataFrame:
		return r.data(s, f)
	case *http2.RSTStreamFrame:
		r.finish(s, status.Error(codes.Unavailable, "the stream was reset: "+f.ErrCode.String()))
	case *http2.SettingsFrame:
		return r.settings(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			r.wake()
			return r.frames.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		if number == 0 { // those of streams are larger than any of our messages from the start
			r.window += int64(f.Increment)
			r.room.Broadcast()
		}
	case *http2.GoAwayFrame:
		r.leaving = true
		for n, s := range r.streams {
			if n > f.LastStreamID {
				r.finish(s, status.Error(codes.Unavailable, "the server goes away"))
			}
		}
		r.room.Broadcast()
	}
	return nil
}

func (r *reading) headers(s *stream, block []byte, whole bool) error {
	if r.into == nil {
		return errTooMuch
	}
	if _, err := r.decoder.Write(block); err != nil {
		return err
	}
	if !whole {
		return nil
	}
	if err := r.decoder.Close(); err != nil {
		return err
	}
	if r.ends {
		r.finish(s, r.into.err())
	}
	return nil
}

// data takes a part of a message; the first five bytes say that it isn't compressed, and how long it is.
func (r *reading) data(s *stream, f *http2.DataFrame) error {
	const prefix = 5
	r.received += f.Length
	if r.received > ourWindow/2 {
		r.wake()
		if err := r.frames.WriteWindowUpdate(0, r.received); err != nil {
			return err
		}
		r.received = 0
	}
	if s == nil {
		return nil
	}
	s.message = append(s.message, f.Data()...)
	if f.StreamEnded() {
		r.finish(s, status.Error(codes.Unknown, "an answer without an outcome"))
	}
	if len(s.message) > ourStreamSize || len(s.message) >= prefix && (s.message[0] != 0 || uint64(binary.BigEndian.Uint32(s.message[1:])) > ourStreamSize) {
		return errTooMuch
	}
	return nil
}

func (r *reading) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	if most, given := f.Value(http2.SettingMaxConcurrentStreams); given {
		r.most = int(min(most, 1<<20))
		r.room.Broadcast()
	}
	if size, given := f.Value(http2.SettingHeaderTableSize); given {
		r.head.SetMaxDynamicTableSize(min(size, 4096))
	}
	r.wake()
	return r.frames.WriteSettingsAck()
}

// finish gives a call its outcome.
func (r *reading) finish(s *stream, err error) {
	if s == nil {
		return
	}
	delete(r.streams, s.number)
	if len(r.streams) == r.most-1 {
		r.room.Broadcast()
	}
	s.done <- err
}
