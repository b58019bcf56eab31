package service_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
)

// transfer is a transfer of units of each SKU.
func transfer(from, to string, units int64, skus ...string) service.TransferInput {
	in := service.TransferInput{From: from, To: to}
	for _, sku := range skus {
		in.Lines = append(in.Lines, service.TransferLineInput{SKU: sku, Quantity: &units})
	}
	return in
}

// arrived is the receipt of units of a SKU.
func arrived(sku string, units, quarantined int64) service.TransferStepInput {
	return service.TransferStepInput{Lines: []service.ArrivalInput{{SKU: sku, Quantity: &units, Quarantined: quarantined}}}
}

// send makes a transfer and ships it.
func (y *yard) send(t *testing.T, in service.TransferInput) (id string) {
	t.Helper()
	id = y.must(t)(y.pods[0].CreateTransfer(t.Context(), y.fresh(), in)).Transfer.ID.String()
	y.must(t)(y.pods[1].ShipTransfer(t.Context(), y.fresh(), id, service.TransferStepInput{}))
	return id
}

// moves compares what a transfer moves of a level.
func (y *yard) moves(t *testing.T, site, sku string, onHand, quarantined, incoming int64) {
	t.Helper()
	l := y.level(t, site, sku)
	if l.OnHand != onHand || l.Quarantined != quarantined || l.Incoming != incoming {
		t.Errorf("%s at %s: on hand %d, quarantined %d, incoming %d; want %d, %d, %d", sku, site, l.OnHand, l.Quarantined, l.Incoming, onHand, quarantined, incoming)
	}
}

func TestEveryStepOfATransferIsReplayedUnderItsKey(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		a, b := y.product(t, 10, nyc), y.product(t, 10, nyc)
		var id string
		step := func(name string, run func(*service.Service, service.Caller) (service.Outcome, error)) *inventory.TransferAnswer {
			t.Helper()
			caller := y.as("%s/%s", a, name)
			dry := caller
			dry.DryRun = true
			rehearsed := y.must(t)(run(y.pods[2], dry))
			first := y.must(t)(run(y.pods[0], caller))
			again := y.must(t)(run(y.pods[1], caller))
			if !again.Replayed || !reflect.DeepEqual(again.Transfer, first.Transfer) || first.Replayed {
				t.Errorf("%s: first %+v, then %+v", name, first.Transfer, again.Transfer)
			}
			if rehearsed.Transfer.Status != first.Transfer.Status || rehearsed.Transfer.Version != first.Transfer.Version {
				t.Errorf("%s: rehearsed as %+v, it was %+v", name, rehearsed.Transfer, first.Transfer)
			}
			read, _, err := y.pods[1].Transfer(t.Context(), tester, first.Transfer.ID.String())
			if err != nil || !reflect.DeepEqual(read, first.Transfer) {
				t.Errorf("%s: answered %+v, read %+v, %v", name, first.Transfer, read, err)
			}
			if _, err := y.pods[0].CreateTransfer(t.Context(), caller, transfer(nyc, sin, 1, b)); !errors.Is(err, service.ErrKeyReused) {
				t.Errorf("%s: its key with another command: %v", name, err)
			}
			return first.Transfer
		}
		made := step("create", func(pod *service.Service, caller service.Caller) (service.Outcome, error) {
			return pod.CreateTransfer(t.Context(), caller, transfer(nyc, lon, 8, a, b))
		})
		id = made.ID.String()
		y.moves(t, nyc, a, 10, 0, 0)
		step("ship", func(pod *service.Service, caller service.Caller) (service.Outcome, error) {
			return pod.ShipTransfer(t.Context(), caller, id, service.TransferStepInput{Reference: "lorry 9"})
		})
		y.moves(t, nyc, a, 2, 0, 0)
		y.moves(t, lon, a, 0, 0, 8)
		step("receive", func(pod *service.Service, caller service.Caller) (service.Outcome, error) {
			return pod.ReceiveTransfer(t.Context(), caller, id, arrived(a, 5, 2))
		})
		y.moves(t, lon, a, 5, 2, 3)
		closed := step("close", func(pod *service.Service, caller service.Caller) (service.Outcome, error) {
			return pod.CloseTransfer(t.Context(), caller, id, service.TransferStepInput{Disposition: "returned"})
		})
		y.moves(t, nyc, a, 5, 0, 0)
		y.moves(t, nyc, b, 10, 0, 0)
		y.moves(t, lon, b, 0, 0, 0)
		if l := closed.Lines[0]; closed.Status != inventory.TransferClosed || l.Received != 5 || l.Returned != 3 || l.InTransit != 0 {
			t.Errorf("closed as %+v", closed)
		}
		draft := y.must(t)(y.pods[0].CreateTransfer(t.Context(), y.fresh(), transfer(lon, nyc, 1, a))).Transfer.ID.String()
		step("cancel", func(pod *service.Service, caller service.Caller) (service.Outcome, error) {
			return pod.CancelTransfer(t.Context(), caller, draft, service.TransferStepInput{})
		})
		y.legs(t, made.ID, nyc, a, "transfer_ship lorry 9", "transfer_return ")
		y.legs(t, made.ID, lon, a, "transfer_expect lorry 9", "transfer_receive ", "transfer_recall ")
	})
}

