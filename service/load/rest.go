package load

import (
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// hold is how long reservations last: beyond any run, so that none lapses between books.
const hold = "720h"

// restDoors sends with fasthttp, which takes a fraction of the processor time that net/http does.
type restDoors struct {
	hosts []*fasthttp.HostClient
	bases []string
	token string
}

func openREST(p *Plan) (doors, error) {
	d := &restDoors{token: p.Token}
	for _, target := range p.Targets {
		u, err := url.Parse(target)
		if err != nil {
			return nil, err
		}
		private := u.Scheme == "https"
		host := &fasthttp.HostClient{
			Addr: withPort(u, private), IsTLS: private, MaxConns: p.Clients + 1, Name: "stockyard-load",
			TLSConfig: p.TLS.Clone(),
			Dial:      func(at string) (net.Conn, error) { return net.DialTimeout("tcp", at, 3*time.Second) },
			// Repeating is ours, so that it is counted and paused.
			RetryIfErr: func(*fasthttp.Request, int, error) (bool, bool) { return false, false },
			// Servers close idle connections after two minutes: ours go first, and no request is lost with one.
			MaxIdleConnDuration: time.Minute,
		}
		d.hosts = append(d.hosts, host)
		d.bases = append(d.bases, strings.TrimRight(target, "/"))
	}
	return d, nil
}

func withPort(u *url.URL, private bool) string {
	switch {
	case u.Port() != "":
		return u.Host
	case private:
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

func (d *restDoors) open(_ int, s *stage, steps bool) door {
	door := &restDoor{restDoors: d, stage: s, steps: steps}
	door.read.Header.SetMethod(fasthttp.MethodGet)
	door.write.Header.SetMethod(fasthttp.MethodPost)
	door.write.Header.SetContentType("application/json")
	if d.token != "" {
		door.read.Header.Set("Authorization", "Bearer "+d.token)
		door.write.Header.Set("Authorization", "Bearer "+d.token)
	}
	return door
}

func (d *restDoors) close() {
	for _, host := range d.hosts {
		host.CloseIdleConnections()
	}
}

// restDoor keeps its requests and its answer, and fills them again each time.
type restDoor struct {
	*restDoors
	stage *stage
	steps bool

	read, write fasthttp.Request
	response    fasthttp.Response
	path, body  []byte
}

func (d *restDoor) try(target int, op operation, patience time.Duration) answer {
	if err := d.hosts[target].DoTimeout(d.fill(target, op), &d.response, patience); err != nil {
		return answer{verdict: lost, why: reason(err)}
	}
	switch status := d.response.StatusCode(); {
	case status < 300:
		return d.made(op)
	case status == fasthttp.StatusConflict:
		return answer{verdict: refused}
	default:
		return d.unwell(status)
	}
}

// fill makes the request. Names are letters, digits and signs that mean nothing in JSON or a path.
func (d *restDoor) fill(target int, op operation) *fasthttp.Request {
	d.path = append(d.path[:0], d.bases[target]...)
	d.body = d.body[:0]
	switch op.kind {
	case availability:
		d.path = d.stage.appendSKU(append(d.path, "/v1/availability?sku="...), op.level)
		d.read.SetRequestURIBytes(d.path)
		return &d.read
	case reserve:
		d.path = append(d.path, "/v1/reservations"...)
		d.appendLine(`{"lines":[`, op.level, `],"expires_in":"`+hold+`"}`)
	case confirm, fulfil:
		d.path = append(append(d.path, "/v1/reservations/"...), url.PathEscape(op.id)...)
		d.path = append(append(d.path, '/'), op.kind.String()...)
	case receive, sell:
		d.path = append(d.path, "/v1/movements"...)
		d.appendLine(`{"kind":"`+op.kind.String()+`","lines":[`, op.level, `]}`)
	}
	d.write.SetRequestURIBytes(d.path)
	d.write.SetBodyRaw(d.body)
	d.write.Header.Set("Idempotency-Key", op.key)
	return &d.write
}

func (d *restDoor) appendLine(before string, level int, after string) {
	b := append(append(d.body, before...), `{"location":"`...)
	b = append(append(b, d.stage.location(level)...), `","sku":"`...)
	b = append(d.stage.appendSKU(b, level), `","quantity":1}`...)
	d.body = append(b, after...)
}

func (d *restDoor) made(op operation) answer {
	if op.kind != reserve || !d.steps {
		return answer{verdict: done}
	}
	var reservation struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(d.response.Body(), &reservation); err != nil || reservation.ID == "" {
		return answer{verdict: broken, why: "a reservation without an id"}
	}
	return answer{verdict: done, id: reservation.ID}
}

// unwell judges what is neither done nor refused by the rules of stock.
func (d *restDoor) unwell(status int) answer {
	var problem struct {
		Type   string `json:"type"`
		Detail string `json:"detail"`
	}
	why := strconv.Itoa(status)
	if json.Unmarshal(d.response.Body(), &problem) == nil {
		why += " " + strings.TrimPrefix(problem.Type, "/problems/") + ": " + problem.Detail
	}
	a := answer{verdict: wrong, why: why}
	switch {
	case status == fasthttp.StatusTooManyRequests, status == fasthttp.StatusServiceUnavailable, status == fasthttp.StatusGatewayTimeout:
		a.verdict = later
		if seconds, err := strconv.Atoi(string(d.response.Header.Peek("Retry-After"))); err == nil && seconds > 0 {
			a.after = time.Duration(seconds) * time.Second
		}
	case status == fasthttp.StatusBadGateway:
		a.verdict = lost // a proxy, of a pod that is gone
	case status >= 500:
		a.verdict = broken
	}
	return a
}

// reason says what went wrong without the addresses of this connection, so that those alike are one.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}
