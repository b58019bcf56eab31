package dev

import (
	"context"
	"fmt"

	"stockyard/service/client"
)

// The demo: three dozen products of an outfitter and six locations in three regions. Its names are
// apart from those that a replay uses.
var demoLocations = []client.Location{
	{Name: "new-york", Title: "New York warehouse", Region: "us-east1", Kind: "warehouse", Country: "US", Latitude: at(40.71), Longitude: at(-74.01), Priority: 1},
	{Name: "chicago", Title: "Chicago store", Region: "us-east1", Kind: "store", Country: "US", Latitude: at(41.88), Longitude: at(-87.63), Priority: 4},
	{Name: "rotterdam", Title: "Rotterdam warehouse", Region: "europe-west1", Kind: "warehouse", Country: "NL", Latitude: at(51.92), Longitude: at(4.48), Priority: 2},
	{Name: "paris", Title: "Paris store", Region: "europe-west1", Kind: "store", Country: "FR", Latitude: at(48.86), Longitude: at(2.35), Priority: 5},
	{Name: "singapore", Title: "Singapore warehouse", Region: "asia-southeast1", Kind: "warehouse", Country: "SG", Latitude: at(1.35), Longitude: at(103.82), Priority: 3},
	{Name: "sydney", Title: "Sydney store", Region: "asia-southeast1", Kind: "store", Country: "AU", Latitude: at(-33.87), Longitude: at(151.21), Priority: 6},
}

var (
	demoGoods  = []string{"tee", "shirt", "hoodie", "jacket", "jeans", "cap", "socks", "boots", "belt"}
	demoColour = []string{"black", "white", "olive", "sand"}
)

func at(degrees float64) *float64 { return &degrees }

// loadDemo loads the demo once: opening stock is posted under keys of its own, and not at all where
// its last level is there already.
func loadDemo(ctx context.Context, targets []string) error {
	c, err := client.New(targets, client.Options{})
	if err != nil {
		return err
	}
	last := demoLocations[len(demoLocations)-1].Name
	lastSKU := demoGoods[len(demoGoods)-1] + "-" + demoColour[len(demoColour)-1]
	if level, _, err := c.Level(ctx, last, lastSKU); err == nil && level.Version > 0 {
		return nil
	}
	for _, l := range demoLocations {
		if _, err := c.PutLocation(ctx, l); err != nil {
			return err
		}
	}
	var lines []client.MovementLine
	for i, good := range demoGoods {
		for _, colour := range demoColour {
			sku := good + "-" + colour
			_, err := c.PutProduct(ctx, client.Product{
				SKU: sku, Name: fmt.Sprintf("%s, %s", good, colour), Unit: "piece", Category: "outfitting",
				UnitCost: &client.Money{Amount: fmt.Sprintf("%d.50", 5+4*i), Currency: "EUR"},
			})
			if err != nil {
				return err
			}
			lines = append(lines, client.MovementLine{SKU: sku})
		}
	}
	return stockDemo(ctx, c, lines)
}

// stockDemo receives 40 of each product in a warehouse and 8 in a store.
func stockDemo(ctx context.Context, c *client.Client, lines []client.MovementLine) error {
	for _, l := range demoLocations {
		for i := range lines {
			lines[i].Location, lines[i].Quantity = l.Name, 40
			if l.Kind == "store" {
				lines[i].Quantity = 8
			}
		}
		_, _, err := c.Move(ctx, "demo-opening-"+l.Name, client.MovementRequest{Kind: "receive", Lines: lines, Reference: "demo"})
		if err != nil {
			return err
		}
	}
	return nil
}