// legs compares what the ledger of a level has of a transfer.
func (y *yard) legs(t *testing.T, id inventory.ID, site, sku string, want ...string) {
	t.Helper()
	list, err := y.pods[0].Events(t.Context(), tester, site, sku, 0, service.Page{Size: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list.Items {
		if e.Transfer != nil && *e.Transfer == id {
			got = append(got, string(e.Kind)+" "+e.Reference)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s saw %q, want %q", site, got, want)
	}
}

func TestARefusedStepIsReplayedToo(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 3, nyc)
		id := y.must(t)(y.pods[0].CreateTransfer(t.Context(), y.fresh(), transfer(nyc, lon, 4, sku))).Transfer.ID.String()
		caller := y.fresh()
		ship := func() error {
			_, err := y.pods[0].ShipTransfer(t.Context(), caller, id, service.TransferStepInput{})
			return err
		}
		if err := ship(); !isShort(err) || refusal(err).Shortages[0].Available != 3 {
			t.Errorf("refused as %v", err)
		}
		y.receive(t, nyc, sku, 1)
		var again *service.ReplayedRefusal
		if err := ship(); !isShort(err) || !errors.As(err, &again) {
			t.Errorf("the same key, with stock: %v", err)
		}
		caller = y.fresh()
		if err := ship(); err != nil {
			t.Error(err)
		}
	})
}

func TestManyReceiveTheSameTransferAtOnce(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		units := int64(y.size(120, 24))
		a, b := y.product(t, units, nyc), y.product(t, units, nyc)
		id := y.send(t, transfer(nyc, lon, units, a, b))
		var got [2]atomic.Int64
		atOnce(24, func(i int) {
			sku, n := []string{a, b}[i%2], int64(i%3+1)
			for {
				_, err := y.pods[i%3].ReceiveTransfer(t.Context(), y.fresh(), id, arrived(sku, n, n/2))
				switch {
				case err == nil:
					got[i%2].Add(n)
					continue
				case refusalOf(err) != inventory.Conflict:
					t.Errorf("refused for another reason: %v", err)
				}
				return
			}
		})
		for i, sku := range []string{a, b} {
			if got[i].Load() != units {
				t.Errorf("%d units of %d were received", got[i].Load(), units)
			}
			if l := y.level(t, lon, sku); l.OnHand != units || l.Incoming != 0 {
				t.Errorf("%+v", l)
			}
		}
		if read, _, err := y.pods[0].Transfer(t.Context(), tester, id); err != nil || read.Status != inventory.TransferReceived {
			t.Errorf("%+v, %v", read, err)
		}
	})
}

func TestTransfersInOppositeDirectionsOverTwoRegions(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		rounds, lorries := y.size(12, 3), 8
		skus := []string{y.product(t, 1000, nyc, lon), y.product(t, 1000, nyc, lon)}
		backwards := slices.Clone(skus)
		slices.Reverse(backwards)
		var lost, moved [2]atomic.Int64
		atOnce(lorries, func(i int) {
			ends, goods := []string{nyc, lon}, skus
			if i%2 == 1 {
				ends, goods = []string{lon, nyc}, backwards
			}
			for n := range rounds {
				as := inventory.Dispositions[n%2]
				if err := y.journey(t, i+n, transfer(ends[0], ends[1], 3, goods...), arrived(goods[0], 2, 0), as); err != nil {
					t.Error(err)
					return
				}
				received := int64(2)
				if goods[0] == skus[1] {
					received = 0
				}
				moved[i%2].Add(received)
				if as == inventory.DispositionLost {
					lost[i%2].Add(3 - received)
				}
			}
		})
		fromNYC, fromLON := moved[0].Load()+lost[0].Load(), moved[1].Load()+lost[1].Load()
		y.wants(t, nyc, skus[0], 1000-fromNYC+moved[1].Load(), 0, 0, 0)
		y.wants(t, lon, skus[0], 1000-fromLON+moved[0].Load(), 0, 0, 0)
		t.Logf("%d transfers, %d transactions ran again", lorries*rounds, y.retries.Load())
	})
}

