package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

// eventSource reads server-sent events as a browser does.
type eventSource struct {
	lines  *bufio.Scanner
	lastID string
	status int
	header http.Header
	close  func()
}

// sent is one event as a browser gives it to a page.
type sent struct {
	event, data, id string
}

func (p *pod) eventSource(t *testing.T, path, lastID string, headers ...string) *eventSource {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		q.Header.Set("Last-Event-ID", lastID)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	answer, err := p.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	s := &eventSource{lines: bufio.NewScanner(answer.Body), lastID: lastID, status: answer.StatusCode, header: answer.Header}
	s.close = sync.OnceFunc(func() {
		cancel()
		_ = answer.Body.Close()
	})
	t.Cleanup(s.close)
	return s
}

// next waits for an event; none at the end of the stream. begun returns once the first id has come.
func (s *eventSource) next(begun bool) (e sent, ok bool) {
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			s.lastID = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "":
			if s.lines.Text() == "" && (e.data != "" || begun && s.lastID != "") {
				e.id = s.lastID
				return e, true
			}
		}
	}
	return e, false
}

type streamed struct {
	SKU, Location, Kind string
	Version             int64
}

func (s *eventSource) event(t *testing.T) (e streamed) {
	t.Helper()
	got, ok := s.next(false)
	if !ok {
		t.Fatalf("the stream ended: %v", s.lines.Err())
	}
	if err := json.Unmarshal([]byte(got.data), &e); err != nil || got.event != "" {
		t.Fatalf("%+v: %v", got, err)
	}
	return e
}

// What is committed comes at once to whoever listens, as the list of events gives it, and a browser
// that was away goes on where it was.
func TestEventsAreStreamedAndResumed(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		path := "/v1/events?sku=" + url.QueryEscape(s.sku)
		stream := p.eventSource(t, path, "")
		if _, begun := stream.next(true); !begun || stream.status != 200 || stream.header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%d %v", stream.status, stream.header)
		}
		p.receive(t, s, 5)
		got, _ := stream.next(false)
		listed := p.get(t, s.path()+"/events").is(t, 200).compact(t, "items", 0)
		if want := compacted(t, got.data); listed != want {
			t.Errorf("streamed %s\nlisted %s", want, listed)
		}
		stream.close()
		for range 20 {
			p.receive(t, s, 1)
		}
		for version := int64(2); version <= 21; {
			again := p.eventSource(t, path+"&after=earliest", stream.lastID) // the header counts
			for range 7 {
				e := again.event(t)
				if e.Version > version {
					t.Fatalf("version %d comes after %d", e.Version, version-1)
				}
				if e.Version == version {
					version++
				}
				if version > 21 {
					break
				}
			}
			stream.lastID = again.lastID
			again.close()
		}
	})
}

func compacted(t *testing.T, data string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(v)
	return string(raw)
}

// A page waits for what is yet to come, and its token goes on after it.
func TestEventsArePolled(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		path := "/v1/events?sku=" + url.QueryEscape(s.sku)
		now := p.get(t, path).is(t, 200)
		if n := len(now.list(t, "items")); n != 0 {
			t.Fatalf("%d events of something that never had one", n)
		}
		var waiting sync.WaitGroup
		waiting.Go(func() {
			got := p.get(t, path+"&wait=30s&after="+now.text(t, "next_page_token")).is(t, 200)
			if got.text(t, "items", 0, "kind") != "receive" || got.int(t, "items", 0, "version") != 1 {
				t.Errorf("waited for %s", got.raw)
			}
		})
		p.receive(t, s, 5)
		waiting.Wait()
		for range 9 {
			p.receive(t, s, 1)
		}
		seen, token := int64(0), "earliest"
		for seen < 10 {
			page := p.get(t, path+"&page_size=4&wait=10s&page_token="+token).is(t, 200)
			for i := range page.list(t, "items") {
				v := page.int(t, "items", i, "version")
				if v > seen+1 {
					t.Fatalf("version %d comes after %d", v, seen)
				}
				seen = max(seen, v)
			}
			token = page.text(t, "next_page_token")
		}
	})
}

func TestBadWatchersAreToldWhy(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for _, c := range []struct{ query, fields string }{
			{"after=nonsense", "after"},
			{"after=earliest&page_token=earliest", "page_token"},
			{"wait=31s", "wait"},
			{"wait=soon&kind=lost&sku=%20&location=%21&page_size=0", "wait page_size"},
			{"kind=lost&sku=%20&location=%21", "kind sku location"},
			{"since=1", "since"},
		} {
			p.get(t, "/v1/events?"+c.query).problem(t, 400, "invalid-request", strings.Fields(c.fields)...)
		}
		p.get(t, "/v1/events?sku=a"+strings.Repeat("&sku=a", 500)).problem(t, 422, "over-limit", "sku")
		p.get(t, "/v1/events?region=mars").problem(t, 404, "not-found")
		p.get(t, "/v1/events?location=nowhere").problem(t, 404, "not-found")
		p.get(t, "/v1/events?wait=1s", "Accept", "text/event-stream").problem(t, 400, "invalid-request", "wait")
		p.get(t, "/v1/events", "Accept", "text/event-stream", "Last-Event-ID", "nonsense").problem(t, 400, "invalid-request", "after")
	})
}

