package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
	"stockyard/service/worker"
)

// raised counts verifications; alerts are counted by those who read them.
type raised struct{ verifications atomic.Int64 }

func (*raised) Alerted(string, int)                       {}
func (*raised) AlertsLag(time.Duration)                   {}
func (*raised) Counted([]inventory.Census, time.Duration) {}
func (r *raised) Verified(int, time.Duration)             { r.verifications.Add(1) }
func (r *raised) verifiedAgain(t *testing.T) bool         { t.Helper(); return r.verifications.Load() >= 3 }

// raising runs the workers of the pod's region that raise alerts, and returns once they read the feed.
func (p *pod) raising(t *testing.T, verifyEvery time.Duration) *raised {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: p.URLs[0], Regions: p.Topology.Names()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	s := service.New(st, service.Options{Region: p.region, Topology: p.Topology})
	t.Cleanup(s.Close)
	hub := feed.NewHub(st, feed.Options{})
	storetest.Background(t, hub.Run)
	seen := &raised{}
	log := slog.New(slog.DiscardHandler)
	jobs := []worker.Job{worker.Alerts(s, hub, worker.AlertsOptions{}, seen)}
	if verifyEvery > 0 {
		o := worker.VerificationOptions{Every: verifyEvery, Share: 1, Heard: func() int64 { return 0 }} // one after the other
		jobs = append(jobs, worker.Verification(s, o, seen, log))
	}
	runner := worker.Runner{Store: st, Region: p.region, Log: log}
	storetest.Background(t, func(ctx context.Context) { runner.Run(ctx, jobs...) })
	p.eventually(t, "the worker reads the feed", func() bool {
		cursor, err := p.FeedCursor(t.Context(), p.region, "alerts")
		return err == nil && cursor != ""
	})
	return seen
}

func (*pod) eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

const everyAlert = "&kind=out_of_stock&kind=back_in_stock&kind=below_threshold&kind=above_threshold&kind=shortfall&kind=drift"

// alerts is a stream of what is raised about a SKU from now on; since is where it begins.
func (p *pod) alerts(t *testing.T, sku string) (stream *eventSource, since string) {
	t.Helper()
	stream = p.eventSource(t, "/v1/events?sku="+url.QueryEscape(sku)+everyAlert, "")
	if _, begun := stream.next(true); !begun {
		t.Fatal("the stream doesn't begin")
	}
	return stream, stream.lastID
}

// told waits for so many alerts and gives them in one line: kind, what is left, where.
func (s *eventSource) told(t *testing.T, n int) string {
	t.Helper()
	var all []string
	for len(all) < n {
		got, ok := s.next(false)
		if !ok || got.event != "alert" {
			t.Fatalf("%v, then %+v, %t: %v", all, got, ok, s.lines.Err())
		}
		all = append(all, brief(t, []byte(got.data)))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func brief(t *testing.T, data []byte) string {
	t.Helper()
	var a service.AlertAnswer
	if err := json.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	left := ""
	if a.Available != nil {
		left = fmt.Sprintf(" %d", *a.Available)
	}
	return string(a.Kind) + left + strings.TrimSuffix(" "+a.Rule, " ")
}

// allTold is every alert about a SKU that the feed gave since a cursor; one that comes again has the
// same id.
func (p *pod) allTold(t *testing.T, sku, since string) string {
	t.Helper()
	told := map[string]string{}
	for _, item := range p.events(t, "sku="+url.QueryEscape(sku)+everyAlert, since) {
		var alert struct{ ID string }
		if err := json.Unmarshal(item, &alert); err != nil {
			t.Fatal(err)
		}
		told[alert.ID] = brief(t, item)
	}
	return strings.Join(slices.Sorted(maps.Values(told)), ", ")
}

// events reads pages of the feed until nothing more comes.
func (p *pod) events(t *testing.T, query, since string) (items []json.RawMessage) {
	t.Helper()
	for token := since; ; {
		page := p.get(t, "/v1/events?"+query+"&page_size=1000&page_token="+token).is(t, 200)
		some := page.list(t, "items")
		for i := range some {
			items = append(items, json.RawMessage(page.compact(t, "items", i)))
		}
		if token = page.text(t, "next_page_token"); len(some) == 0 {
			return items
		}
	}
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("told  %s\nwant  %s", got, want)
	}
}

// Fifty callers want twenty units. Whoever listens hears once that they run low and once that they are gone,
// and of everything that follows.
func TestAlertsAreToldOncePerCrossing(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		p.raising(t, 0)
		s := p.shelf(t, 0)
		low := name("low")
		p.put(t, "/v1/thresholds/"+low, fmt.Sprintf(`{"sku": %q, "location": %q, "below": 5}`, s.sku, s.location)).is(t, 201)
		stream, since := p.alerts(t, s.sku)
		p.receive(t, s, 20)
		var callers sync.WaitGroup
		var sold atomic.Int64
		for range 50 {
			callers.Go(func() {
				if p.post(t, "/v1/movements", s.movement("sell", 1)).status == 201 {
					sold.Add(1)
				}
			})
		}
		callers.Wait()
		if sold.Load() != 20 {
			t.Errorf("%d of 20 units were sold", sold.Load())
		}
		low4, low7, lowMinus2 := "below_threshold 4 "+low, "above_threshold 8 "+low, "below_threshold -2 "+low
		same(t, stream.told(t, 2), low4+", out_of_stock 0")
		p.receive(t, s, 3)
		same(t, stream.told(t, 1), "back_in_stock 3")
		p.receive(t, s, 5)
		same(t, stream.told(t, 1), low7)
		p.post(t, "/v1/movements", s.movement("sell", 10, `, "allow_shortfall": true`)).is(t, 201)
		same(t, stream.told(t, 3), lowMinus2+", out_of_stock -2, shortfall -2")
		all := []string{low4, "out_of_stock 0", "back_in_stock 3", low7, lowMinus2, "out_of_stock -2", "shortfall -2"}
		slices.Sort(all)
		same(t, p.allTold(t, s.sku, since), strings.Join(all, ", "))
	})
}

