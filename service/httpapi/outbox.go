package httpapi

import (
	"errors"
	"io"
	"os"
	"sync"
)

// Bounds of what waits for a client that doesn't read: some memory, then a file without a name.
// Past them whoever writes waits.
const (
	outboxMemory = 256 << 10
	outboxFile   = 1 << 30
)

// outbox passes on what is written to it, in order, without keeping the writer waiting: a client
// that sends its whole file before it reads the first result would else block, and be blocked.
type outbox struct {
	to   io.Writer
	done chan struct{}

	mu      sync.Mutex
	changed sync.Cond
	memory  []byte // goes out first
	file    *os.File
	from    int64 // what of the file goes out next
	size    int64
	closed  bool
	err     error
}

func newOutbox(to io.Writer) *outbox {
	o := &outbox{to: to, done: make(chan struct{})}
	o.changed.L = &o.mu
	go o.send()
	return o
}

// Write takes a piece, to be sent later. An error is one of sending an earlier one.
func (o *outbox) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil {
		if o.size == 0 && (len(o.memory) == 0 || len(o.memory)+len(p) <= outboxMemory) {
			o.memory = append(o.memory, p...)
			o.changed.Broadcast()
			return len(p), nil
		}
		if o.spill(p) == nil {
			return len(p), nil
		}
		o.changed.Wait()
	}
	return 0, o.err
}

var errOutboxFull = errors.New("full")

func (o *outbox) spill(p []byte) (err error) {
	if o.size+int64(len(p)) > outboxFile {
		return errOutboxFull
	}
	if o.file == nil {
		if o.file, err = os.CreateTemp("", "stockyard-answer-*"); err != nil {
			return err
		}
		_ = os.Remove(o.file.Name()) // so that nothing stays behind, however the process ends
	}
	if _, err := o.file.WriteAt(p, o.size); err != nil {
		return err
	}
	o.size += int64(len(p))
	return nil
}

// Close returns when all is sent, or can't be.
func (o *outbox) Close() error {
	o.mu.Lock()
	o.closed = true
	o.changed.Broadcast()
	o.mu.Unlock()
	<-o.done
	if o.file != nil {
		_ = o.file.Close()
	}
	return o.err
}

func (o *outbox) send() {
	defer close(o.done)
	var spare []byte
	for {
		piece, more := o.next(spare)
		if !more {
			return
		}
		if _, err := o.to.Write(piece); err != nil {
			o.fail(err)
			return
		}
		spare = piece
	}
}

// next waits for the oldest piece there is. spare is memory to be used again.
func (o *outbox) next(spare []byte) (piece []byte, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.memory) == 0 && o.size == 0 && !o.closed {
		o.changed.Wait()
	}
	switch {
	case len(o.memory) > 0:
		piece, o.memory = o.memory, spare[:0]
	case o.size > 0:
		piece = append(spare[:0], make([]byte, min(o.size-o.from, outboxMemory))...)
		if _, err := o.file.ReadAt(piece, o.from); err != nil {
			o.err = err
			o.changed.Broadcast()
			return nil, false
		}
		if o.from += int64(len(piece)); o.from == o.size {
			o.from, o.size = 0, 0
			_ = o.file.Truncate(0)
		}
	default:
		return nil, false
	}
	o.changed.Broadcast()
	return piece, true
}

func (o *outbox) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	o.changed.Broadcast()
}
