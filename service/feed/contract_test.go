package feed_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/devdb"
	"stockyard/service/feed"
	"stockyard/service/inventory"
	"stockyard/service/store"
	"stockyard/service/store/storetest"
)

// Every event comes, each level's in the order of versions, to a reader from now on and to one from
// the beginning, while many write.
func TestReadersGetEveryEventInOrder(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{})
		skus := y.products(t, 4)
		readers := []*follower{y.follow(t, hub, "", skus), y.follow(t, hub, feed.Earliest, skus), y.follow(t, hub, feed.Earliest, skus[:1])}
		y.write(t, skus, 8, 15)
		for i, f := range readers {
			f.until(t, y, fmt.Sprintf("reader %d", i))
		}
	})
}

// A reader that comes back again and again, each time at another pod and long after its place left
// the pod's memory, misses nothing.
func TestReadersResumeFromAnyCursor(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hubs := []*feed.Hub{y.hub(t, y.stores[0], feed.Options{Buffer: 8}), y.hub(t, y.stores[1], feed.Options{Buffer: 64}), y.hub(t, y.stores[2], feed.Options{})}
		skus := y.products(t, 3)
		written := y.writing(t, skus, 6, 15)
		f := y.follow(t, hubs[0], "", skus)
		random := mathrand.New(mathrand.NewPCG(1, 2))
		for visit := 0; !f.complete(t, y, written); visit++ {
			f.visit(t, y, hubs[visit%len(hubs)], skus, random.IntN(7)+1)
		}
	})
}

// Whoever comes for page after page, each time at another pod, gets every event, and none twice, however
// long the database takes to say that nothing older will come.
func TestPagesRepeatNothing(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hubs := []*feed.Hub{y.hub(t, y.stores[0], feed.Options{}), y.hub(t, y.stores[1], feed.Options{}), y.hub(t, y.stores[2], feed.Options{})}
		skus := y.products(t, 3)
		cursor, err := hubs[0].Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		written := y.writing(t, skus, 12, 20)
		p := &pages{follower: follower{cursor: cursor, skus: skus, seen: map[inventory.LevelKey]int64{}}}
		for visit := 0; !p.complete(t, y, written); visit++ {
			p.visit(t, y, hubs[visit%len(hubs)], 1+visit%40)
		}
		p.visit(t, y, hubs[0], 1000)
		if p.repeated > 0 {
			t.Errorf("%d events came again", p.repeated)
		}
	})
}

// pages is a follower that comes for a page at a time.
type pages struct {
	follower
	repeated int
}

func (p *pages) visit(t *testing.T, y *yard, hub *feed.Hub, most int) {
	t.Helper()
	r := y.reader(t, hub, p.cursor, p.skus)
	defer r.Close()
	b, err := r.Page(t.Context(), most, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range b.Items {
		if i.Event.Version <= p.seen[i.Event.Key] {
			p.repeated++
		}
	}
	p.take(t, b)
}

// What one command does in all regions comes whole, however little a reader takes at a time.
func TestACommandInManyRegionsComesWhole(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{Buffer: 1})
		skus := y.products(t, 3)
		cursor, err := hub.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var lines []service.MovementLineInput
		units := int64(1)
		for _, site := range sites {
			for _, sku := range skus {
				lines = append(lines, service.MovementLineInput{Location: site, SKU: sku, Quantity: &units})
			}
		}
		for range 3 {
			caller := tester
			caller.Key = rand.Text()
			if _, err := y.pods[0].Move(t.Context(), caller, service.MovementInput{Kind: "receive", Reason: "test", Lines: lines}); err != nil {
				t.Fatal(err)
			}
		}
		for most := 1; most <= len(lines)+1; most++ {
			f := &follower{cursor: cursor, skus: skus, seen: map[inventory.LevelKey]int64{}}
			f.open(t, y, hub)
			for began := time.Now(); !f.has(t, y); {
				if time.Since(began) > time.Minute {
					t.Fatalf("%d at a time: the reader doesn't get everything; it has %v", most, f.seen)
				}
				if err := f.read(t, most); errors.Is(err, feed.ErrCutOff) {
					f.open(t, y, hub)
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// A commit that comes late, while others that began after it are long through, is not skipped; nor are
// those, though on PostgreSQL they are more than the pod that wrote them remembers.
func TestLateCommitsAreNotSkipped(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{})
		skus := y.products(t, 2)
		f := y.follow(t, hub, "", skus)
		y.receive(t, y.pods[0], sites[0], skus[0], 1) // a row to lock, with which PostgreSQL's transactions get their ids
		proxy := storetest.NewProxy(t, y.URLs[0])
		late := y.podAt(t, 0, y.open(t, proxy.URL))
		stuck, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		proxy.OnCommit(func() storetest.Fate {
			once.Do(func() { close(stuck) })
			<-release
			return storetest.Passes
		})
		var done sync.WaitGroup
		done.Go(func() { y.receive(t, late, sites[0], skus[0], 1) })
		<-stuck
		others := 270
		if y.Kind == devdb.CockroachDB { // it remembers none
			others = 20
		}
		y.write(t, skus[1:], 1, others)
		close(release)
		done.Wait()
		f.until(t, y, "the reader")
	})
}

// What is told of a level comes in the order in which it was so, also where one transaction tells it all. A
// changefeed gives the rows of a transaction as it likes.
func TestAlertsOfALevelComeInOrder(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{})
		sku := y.products(t, 1)[0]
		reader, err := hub.Read(t.Context(), "", service.Everything())
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		var alerts []inventory.Alert
		for v := range int64(8) {
			onHand := (v + 1) % 2 // there is one, and there is none
			alerts = append(alerts, inventory.Crossings(&inventory.Event{
				Key: inventory.LevelKey{Region: y.Topology.Primary, SKU: sku, Location: sites[0]}, Version: v + 2,
				Deltas: inventory.Balances{OnHand: 2*onHand - 1}, Balances: inventory.Balances{OnHand: onHand}, RecordedAt: time.Now(),
			}, nil)...)
		}
		if err := y.InTx(t.Context(), func(_ context.Context, tx *store.Tx) error {
			tx.QueueAlerts(alerts)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var versions []int64
		for began := time.Now(); len(versions) < len(alerts) && time.Since(began) < time.Minute; {
			batch, err := reader.Next(t.Context(), 100, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range batch.Items {
				if item.Alert != nil && item.Alert.SKU == sku {
					versions = append(versions, item.Alert.Version)
				}
			}
		}
		if y.Kind == devdb.CockroachDB {
			slices.Sort(versions)
		}
		if !slices.Equal(versions, []int64{2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("they come as of versions %v", versions)
		}
	})
}

// Connections to the database that break cost nothing but time.
func TestLostConnectionsLoseNoEvents(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		proxy := storetest.NewProxy(t, y.URLs[0])
		hub := y.hub(t, y.open(t, proxy.URL), feed.Options{})
		skus := y.products(t, 3)
		f := y.follow(t, hub, "", skus)
		written := y.writing(t, skus, 6, 20)
		for cut := 0; cut < 5; {
			_ = f.read(t, 1)
			cut += min(proxy.Cut(), 1)
		}
		<-written
		f.until(t, y, "the reader")
	})
}

