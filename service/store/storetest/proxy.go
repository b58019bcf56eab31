package storetest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between a store and its database and breaks connections.
type Proxy struct {
	URL string // the database by way of the proxy

	listener net.Listener
	target   string

	mu       sync.Mutex
	links    map[*link]bool
	onCommit func() Fate
	refuses  bool
	silent   int // connections to come that hear nothing
}

// Fate is what becomes of a connection that sends a COMMIT.
type Fate int

// The fates. A Lost commit never reaches the server; of a Done one the answer gets lost.
const (
	Passes Fate = iota
	Lost
	Done
)

// NewProxy starts a proxy to a database; it ends with the test.
func NewProxy(t testing.TB, databaseURL string) *Proxy {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: u.Host, links: map[*link]bool{}}
	u.Host = listener.Addr().String()
	p.URL = u.String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.accept()
	}()
	t.Cleanup(func() {
		p.Refuse(true)
		_ = listener.Close()
		p.Cut()
		<-done
	})
	return p
}

// OnCommit has fate decide over every COMMIT from now on; nil lets all pass.
func (p *Proxy) OnCommit(fate func() Fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onCommit = fate
}

// Cut breaks every connection there is, and says how many.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
	return len(p.links)
}

// Refuse has the proxy hang up on every new connection, as if the database were gone.
func (p *Proxy) Refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = yes
}

// Deafen has every connection there is hear nothing more, as behind a cable that was cut, and says how
// many those are.
func (p *Proxy) Deafen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.deaf.Store(true)
	}
	return len(p.links)
}

// Silence has the next connections wait for the server's first word for ever, as if it had too much to do.
func (p *Proxy) Silence(connections int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = connections
}

func (p *Proxy) refusing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refuses
}

func (p *Proxy) accept() {
	var pumps sync.WaitGroup
	defer pumps.Wait()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		// Those who are refused come again and again: the server is to hear nothing of it.
		if p.refusing() {
			_ = client.Close()
			continue
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{proxy: p, client: client, server: server}
		p.mu.Lock()
		p.links[l] = true
		if p.refuses { // since
			l.cut()
		}
		if p.silent > 0 {
			p.silent--
			l.deaf.Store(true)
		}
		p.mu.Unlock()
		pumps.Go(l.run)
	}
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	deaf           atomic.Bool // the client hears nothing of the server

	mu      sync.Mutex
	swallow bool // the server's answer to a commit is not passed on
}

func (l *link) cut() { _ = errors.Join(l.client.Close(), l.server.Close()) }

func (l *link) run() {
	var both sync.WaitGroup
	both.Go(func() { defer l.cut(); l.up() })
	both.Go(func() { defer l.cut(); l.down() })
	both.Wait()
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	delete(l.proxy.links, l)
}

// up passes on what the client sends, until a COMMIT whose fate is another.
func (l *link) up() {
	commit := []byte("COMMIT\x00")
	buffer := make([]byte, 1<<16)
	var tail []byte // of the piece before: a COMMIT may be split
	for {
		n, err := l.client.Read(buffer)
		if err != nil {
			return
		}
		tail = append(tail, buffer[:n]...)
		if bytes.Contains(tail, commit) {
			tail = nil
			switch l.fate() {
			case Lost:
				return
			case Done:
				l.mu.Lock()
				l.swallow = true
				l.mu.Unlock()
			case Passes:
			}
		}
		tail = append([]byte(nil), tail[max(0, len(tail)-len(commit)+1):]...)
		if _, err := l.server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (l *link) fate() Fate {
	l.proxy.mu.Lock()
	decide := l.proxy.onCommit
	l.proxy.mu.Unlock()
	if decide == nil {
		return Passes
	}
	return decide()
}

// down passes on what the server answers. The answer to a commit that is swallowed ends with the
// server being ready for the next query.
func (l *link) down() {
	ready := []byte("Z\x00\x00\x00\x05")
	buffer := make([]byte, 1<<16)
	for {
		n, err := l.server.Read(buffer)
		if err != nil {
			return
		}
		l.mu.Lock()
		swallow := l.swallow
		l.mu.Unlock()
		switch {
		case l.deaf.Load():
		case !swallow:
			if _, err := io.Copy(l.client, bytes.NewReader(buffer[:n])); err != nil {
				return
			}
		case bytes.Contains(buffer[:n], ready):
			return
		}
	}
}