// A rule about a channel looks at what the channel can sell: at all its locations, less what is kept back.
func TestAlertsOfAChannelFollowWhatItCanSell(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		p.raising(t, 0)
		here := p.shelf(t, 0)
		there := shelf{p.location(t, p.region), here.sku}
		elsewhere := shelf{p.location(t, p.region), here.sku}
		channel, rule := name("chan"), name("rule")
		p.put(t, "/v1/channels/"+channel, fmt.Sprintf(`{"name": "Web", "kind": "web", "locations": [%q, %q], "safety_stock": 2}`, here.location, there.location)).is(t, 201)
		p.put(t, "/v1/thresholds/"+rule, fmt.Sprintf(`{"channel": %q, "below": 5}`, channel)).is(t, 201)
		stream, since := p.alerts(t, here.sku)
		for _, s := range []shelf{here, there, elsewhere} {
			p.receive(t, s, 10)
		}
		p.post(t, "/v1/movements", elsewhere.movement("sell", 10)).is(t, 201)
		same(t, stream.told(t, 1), "out_of_stock 0")                     // and so the channel's units have been seen
		p.post(t, "/v1/movements", here.movement("sell", 9)).is(t, 201)  // leaves 0 + 8
		p.post(t, "/v1/movements", there.movement("sell", 6)).is(t, 201) // leaves 0 + 2
		same(t, stream.told(t, 1), "below_threshold 2 "+rule)
		p.post(t, "/v1/movements", there.movement("sell", 1)).is(t, 201) // leaves 0 + 1
		p.receive(t, here, 7)                                            // leaves 6 + 1
		same(t, stream.told(t, 1), "above_threshold 7 "+rule)
		same(t, p.allTold(t, here.sku, since), "above_threshold 7 "+rule+", below_threshold 2 "+rule+", out_of_stock 0")
	})
}

// What verify finds is told once, however often it is found.
func TestDriftIsToldOnce(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 5)
		seen := p.raising(t, 50*time.Millisecond)
		stream, since := p.alerts(t, s.sku)
		p.Exec(t, "UPDATE stock_levels SET on_hand = on_hand + 1 WHERE sku = '"+s.sku+"'")
		got, _ := stream.next(false)
		var a service.AlertAnswer
		if err := json.Unmarshal([]byte(got.data), &a); err != nil || a.Kind != "drift" || a.Location != s.location ||
			a.Region != p.region || !strings.Contains(a.Detail, "levels: "+s.location+"/"+s.sku) {
			t.Errorf("told %s: %v", got.data, err)
		}
		seen.verifications.Store(0)
		p.eventually(t, "it is verified again", func() bool { return seen.verifiedAgain(t) })
		same(t, p.allTold(t, s.sku, since), "drift")
		p.Exec(t, "UPDATE stock_levels SET on_hand = on_hand - 1 WHERE sku = '"+s.sku+"'")
	})
}

func TestThresholdsAreKept(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 0)
		path := "/v1/thresholds/" + name("rule")
		put := p.put(t, path, fmt.Sprintf(`{"sku": %q, "below": 5}`, s.sku)).is(t, 201)
		read := p.get(t, path).is(t, 200)
		if read.raw != put.raw || read.header.Get("ETag") != `"1"` || !strings.Contains(read.raw, `"active":true`) {
			t.Errorf("put %s, read %s", put.raw, read.raw)
		}
		patched := p.do(t, "PATCH", path, fmt.Sprintf(`{"sku": null, "location": %q, "active": false}`, s.location), "If-Match", `"1"`).is(t, 200)
		if patched.has("sku") || patched.text(t, "location") != s.location || patched.int(t, "below") != 5 || !strings.Contains(patched.raw, `"active":false`) {
			t.Errorf("patched %s", patched.raw)
		}
		p.put(t, path, `{"below": 1}`, "If-Match", `"1"`).problem(t, 412, "version-mismatch")
		p.put(t, path, fmt.Sprintf(`{"below": 0, "sku": " ", "location": %q, "channel": "!"}`, s.location)).
			problem(t, 400, "invalid-request", "sku", "channel", "channel", "below")
		p.put(t, path, `{"below": 1}`).is(t, 200)
		for _, unknown := range []string{`"sku": "nothing"`, `"location": "nowhere"`, `"channel": "none"`} {
			p.put(t, path, `{"below": 1, `+unknown+`}`).problem(t, 404, "not-found")
			p.do(t, "PATCH", path, `{`+unknown+`}`).is(t, 404)
		}
		p.do(t, "DELETE", path, "").is(t, 204)
		p.get(t, path).problem(t, 404, "not-found")
		p.do(t, "PATCH", path, `{"below": 2}`).problem(t, 404, "not-found")
	})
}