// A reader that falls behind the pod's memory is told so, and has what it missed by its cursor.
func TestSlowReadersAreCutOffAndResume(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{Buffer: 4})
		skus := y.products(t, 1)
		f := y.follow(t, hub, "", skus)
		quick := y.follow(t, hub, "", skus)
		y.receive(t, y.pods[0], sites[0], skus[0], 1)
		if err := f.read(t, 1); err != nil {
			t.Fatal(err)
		}
		y.write(t, skus, 4, 10)
		quick.untilCutOff(t, y)
		err := f.read(t, 1)
		if !errors.Is(err, feed.ErrCutOff) {
			t.Fatalf("got %v; want to be cut off", err)
		}
		if _, cutOff, _ := hub.Stats(); cutOff == 0 {
			t.Error("nobody counted it")
		}
		// With so small a memory it may be cut off on its way again.
		for began := time.Now(); !f.has(t, y); f.visit(t, y, hub, skus, 3) {
			if time.Since(began) > time.Minute {
				t.Fatalf("the reader doesn't get everything; it has %v", f.seen)
			}
		}
	})
}

// Who watches one SKU doesn't fall behind, however much of others goes by, and still hears of its own.
func TestWhatOthersWatchCutsNobodyOff(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{Buffer: 4})
		skus := y.products(t, 2)
		quiet, other := y.follow(t, hub, "", skus[:1]), y.follow(t, hub, "", skus[1:])
		for round := range 3 {
			y.write(t, skus[1:], 4, 10)
			other.untilCutOff(t, y)
			before := quiet.cursor
			for began := time.Now(); quiet.cursor == before; {
				if err := quiet.read(t, 100); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				if time.Since(began) > time.Minute {
					t.Fatalf("round %d: the cursor stands still while the feed goes on", round)
				}
			}
			y.receive(t, y.pods[0], sites[0], skus[0], 1)
			quiet.until(t, y, "who watches what is seldom sold")
			other.visit(t, y, hub, skus[1:], 1)
		}
	})
}

// What isn't a cursor of this database's feed is refused by name.
func TestForeignCursorsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{})
		f := y.follow(t, hub, "", nil)
		for _, cursor := range []string{"x", "now", strings.Repeat("A", 2000), f.cursor[:len(f.cursor)-2], f.ahead()} {
			_, err := hub.Read(t.Context(), cursor, service.Everything())
			var refusal *inventory.Refusal
			if !errors.As(err, &refusal) || refusal.Fields[0].Field != "after" {
				t.Errorf("%q gives %v", cursor, err)
			}
		}
	})
}

// Readers get what they asked for and nothing else.
func TestReadersGetWhatTheyWatch(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		hub := y.hub(t, y.stores[0], feed.Options{})
		skus := y.products(t, 2)
		w, err := y.pods[0].Watch(t.Context(), tester, service.WatchQuery{
			Regions: []string{y.Topology.Regions[1].Name}, SKUs: skus[1:], Kinds: []string{"sell"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, cursor := range []string{"", feed.Earliest} {
			r, err := hub.Read(t.Context(), cursor, w)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for _, site := range sites {
				for _, sku := range skus {
					y.receive(t, y.pods[0], site, sku, 1)
					y.sell(t, site, sku)
				}
			}
			want := 1
			if cursor == feed.Earliest {
				want = 2
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for got := 0; got < want; {
				b, err := r.Next(ctx, 100, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				for _, i := range b.Items {
					got++
					if e := i.Event; e.Kind != "sell" || e.Key.SKU != skus[1] || e.Key.Location != sites[1] {
						t.Errorf("%q: got %s of %s at %s", cursor, e.Kind, e.Key.SKU, e.Key.Location)
					}
				}
			}
		}
	})
}
