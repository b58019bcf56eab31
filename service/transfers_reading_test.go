package service_test

import (
	"errors"
	"slices"
	"testing"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// A transfer is its sender's until it arrives; either end may look at it.
func TestWhoMayDoWhatWithATransfer(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 9, nyc)
		at := func(site string) service.Caller {
			caller := y.fresh()
			caller.Principal = auth.Principal{Kind: auth.KindKey, ID: site, Grants: []auth.Grant{{Role: auth.Warehouse, Locations: []string{site}}}}
			return caller
		}
		denied := func(err error) bool {
			var d *auth.Denied
			return errors.As(err, &d)
		}
		pod := y.pods[0]
		if _, err := pod.CreateTransfer(t.Context(), at(lon), transfer(nyc, lon, 9, sku)); !denied(err) {
			t.Errorf("the destination makes it: %v", err)
		}
		id := y.must(t)(pod.CreateTransfer(t.Context(), at(nyc), transfer(nyc, lon, 9, sku))).Transfer.ID.String()
		if _, err := pod.ShipTransfer(t.Context(), at(lon), id, service.TransferStepInput{}); !denied(err) {
			t.Errorf("the destination ships it: %v", err)
		}
		y.must(t)(pod.ShipTransfer(t.Context(), at(nyc), id, service.TransferStepInput{}))
		if _, err := pod.ReceiveTransfer(t.Context(), at(nyc), id, arrived(sku, 1, 0)); !denied(err) {
			t.Errorf("the origin receives it: %v", err)
		}
		y.must(t)(pod.ReceiveTransfer(t.Context(), at(lon), id, arrived(sku, 1, 0)))
		if _, err := pod.CloseTransfer(t.Context(), at(lon), id, service.TransferStepInput{Disposition: "lost"}); !denied(err) {
			t.Errorf("the destination closes it: %v", err)
		}
		for site, sees := range map[string]bool{nyc: true, lon: true, sin: false} {
			_, _, err := pod.Transfer(t.Context(), at(site), id)
			list, listErr := pod.Transfers(t.Context(), at(site), service.TransfersQuery{From: nyc, To: lon, Status: "partially_received"}, service.Page{Size: 1000})
			listed := slices.ContainsFunc(list.Items, func(a *inventory.TransferAnswer) bool { return a.ID.String() == id })
			if denied(err) == sees || listed != sees || denied(listErr) == sees {
				t.Errorf("%s: %v; listed: %t, %v", site, err, listed, listErr)
			}
		}
	})
}

func TestTransfersAreListedByEachOfTheirSides(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 100, sites...)
		reference := y.run + "-lorries"
		made := map[string]service.TransfersQuery{}
		for i := range 12 {
			from, to := sites[i%3], sites[(i+1+i%2)%3]
			in := transfer(from, to, 1, sku)
			in.Reference = reference
			id := y.must(t)(y.pods[i%3].CreateTransfer(t.Context(), y.fresh(), in)).Transfer.ID.String()
			status := "draft"
			if i%4 > 0 {
				status = "in_transit"
				y.must(t)(y.pods[0].ShipTransfer(t.Context(), y.fresh(), id, service.TransferStepInput{}))
			}
			if i%4 > 1 {
				status = "received"
				y.must(t)(y.pods[0].ReceiveTransfer(t.Context(), y.fresh(), id, arrived(sku, 1, 0)))
			}
			made[id] = service.TransfersQuery{Status: status, From: from, To: to, Region: y.Topology.Regions[i%3].Name}
		}
		fits := func(filter, is string) bool { return filter == "" || filter == is }
		for _, q := range []service.TransfersQuery{
			{Reference: reference},
			{Reference: reference, Status: "draft"},
			{Status: "draft"},
			{Status: "in_transit", To: lon},
			{Status: "received"},
			{Status: "received", From: sin},
			{From: nyc},
			{To: lon},
			{From: nyc, To: lon},
			{Region: y.Topology.Regions[1].Name},
			{Region: y.Topology.Regions[1].Name, From: nyc},
			{},
		} {
			var want, got []string
			for id, is := range made {
				if fits(q.Status, is.Status) && fits(q.From, is.From) && fits(q.To, is.To) && fits(q.Region, is.Region) {
					want = append(want, id)
				}
			}
			page := service.Page{Size: 2}
			for pages := 0; pages == 0 || page.Token != ""; pages++ {
				list, err := y.pods[1].Transfers(t.Context(), tester, q, page)
				if err != nil || len(list.Items) > page.Size {
					t.Fatalf("%+v: %d items, %v", q, len(list.Items), err)
				}
				for _, a := range list.Items {
					if _, ours := made[a.ID.String()]; ours {
						got = append(got, a.ID.String())
					}
				}
				page.Token = list.NextPageToken
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%+v lists %d of them, want %d", q, len(got), len(want))
			}
		}
	})
}
