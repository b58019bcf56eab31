package pod_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"stockyard/service/client"
	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

// shop is a SKU at a place of the first region, and what its buyers were told.
type shop struct {
	client *client.Client
	sku    string

	mu       sync.Mutex
	held     []string // ids of reservations that were acknowledged
	sold     int      // units whose sale was acknowledged
	refused  int
	repeated int // calls that had to be repeated
}

func openShop(t *testing.T, region string, targets []string, units int64) *shop {
	t.Helper()
	c, err := client.New(targets, client.Options{AttemptTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{client: c, sku: rand.Text()}
	if _, err := c.PutLocation(t.Context(), client.Location{Name: "NYC", Title: "NYC", Region: region, Kind: "store", Country: "US"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutProduct(t.Context(), client.Product{SKU: s.sku, Name: "hot"}); err != nil {
		t.Fatal(err)
	}
	line := client.MovementLine{Location: "NYC", SKU: s.sku, Quantity: units}
	if _, _, err := c.Move(t.Context(), rand.Text(), client.MovementRequest{Kind: "receive", Lines: []client.MovementLine{line}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// buy buys a unit: over the counter, or by a reservation. more is false once there is none left.
func (s *shop) buy(t *testing.T, buyer, n int) (more bool) {
	c, key := s.client.Via(buyer%3), fmt.Sprintf("%s/%d/%d", s.sku, buyer, n)
	var call client.Call
	var err error
	var placed client.Reservation
	if buyer%2 == 0 {
		line := client.MovementLine{Location: "NYC", SKU: s.sku, Quantity: 1}
		_, call, err = c.Move(t.Context(), key, client.MovementRequest{Kind: "sell", Lines: []client.MovementLine{line}})
	} else {
		line := client.ReservationLine{Location: "NYC", SKU: s.sku, Quantity: 1}
		placed, call, err = c.Reserve(t.Context(), key, client.ReservationRequest{Lines: []client.ReservationLine{line}})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.Retries > 0 {
		s.repeated++
	}
	switch {
	case client.IsProblem(err, client.InsufficientStock):
		s.refused++
		return false
	case err != nil:
		t.Errorf("buyer %d: %v", buyer, err)
		return false
	case placed.ID != "":
		s.held = append(s.held, placed.ID)
	default:
		s.sold++
	}
	return true
}

// Pods are killed and started again all along while clients of three regions buy the same thousand
// units, repeating at another region what got no answer. Exactly a thousand are sold.
func TestPodsAreKilledWhileClientsBuyTheSameThousandUnits(t *testing.T) {
	binary := build(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		units := 1000
		if db.Kind == devdb.CockroachDB || testing.Short() {
			units = 200
		}
		pods, targets := startPods(t, binary, db)
		s := openShop(t, db.Topology.Regions[0].Name, targets, int64(units))
		// Buyers take their time, so that the units last for some crashes.
		var buyers, killer sync.WaitGroup
		stop, kills := make(chan struct{}), 0
		killer.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(150+mathrand.N(200)) * time.Millisecond):
				}
				pods[i%len(pods)].kill()
				kills++
				if err := pods[i%len(pods)].start(); err != nil {
					t.Error(err)
					return
				}
			}
		})
		for b := range 24 {
			buyers.Go(func() {
				for n := 0; s.buy(t, b, n); n++ {
					time.Sleep(time.Duration(mathrand.N(100)) * time.Millisecond)
				}
			})
		}
		buyers.Wait()
		close(stop)
		killer.Wait()
		t.Logf("%d pods killed; %d sold, %d held, %d refused; %d calls were repeated", kills, s.sold, len(s.held), s.refused, s.repeated)
		if s.sold+len(s.held) != units {
			t.Errorf("%d units acknowledged of %d", s.sold+len(s.held), units)
		}
		if kills == 0 || s.repeated == 0 {
			t.Error("too little broke: the test proves nothing")
		}
		s.check(t, db, units)
	})
}

// check compares the database with what was acknowledged: every reservation exists exactly once.
func (s *shop) check(t *testing.T, db *storetest.DB, units int) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	level, _, err := s.client.Level(ctx, "NYC", s.sku)
	if err != nil || level.OnHand != int64(units-s.sold) || level.Held != int64(len(s.held)) || level.Available != 0 {
		t.Errorf("sold %d, held %d; the level is %+v, %v", s.sold, len(s.held), level, err)
	}
	seen := map[string]bool{}
	for _, id := range s.held {
		if seen[id] {
			t.Errorf("reservation %s was given to two buyers", id)
		}
		seen[id] = true
		if _, _, err := s.client.Confirm(ctx, "confirm "+id, id); err != nil {
			t.Errorf("reservation %s was acknowledged: %v", id, err)
		}
	}
	if level, _, err = s.client.Level(ctx, "NYC", s.sku); err != nil || level.Allocated != int64(len(s.held)) || level.Held != 0 {
		t.Errorf("confirmed, the level is %+v, %v", level, err)
	}
	db.Verify(t)
}

// Pods are told to stop one after the other, as for a new version, while clients buy: each finishes
// what it has taken in and ends well.
func TestRollingRestartLosesNothing(t *testing.T) {
	binary := build(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		pods, targets := startPods(t, binary, db)
		s := openShop(t, db.Topology.Regions[0].Name, targets, 1_000_000)
		stop := make(chan struct{})
		var buyers sync.WaitGroup
		for b := range 12 {
			buyers.Go(func() {
				for n := 0; s.buy(t, b, n); n++ {
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		for _, p := range pods {
			if err := p.stop(); err != nil {
				t.Errorf("the pod of %s ended with %v", p.region, err)
			}
			if err := p.start(); err != nil {
				t.Fatal(err)
			}
		}
		close(stop)
		buyers.Wait()
		level, _, err := s.client.Level(t.Context(), "NYC", s.sku)
		if err != nil || level.OnHand != int64(1_000_000-s.sold) || level.Held != int64(len(s.held)) {
			t.Errorf("sold %d, held %d; the level is %+v, %v", s.sold, len(s.held), level, err)
		}
		db.Verify(t)
	})
}
