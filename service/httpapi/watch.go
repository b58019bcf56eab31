package httpapi

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json/jsontext"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
)

const eventStream = "text/event-stream"

// maxWait bounds how long a request waits for events that are yet to come.
const maxWait = 30 * time.Second

// watchAnswer is a page of the change feed. Its token is a cursor: there is always a next page.
type watchAnswer struct {
	Items         []jsontext.Value `json:"items"`
	NextPageToken string           `json:"next_page_token"`
}

// watching is what a request wants of the change feed.
type watching struct {
	query service.WatchQuery
	after string
	page  service.Page
	wait  time.Duration
}

// watch gives what is committed: as a stream to those who accept one, else a page.
func (a *api) watch(r *request) (reply, error) {
	streams := acceptsStream(r.gin.Request.Header.Values("Accept"))
	w, err := r.watching(streams)
	if err != nil {
		return reply{}, err
	}
	watched, err := a.service.Watch(r.ctx, r.who, w.query)
	if err != nil {
		return reply{}, err
	}
	reader, err := a.options.Feed.Read(r.ctx, w.after, watched)
	if err != nil {
		return reply{}, err
	}
	defer reader.Close()
	r.ctx = a.untilDraining(r.ctx) // not before: whoever comes late still gets a cursor to go on with
	if streams {
		return reply{streamed: true}, a.stream(r, reader)
	}
	batch, err := reader.Page(r.ctx, w.page.Size, w.wait)
	if errors.Is(context.Cause(r.ctx), errDraining) || errors.Is(err, feed.ErrCutOff) {
		err = nil // the page is empty, and the next one goes on
	}
	answer := watchAnswer{Items: []jsontext.Value{}, NextPageToken: batch.Cursor}
	for _, i := range batch.Items {
		answer.Items = append(answer.Items, i.JSON())
	}
	return reply{status: http.StatusOK, body: answer}, err
}

func acceptsStream(accept []string) bool {
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		if media, _, err := mime.ParseMediaType(part); err == nil && media == eventStream {
			return true
		}
	}
	return false
}

func (r *request) watching(streams bool) (w watching, err error) {
	q := r.query()
	w.query = service.WatchQuery{Regions: q.many("region"), Locations: q.many("location"), SKUs: q.many("sku"), Kinds: q.many("kind")}
	w.after = q.given("after")
	if streams {
		if last := r.gin.GetHeader("Last-Event-ID"); last != "" {
			w.after = last // a browser that comes back asks for the URL as it was at first
		}
		return w, q.err()
	}
	w.page, w.wait = q.page(), q.wait("wait")
	switch {
	case w.after != "" && w.page.Token != "":
		q.add("page_token", "says where to go on, and so does after: give one of them")
	case w.page.Token != "":
		w.after = w.page.Token
	}
	return w, q.err()
}

// wait gives a duration that may be waited.
func (q *query) wait(name string) time.Duration {
	v := q.text(name)
	if _, there := q.values[name]; !there {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > maxWait {
		q.add(name, fmt.Sprintf(`must be a duration from 0s to %s, such as "10s"`, maxWait))
	}
	return d
}

const (
	// beat is how often a stream says that it is there, and where it is.
	beat = 15 * time.Second
	// streamPage is how many entries are written at once.
	streamPage = 256
)

// stream writes entries as they come, until the reader goes, or is too slow, or the pod goes.
func (a *api) stream(r *request, reader *feed.Reader) error {
	s := a.openStream(r)
	// The server's own deadline for reading is that of a request, which came whole.
	if err := s.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	r.gin.Header("Cache-Control", "no-store")
	if err := s.begin(eventStream); err != nil {
		return errClientGone
	}
	out := []byte("retry: 1000\n\n")
	asked := time.Now()
	for wait := time.Duration(0); ; wait = beat {
		batch, err := reader.Next(r.ctx, streamPage, wait)
		switch {
		case errors.Is(err, feed.ErrCutOff):
			out = appendNotice(out, err)
		case err != nil && r.ctx.Err() == nil:
			a.logProblem(r.gin, http.StatusServiceUnavailable, r.id, string(r.operation), err)
			out = appendNotice(out, errors.New("the feed can't be read now; come back with the last id"))
		case err != nil:
			out = appendNotice(out, context.Cause(r.ctx))
		case len(batch.Items) == 0:
			out = append(out, ":\n"...)
		}
		for _, i := range batch.Items {
			out = appendEntry(out, i)
		}
		if err == nil {
			out = append(append(append(out, "id: "...), batch.Cursor...), "\n\n"...)
		}
		_, gone := s.Write(out)
		if over := err != nil || gone != nil; over { // the reader has been told why, or isn't there
			return nil
		}
		if time.Since(asked) >= beat { // however much there is to see
			if a.lapsed(r) {
				return nil
			}
			asked = time.Now()
		}
		out = out[:0]
	}
}

// comesBack says that a browser's EventSource comes back to what can't be served just now. Any
// answer but a stream would end it for good.
func comesBack(c *gin.Context, op auth.Operation, err error) bool {
	if op != auth.Watch || c.GetHeader("Last-Event-ID") == "" || !acceptsStream(c.Request.Header.Values("Accept")) {
		return false
	}
	switch problemOf(err).Status {
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return true
	}
	return false
}

// postpone is a stream that says why it ends at once, and to come back later than usual.
func postpone(c *gin.Context, why error) {
	c.Header("Content-Type", eventStream)
	c.Header("Cache-Control", "no-store")
	c.Status(http.StatusOK)
	_, _ = c.Writer.Write(appendNotice([]byte("retry: 5000\n\n"), errors.New(problemOf(why).Detail)))
}

// lapsed says that whoever reads may no longer: a key that was revoked, a token whose time is over.
func (a *api) lapsed(r *request) bool {
	principal, err := a.options.Authenticator.Authenticate(r.ctx, r.gin.GetHeader("Authorization"))
	return err != nil || !principal.May(r.operation)
}

func appendEntry(out []byte, i *feed.Item) []byte {
	out = append(append(append(out, "id: "...), i.Cursor()...), '\n')
	if i.Alert != nil {
		out = append(out, "event: alert\n"...)
	}
	out = append(append(out, "data: "...), i.JSON()...)
	return append(out, "\n\n"...)
}

// appendNotice tells why a stream ends. It has no id: the next one goes on from the last entry.
func appendNotice(out []byte, why error) []byte {
	out = append(out, "event: end\ndata: {\"reason\": "...)
	out = strconv.AppendQuoteToASCII(out, why.Error())
	return append(out, "}\n\n"...)
}
