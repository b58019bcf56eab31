package cache

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"stockyard/service/store"
)

// load reads SKUs, each once however many ask for it at the same time.
func (c *Cache) load(ctx context.Context, skus []string) (stocks map[string]Stock, ok bool) {
	mine, others := map[string]*entry{}, map[string]*entry{}
	for _, sku := range skus {
		if mine[sku] != nil || others[sku] != nil {
			continue
		}
		e, own, ok := c.begin(sku)
		switch {
		case !ok:
			c.read(ctx, nil, mine) // others may wait for them
			return nil, false
		case own:
			mine[sku] = e
		default:
			others[sku] = e
		}
	}
	stocks = map[string]Stock{}
	if !c.read(ctx, stocks, mine) {
		return nil, false
	}
	for sku, e := range others {
		select {
		case <-e.done:
		case <-ctx.Done():
			return nil, false
		}
		v := e.view.Load()
		if v == nil {
			return nil, false
		}
		stocks[sku], _ = e.stock(v.read)
	}
	return stocks, true
}

// begin gives an entry that is being read, or is to be read by the caller; ok is false where nothing
// may be kept.
func (c *Cache) begin(sku string) (e *entry, own, ok bool) {
	c.resetting.RLock()
	defer c.resetting.RUnlock()
	if c.heard.Load() == nil {
		return nil, false, false
	}
	e, _ = c.skus.Compute(sku, func(before *entry, found bool) (*entry, otter.ComputeOp) {
		if found && before.view.Load() == nil {
			own = false
			return before, otter.CancelOp
		}
		own = true
		return newEntry(), otter.WriteOp
	})
	return e, own, true
}

// read fills entries. What comes by the feed after they were put where they are is applied to them, so
// the reading must begin later than that.
func (c *Cache) read(ctx context.Context, stocks map[string]Stock, entries map[string]*entry) bool {
	if len(entries) == 0 {
		return true
	}
	skus := make([]string, 0, len(entries))
	for sku := range entries {
		skus = append(skus, sku)
	}
	began := time.Now()
	levels, asOf, err := c.store.HeldLevelsOfSKUs(ctx, c.store.Regions(), skus)
	if err == nil {
		c.clock.saw(asOf, began)
	}
	bySKU := map[string][]store.HeldLevel{}
	for _, l := range levels {
		bySKU[l.Key.SKU] = append(bySKU[l.Key.SKU], l)
	}
	for sku, e := range entries {
		v := newView(bySKU[sku], asOf, began)
		// A name without stock is looked up in the catalogue each time, and anybody can make some up.
		if err != nil || len(v.levels) == 0 || !e.fill(v) {
			c.forget(sku, e)
		}
		if stocks != nil {
			stocks[sku] = Stock{v.levels, asOf}
		}
		close(e.done)
	}
	return err == nil
}
