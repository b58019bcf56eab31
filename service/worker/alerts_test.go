package worker_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
	"stockyard/service/worker"
)

type unobserved struct{}

func (unobserved) Alerted(string, int)     {}
func (unobserved) AlertsLag(time.Duration) {}

// raiser is a pod that raises alerts.
type raiser struct {
	proxy *storetest.Proxy
	stop  func()
}

func (p *pods) raiser(t *testing.T, lease time.Duration, o worker.AlertsOptions) *raiser {
	t.Helper()
	st, proxy := p.open(t)
	s := service.New(st, service.Options{Region: region, Topology: p.Topology})
	t.Cleanup(s.Close)
	hub := feed.NewHub(st, feed.Options{})
	storetest.Background(t, hub.Run)
	return &raiser{proxy, start(t, st, lease, worker.Alerts(s, hub, o, unobserved{}))}
}

// Pods that raise alerts are cut off, let back, stopped and replaced while stock goes up and down. In the
// end there is one alert for each crossing of the ledger, none is missing and none is there twice.
func TestAlertsAreRaisedOnceWhicheverPodLives(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := &pods{DB: db}
		const lease, limit = 600 * time.Millisecond, 4
		s := service.New(db.Store, service.Options{Region: region, Topology: db.Topology})
		t.Cleanup(s.Close)
		skus := make([]string, 5)
		for i := range skus {
			skus[i] = rand.Text()
		}
		w := watching(t, db, skus)
		for _, sku := range skus {
			stockUp(t, s, sku, 1)
		}
		rule := rand.Text()
		putRule(t, s, inventory.Threshold{Name: rule, Location: "NYC", Below: limit, Active: true})
		raisers := []*raiser{p.raiser(t, lease, worker.AlertsOptions{}), p.raiser(t, lease, worker.AlertsOptions{})}
		eventually(t, "the worker reads the feed", func() bool {
			cursor, err := db.FeedCursor(t.Context(), region, "alerts")
			return err == nil && cursor != ""
		})

		done := make(chan struct{})
		stop := sync.OnceFunc(func() { close(done) })
		defer stop()
		var busy sync.WaitGroup
		for _, sku := range skus {
			busy.Go(func() {
				for !isOver(done) && move(t, s, sku, "receive", 1+mrand.Int64N(5)) > 0 {
					move(t, s, sku, "sell", 1+mrand.Int64N(5))
				}
			})
		}
		for round := range 6 {
			victim := raisers[round%2]
			victim.proxy.Refuse(true)
			victim.proxy.Cut()
			told := len(w.alerts())
			eventually(t, "the pod that is left raises alerts", func() bool { return len(w.alerts()) > told+10 })
			victim.proxy.Refuse(false)
			if round%3 == 2 {
				raisers[1-round%2].stop()
				raisers[1-round%2] = p.raiser(t, lease, worker.AlertsOptions{})
			}
		}
		eventually(t, "there is enough to go by", func() bool { return len(w.alerts()) >= 100 })
		stop()
		busy.Wait()
		// The feed has an order for each level, none for all of them: each has a last one of its own.
		var last []string
		for _, sku := range skus {
			last = append(last, fmt.Sprintf("shortfall of %s at version %d by %q", sku, move(t, s, sku, "sell", 1000), ""))
		}
		eventually(t, "the last shortfalls, and all that was before them, are told", func() bool {
			got := w.alerts()
			untold := func(what string) bool { return got[what] == 0 }
			return !slices.ContainsFunc(last, untold) && !slices.ContainsFunc(slices.Collect(maps.Keys(crossings(w, rule, limit))), untold)
		})
		want, got := crossings(w, rule, limit), w.alerts()
		if !maps.Equal(got, want) {
			for _, key := range slices.Sorted(maps.Keys(want)) {
				if got[key] != 1 {
					t.Errorf("%s: told %d times", key, got[key])
				}
			}
			for key, n := range got {
				if want[key] == 0 {
					t.Errorf("told %d times, and it never was: %s", n, key)
				}
			}
		}
	})
}