// journey takes a transfer through all of its steps, each at another pod.
func (y *yard) journey(t *testing.T, first int, in service.TransferInput, arrives service.TransferStepInput, as inventory.Disposition) error {
	pod := func(n int) *service.Service { return y.pods[(first+n)%3] }
	made, err := pod(0).CreateTransfer(t.Context(), y.fresh(), in)
	if err != nil {
		return err
	}
	id := made.Transfer.ID.String()
	if _, err := pod(1).ShipTransfer(t.Context(), y.fresh(), id, service.TransferStepInput{}); err != nil {
		return err
	}
	if _, err := pod(2).ReceiveTransfer(t.Context(), y.fresh(), id, arrives); err != nil {
		return err
	}
	_, err = pod(0).CloseTransfer(t.Context(), y.fresh(), id, service.TransferStepInput{Disposition: string(as)})
	return err
}

// A commit whose answer is lost, at every step: the pod finds out what became of it.
func TestAmbiguousStepsOfATransferAreSettledByTheirKeys(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		proxy := storetest.NewProxy(t, y.URLs[0])
		pod := y.podAt(t, 0, proxy.URL, service.Options{})
		sku := y.product(t, 10, nyc)
		for _, fate := range []storetest.Fate{storetest.Done, storetest.Lost} {
			once := func() {
				var fates atomic.Int64
				proxy.OnCommit(func() storetest.Fate {
					if fates.Add(1) == 1 {
						return fate
					}
					return storetest.Passes
				})
			}
			once()
			id := y.must(t)(pod.CreateTransfer(t.Context(), y.fresh(), transfer(nyc, lon, 5, sku))).Transfer.ID.String()
			once()
			y.must(t)(pod.ShipTransfer(t.Context(), y.fresh(), id, service.TransferStepInput{}))
			once()
			y.must(t)(pod.ReceiveTransfer(t.Context(), y.fresh(), id, arrived(sku, 2, 0)))
			once()
			y.must(t)(pod.CloseTransfer(t.Context(), y.fresh(), id, service.TransferStepInput{Disposition: "returned"}))
		}
		y.moves(t, nyc, sku, 6, 0, 0)
		y.moves(t, lon, sku, 4, 0, 0)
	})
}

func TestWhatIsInTransitKeepsADestinationOpen(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		var ends []string
		for i := range 2 {
			name := fmt.Sprintf("%s-end%d", y.run, i)
			_, _, err := y.pods[0].PutLocation(t.Context(), tester, inventory.Location{Name: name, Title: name, Region: y.Topology.Regions[i].Name, Kind: "store", Country: "US"}, service.Precondition{})
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, name)
		}
		sku := y.product(t, 5, ends[0])
		draft := y.must(t)(y.pods[0].CreateTransfer(t.Context(), y.fresh(), transfer(nyc, ends[1], 1, sku))).Transfer.ID.String()
		id := y.send(t, transfer(ends[0], ends[1], 5, sku))
		archive := func(name string) error {
			return y.pods[0].ArchiveLocation(t.Context(), tester, name, service.Precondition{})
		}
		if err := archive(ends[1]); refusalOf(err) != inventory.Conflict {
			t.Errorf("with stock underway to it: %v", err)
		}
		if err := archive(ends[0]); err != nil {
			t.Errorf("all of its stock has left: %v", err)
		}
		back := service.TransferStepInput{Disposition: "returned"}
		if _, err := y.pods[0].CloseTransfer(t.Context(), y.fresh(), id, back); refusalOf(err) != inventory.Conflict {
			t.Errorf("returned to an archived location: %v", err)
		}
		y.must(t)(y.pods[0].CloseTransfer(t.Context(), y.fresh(), id, service.TransferStepInput{Disposition: "lost"}))
		if err := archive(ends[1]); err != nil {
			t.Errorf("a draft keeps it open: %v", err)
		}
		y.receive(t, nyc, sku, 1)
		if _, err := y.pods[2].ShipTransfer(t.Context(), y.fresh(), draft, service.TransferStepInput{}); refusalOf(err) != inventory.Conflict {
			t.Errorf("shipped to an archived location: %v", err)
		}
		if _, err := y.pods[0].CreateTransfer(t.Context(), y.fresh(), transfer(nyc, ends[1], 1, sku)); refusalOf(err) != inventory.Conflict {
			t.Errorf("made to an archived location: %v", err)
		}
	})
}
