package feed_test

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/feed"
	"stockyard/service/inventory"
)

// An event is the same wherever it comes from: the pod that wrote it, another that follows the feed, or
// the ledger when all is long over.
func TestEventsAreTheSameWhereverTheyComeFrom(t *testing.T) {
	each(t, func(t *testing.T, y *yard) { y.sameEverywhere(t) })
}

func (y *yard) sameEverywhere(t *testing.T) {
	t.Helper()
	own, other := y.hub(t, y.stores[0], feed.Options{}), y.hub(t, y.stores[1], feed.Options{})
	skus := y.products(t, 2)
	hearers := map[string]*follower{"the pod that wrote it": y.follow(t, own, "", skus), "another pod": y.follow(t, other, "", skus)}
	y.allKinds(t, y.pods[0], skus)
	later := y.hub(t, y.open(t, y.URLs[2]), feed.Options{Buffer: 1})
	hearers["the ledger"] = y.follow(t, later, feed.Earliest, skus)
	events := map[string][]string{}
	for who, f := range hearers {
		f.until(t, y, who)
		slices.Sort(f.said)
		events[who] = slices.Compact(f.said)
	}
	want := events["the ledger"]
	if len(want) < 12 {
		t.Fatalf("%d events", len(want))
	}
	for who, got := range events {
		if !slices.Equal(got, want) {
			t.Errorf("%s gives\n%v\nthe ledger\n%v", who, got, want)
		}
	}
}

// allKinds has a pod write events that have whatever events can have.
func (y *yard) allKinds(t *testing.T, pod *service.Service, skus []string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	units := func(n int64) *int64 { return &n }
	fresh := func() service.Caller {
		caller := tester
		caller.Key = rand.Text()
		return caller
	}
	must := func(o service.Outcome, err error) service.Outcome {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	earlier := time.Now().Add(-time.Hour - 123*time.Nanosecond)
	must(pod.Move(ctx, fresh(), service.MovementInput{
		Kind: "receive", Reason: `"café" <&> \`, Reference: "lorry 9", EffectiveAt: &earlier,
		Lines: []service.MovementLineInput{
			{Location: sites[0], SKU: skus[0], Quantity: units(20), UnitCost: &inventory.Money{Amount: "12.50", Currency: "EUR"}},
			{Location: sites[1], SKU: skus[1], Quantity: units(30)},
			{Location: sites[0], SKU: skus[0], Quantity: units(10), UnitCost: &inventory.Money{Amount: "0.1", Currency: "USD"}},
		},
	}))
	for kind, quantity := range map[string]int64{"sell": 3, "quarantine": 2, "count": 25} {
		must(pod.Move(ctx, fresh(), service.MovementInput{
			Kind: kind, Reason: "test", Lines: []service.MovementLineInput{{Location: sites[0], SKU: skus[0], Quantity: &quantity}},
		}))
	}
	reservation := must(pod.Reserve(ctx, fresh(), service.ReservationInput{
		OrderReference: "order 7", Lines: []service.ReservationLineInput{{SKU: skus[0], Quantity: units(1), Location: sites[0]}, {SKU: skus[1], Quantity: units(2), Location: sites[1]}},
	})).Reservation.ID.String()
	must(pod.Confirm(ctx, fresh(), reservation, service.StepInput{}))
	must(pod.Fulfil(ctx, fresh(), reservation, service.StepInput{}))
	transfer := must(pod.CreateTransfer(ctx, fresh(), service.TransferInput{
		From: sites[1], To: sites[2], Reference: "boat 3", Lines: []service.TransferLineInput{{SKU: skus[1], Quantity: units(5)}},
	})).Transfer.ID.String()
	must(pod.ShipTransfer(ctx, fresh(), transfer, service.TransferStepInput{}))
	must(pod.ReceiveTransfer(ctx, fresh(), transfer, service.TransferStepInput{Lines: []service.ArrivalInput{{SKU: skus[1], Quantity: units(5)}}}))
}