// A cursor that the database doesn't know, as one that was restored has, is let go after a while, and
// alerts are raised of what comes from then on.
func TestAlertsGoOnFromNowWhereTheirCursorIsAnotherDatabases(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := &pods{DB: db}
		const lease, doubt = time.Minute, time.Second
		ctx := t.Context()
		s := service.New(db.Store, service.Options{Region: region, Topology: db.Topology})
		t.Cleanup(s.Close)
		foreign := base64.RawURLEncoding.EncodeToString([]byte("c"))
		if db.IsCockroach() {
			foreign = base64.RawURLEncoding.EncodeToString([]byte("p"))
		}
		held, ok, err := db.TakeLease(ctx, region, "alerts", "me", lease)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := s.MoveFeedCursor(ctx, held, foreign); err != nil {
			t.Fatal(err)
		}
		if err := db.ReleaseLease(ctx, region, "alerts", "me"); err != nil {
			t.Fatal(err)
		}
		sku := rand.Text()
		w := watching(t, db, []string{sku})
		stockUp(t, s, sku, 1)

		began := time.Now()
		p.raiser(t, lease, worker.AlertsOptions{Doubt: doubt})
		eventually(t, "the cursor is let go", func() bool {
			cursor, err := db.FeedCursor(ctx, region, "alerts")
			return err == nil && cursor != foreign
		})
		if after := time.Since(began); after < doubt {
			t.Errorf("it is let go after %s of doubt", after)
		}
		want := fmt.Sprintf("out_of_stock of %s at version %d by %q", sku, move(t, s, sku, "sell", 1), "")
		eventually(t, want, func() bool { return w.alerts()[want] == 1 })
	})
}

func isOver(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func putRule(t *testing.T, s *service.Service, rule inventory.Threshold) {
	t.Helper()
	if _, _, err := s.PutThreshold(t.Context(), service.Caller{Principal: auth.Nobody}, rule, service.Precondition{}); err != nil {
		t.Fatal(err)
	}
}

// move receives or sells units, more than there are if need be, and gives the level's version, 0 where
// that failed.
func move(t *testing.T, s *service.Service, sku, kind string, quantity int64) (version int64) {
	in := service.MovementInput{Kind: kind, Lines: []service.MovementLineInput{{Location: "NYC", SKU: sku, Quantity: &quantity}}}
	if short := true; kind == "sell" {
		in.AllowShortfall = &short
	}
	o, err := s.Move(t.Context(), service.Caller{Principal: auth.Nobody, Key: rand.Text()}, in)
	if err != nil {
		t.Error(err)
		return 0
	}
	return o.Movement.Lines[0].Level.Version
}

// watched is what a reader of the feed has seen of some SKUs.
type watched struct {
	mu     sync.Mutex
	events map[string]*inventory.Event
	told   map[inventory.ID]string
}

func watching(t *testing.T, db *storetest.DB, skus []string) *watched {
	t.Helper()
	hub := feed.NewHub(db.Store, feed.Options{})
	storetest.Background(t, hub.Run)
	w := &watched{events: map[string]*inventory.Event{}, told: map[inventory.ID]string{}}
	all := service.Everything()
	all.SKUs = skus
	reader, err := hub.Read(t.Context(), "", all)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Background(t, func(ctx context.Context) {
		defer reader.Close()
		for ctx.Err() == nil {
			batch, err := reader.Next(ctx, 100, time.Second)
			if err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
			w.take(batch)
		}
	})
	return w
}

func (w *watched) take(batch feed.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range batch.Items {
		if i.Event != nil {
			w.events[fmt.Sprintf("%s %06d", i.Event.Key.SKU, i.Event.Version)] = i.Event
		} else {
			w.told[i.Alert.ID] = fmt.Sprintf("%s of %s at version %d by %q", i.Alert.Kind, i.Alert.SKU, i.Alert.Version, i.Alert.Rule)
		}
	}
}

// alerts counts those of different ids by what they say.
func (w *watched) alerts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := map[string]int{}
	for _, what := range w.told {
		n[what]++
	}
	return n
}

// crossings folds the ledger: what is available is the sum of all deltas so far. The first event of each
// level came before anybody raised alerts.
func crossings(w *watched, rule string, limit int64) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	want, left := map[string]int{}, map[string]int64{}
	for _, key := range slices.Sorted(maps.Keys(w.events)) {
		e := w.events[key]
		d := e.Deltas
		before := left[e.Key.SKU]
		after := before + d.OnHand - d.Held - d.Allocated - d.Quarantined - d.Shortfall
		left[e.Key.SKU] = after
		if e.Version == 1 {
			continue
		}
		say := func(kind, rule string) {
			want[fmt.Sprintf("%s of %s at version %d by %q", kind, e.Key.SKU, e.Version, rule)]++
		}
		if before > 0 && after <= 0 {
			say("out_of_stock", "")
		}
		if before <= 0 && after > 0 {
			say("back_in_stock", "")
		}
		if d.Shortfall > 0 {
			say("shortfall", "")
		}
		if before >= limit && after < limit {
			say("below_threshold", rule)
		}
		if before < limit && after >= limit {
			say("above_threshold", rule)
		}
	}
	return want
}