// Whoever is bound to a place sees what happens there, and a stream is no way around a revoked key.
func TestWatchersSeeTheirOwnPlaces(t *testing.T) {
	secured(t, func(t *testing.T, s *site) {
		here, there := s.shelf(t, 0), shelf{s.location(t, europe), s.product(t)}
		who := s.as("viewer@location:" + here.location)
		who.get(t, "/v1/events?location="+there.location).forbidden(t)
		who.get(t, "/v1/events?region="+europe).is(t, 200)
		before := who.get(t, "/v1/events").is(t, 200).text(t, "next_page_token")
		s.receive(t, there, 1)
		s.receive(t, here, 1)
		got := who.get(t, "/v1/events?wait=30s&after="+before).is(t, 200)
		for i := range got.list(t, "items") {
			if at := got.text(t, "items", i, "location"); at != here.location {
				t.Errorf("sees %s", at)
			}
		}
		if len(got.list(t, "items")) == 0 {
			t.Error("sees nothing")
		}
	})
}

// revocable is anybody's key, until it is revoked.
type revocable struct{ revoked atomic.Bool }

func (r *revocable) Authenticate(ctx context.Context, authorization string) (auth.Principal, error) {
	if r.revoked.Load() {
		return auth.Principal{}, auth.ErrBadCredential
	}
	return granted{}.Authenticate(ctx, authorization)
}

// A stream ends soon after its key was revoked, however much there is to see.
func TestABusyStreamEndsWithItsKey(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		key := &revocable{}
		open := &site{pod: start(t, db, america)}
		guarded := start(t, db, america, func(_ *service.Options, o *httpapi.Options) { o.Authenticator = key })
		sh := open.shelf(t, 0)
		stream := guarded.eventSource(t, "/v1/events?sku="+sh.sku, "", "Authorization", "Bearer till viewer")
		defer storetest.Background(t, func(ctx context.Context) {
			for ctx.Err() == nil {
				open.receive(t, sh, 1)
			}
		})()
		if _, ok := stream.next(false); !ok {
			t.Fatal("nothing is streamed")
		}
		key.revoked.Store(true)
		for began := time.Now(); ; {
			if _, more := stream.next(false); !more {
				break
			}
			if time.Since(began) > 50*time.Second {
				t.Fatal("whose key was revoked reads on")
			}
		}
	})
}

// A pod that goes away says so, and says it to those who wait for a page by an empty one.
func TestStreamsEndWithThePod(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		draining := make(chan struct{})
		p := start(t, db, america, func(_ *service.Options, o *httpapi.Options) {
			o.Draining, o.Authenticator = draining, auth.Anonymous{}
		})
		stream := p.eventSource(t, "/v1/events?sku=nobody", "")
		stream.next(true)
		var waiting sync.WaitGroup
		waiting.Go(func() { p.get(t, "/v1/events?sku=nobody&wait=30s").is(t, 200) })
		close(draining)
		last, ok := stream.next(false)
		if !ok || last.event != "end" || !strings.Contains(last.data, "going away") {
			t.Errorf("%+v %t", last, ok)
		}
		if e, more := stream.next(false); more {
			t.Errorf("then comes %+v", e)
		}
		waiting.Wait()
	})
}

// More readers than a pod takes are turned away, and requests have their own bound.
func TestWatchersAreBounded(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(o *service.Options, _ *httpapi.Options) { o.Watchers, o.InFlight = 2, 1 })
		last := ""
		for i := range 2 {
			stream := p.eventSource(t, fmt.Sprintf("/v1/events?sku=nobody-%d", i), "")
			if _, begun := stream.next(true); !begun {
				t.Fatal("turned away")
			}
			last = stream.lastID
		}
		p.get(t, "/v1/events").problem(t, 503, "overloaded")
		p.get(t, "/v1/events", "Accept", "text/event-stream").problem(t, 503, "overloaded")
		back := p.eventSource(t, "/v1/events", last)
		if e, ok := back.next(false); back.status != 200 || !ok || e.event != "end" || back.lastID != last {
			t.Errorf("a browser that comes back gets %d %+v", back.status, e)
		}
		p.get(t, "/v1/regions").is(t, 200)
	})
}
