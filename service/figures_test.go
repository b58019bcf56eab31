package service_test

import (
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
)

// fact is a change of a stock level as the books must have it: worked out here, by the rules that
// people are told, from what was asked for.
type fact struct {
	inventory.Balances // what changed
	key                inventory.LevelKey
	kind               string
	at, recorded       time.Time
	sold, returned     int64
	reason, reference  string
	channel            string
	reservation        string
}

// company replays real sales, with arrivals before them and all else that analysts ask about, and
// keeps the facts.
type company struct {
	*yard
	began time.Time
	today time.Time // midnight, UTC
	names map[string]string
	facts []fact
	stock map[inventory.LevelKey]inventory.Balances
	// expiring is the only reservation that is held in the end.
	expiring service.Outcome
	made     map[string]int64 // reservations by what became of them
	hours    []time.Duration  // from shipping to arrival
}

// day is a moment some days ago.
func (c *company) daysAgo(days float64) time.Time {
	return c.began.Add(-time.Duration(days * 24 * float64(time.Hour))).Truncate(time.Second)
}

func newCompany(t *testing.T, db *storetest.DB) *company {
	t.Helper()
	now := time.Now().UTC()
	c := &company{
		yard: newYard(t, db), began: now, today: now.Truncate(24 * time.Hour), names: map[string]string{},
		stock: map[inventory.LevelKey]inventory.Balances{}, made: map[string]int64{},
	}
	for name, kind := range map[string]string{"web": "web", "shop": "pos"} {
		if _, _, err := c.pods[0].PutChannel(t.Context(), tester, inventory.Channel{Name: name, Title: name, Kind: kind}, service.Precondition{}); err != nil {
			t.Fatal(err)
		}
	}
	c.sales(t)
	c.shelves(t)
	c.reservations(t)
	c.transfers(t)
	return c
}

func (c *company) key(site, sku string) inventory.LevelKey {
	return inventory.LevelKey{Region: c.Topology.Regions[slices.Index(sites, site)].Name, SKU: sku, Location: site}
}

// note keeps a fact.
func (c *company) note(f fact) {
	c.facts = append(c.facts, f)
	s := c.stock[f.key]
	s.OnHand, s.Held, s.Allocated = s.OnHand+f.OnHand, s.Held+f.Held, s.Allocated+f.Allocated
	s.Quarantined, s.Incoming, s.Shortfall = s.Quarantined+f.Quarantined, s.Incoming+f.Incoming, s.Shortfall+f.Shortfall
	c.stock[f.key] = s
}

func (c *company) free(key inventory.LevelKey) int64 {
	s := c.stock[key]
	return s.OnHand - s.Held - s.Allocated - s.Quarantined - s.Shortfall
}

// move has stock moved, and notes what each line changed by this test's own rules. at is when; now
// for none.
func (c *company) move(t *testing.T, in service.MovementInput, at time.Time) {
	t.Helper()
	if !at.IsZero() {
		in.EffectiveAt = &at
	}
	for part := range slices.Chunk(in.Lines, 1000) {
		in.Lines = part
		done := c.must(t)(c.pods[0].Move(t.Context(), c.fresh(), in)).Movement
		for _, l := range part {
			f := fact{
				key: c.key(l.Location, l.SKU), kind: in.Kind, at: done.EffectiveAt, recorded: done.RecordedAt,
				reason: in.Reason, reference: in.Reference, channel: in.Channel,
			}
			before, units := c.stock[f.key], *l.Quantity
			switch in.Kind {
			case "receive":
				f.OnHand = units
			case "return":
				f.OnHand, f.returned = units, units
			case "adjust":
				f.OnHand = units
			case "scrap":
				f.OnHand = -units
			case "quarantine":
				f.Quarantined = units
			case "count":
				f.OnHand, f.Shortfall = units-before.OnHand, -before.Shortfall
			case "sell":
				f.sold = units
				f.OnHand = -min(units, max(c.free(f.key), 0))
				f.Shortfall = units + f.OnHand
			default:
				t.Fatalf("no rule for %s", in.Kind)
			}
			c.note(f)
		}
	}
}

func line(site, sku string, units int64) service.MovementLineInput {
	yes := true
	return service.MovementLineInput{Location: site, SKU: sku, Quantity: &units, MovementOptions: service.MovementOptions{AllowShortfall: &yes}}
}

func lines(kind string, all ...service.MovementLineInput) service.MovementInput {
	if kind != "sell" {
		for i := range all {
			all[i].AllowShortfall = nil
		}
	}
	return service.MovementInput{Kind: kind, Lines: all}
}

func (c *company) products(t *testing.T, names map[string]string) {
	t.Helper()
	for _, sku := range slices.Sorted(maps.Keys(names)) {
		if _, _, err := c.pods[0].PutProduct(t.Context(), tester, inventory.Product{SKU: sku, Name: names[sku]}, service.Precondition{}); err != nil {
			t.Fatal(err)
		}
	}
	maps.Copy(c.names, names)
}

// sale is a row of the real sales: every fifth product's.
type sale struct {
	invoice, sku, name, site string
	units                    int64
	at                       time.Time
}

func hashed(sku string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(sku))
	return h.Sum32()
}

// rows reads the sales, moved by whole days so that the first were three weeks ago.
func (c *company) rows(t *testing.T) (all []sale) {
	t.Helper()
	file, err := os.Open("replay/testdata/online-retail/sales.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	shift := c.today.AddDate(0, 0, -21).Sub(time.Date(2010, 12, 1, 0, 0, 0, 0, time.UTC))
	for _, r := range records[1:] {
		units, err := strconv.ParseInt(r[3], 10, 64)
		at, wrong := time.Parse(time.DateTime, r[4])
		if err != nil || wrong != nil {
			t.Fatalf("%q", r)
		}
		site := nyc
		switch r[7] {
		case "United Kingdom", "EIRE":
			site = lon
		case "Australia", "Japan", "Norway":
			site = sin
		}
		if hashed(r[1])%5 == 0 && units != 0 {
			all = append(all, sale{r[0], r[1], r[2], site, units, at.Add(shift)})
		}
	}
	return all
}

// sales receives what will be sold, in four arrivals, of some products too little, and sells it.
func (c *company) sales(t *testing.T) {
	t.Helper()
	rows := c.rows(t)
	names, leaving := map[string]string{}, map[inventory.LevelKey]int64{}
	for _, r := range rows {
		names[r.sku] = strings.TrimSpace(r.name + " " + r.sku)
		if r.units > 0 {
			leaving[c.key(r.site, r.sku)] += r.units
		}
	}
	c.products(t, names)
	keys := slices.SortedFunc(maps.Keys(leaving), inventory.LevelKey.Compare)
	for i, days := range []float64{400.5, 200.5, 100.5, 45.5} {
		var arriving []service.MovementLineInput
		for _, k := range keys {
			opening := leaving[k] + int64(hashed(k.SKU)%40)
			if hashed(k.SKU)%11 == 0 {
				opening = leaving[k] * 3 / 4
			}
			part := opening / 5
			if i == 0 {
				part = opening - 3*(opening/5)
			}
			if part > 0 {
				arriving = append(arriving, line(k.Location, k.SKU, part))
			}
		}
		c.move(t, lines("receive", arriving...), c.daysAgo(days))
	}
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(r sale) bool { return r.invoice != rows[0].invoice })
		if n < 0 {
			n = len(rows)
		}
		c.invoice(t, rows[:n])
		rows = rows[n:]
	}
}

// invoice sells, takes back, or writes off.
func (c *company) invoice(t *testing.T, rows []sale) {
	t.Helper()
	units := map[string]int64{}
	for _, r := range rows {
		units[r.sku] += r.units
	}
	var sold, back, off []service.MovementLineInput
	for _, sku := range slices.Sorted(maps.Keys(units)) {
		switch n := units[sku]; {
		case n > 0:
			sold = append(sold, line(rows[0].site, sku, n))
		case n < 0 && strings.HasPrefix(rows[0].invoice, "C"):
			back = append(back, line(rows[0].site, sku, -n))
		case n < 0 && c.free(c.key(rows[0].site, sku)) >= -n:
			off = append(off, line(rows[0].site, sku, n))
		}
	}
	for kind, all := range map[string][]service.MovementLineInput{"sell": sold, "return": back, "adjust": off} {
		if len(all) == 0 {
			continue
		}
		in := lines(kind, all...)
		in.Reference = rows[0].invoice
		if kind == "adjust" {
			in.Reason = "write_off"
		}
		if kind == "sell" && rows[0].site == lon {
			in.Channel = "shop"
		}
		c.move(t, in, rows[0].at)
	}
}

// shelves has what never sells, what came today, what is counted, and what was never there.
func (c *company) shelves(t *testing.T) {
	t.Helper()
	c.products(t, map[string]string{"DEAD": "a dead one", "FRESH": "a fresh one", "NEVER": "never there"})
	c.move(t, lines("receive", line(sin, "DEAD", 100)), c.daysAgo(400.5))
	c.move(t, lines("receive", line(nyc, "FRESH", 50)), time.Time{})
	for kind, reason := range map[string]string{"scrap": "damaged", "quarantine": "inspection"} {
		in := lines(kind, line(nyc, "FRESH", 7))
		in.Reason = reason
		c.move(t, in, time.Time{})
	}
	counted := lines("count", line(nyc, "FRESH", 45), line(sin, "DEAD", 98))
	for k, s := range c.stock { // one of those that were oversold
		if s.Shortfall > 0 && s.OnHand == 0 {
			counted.Lines = append(counted.Lines, line(k.Location, k.SKU, 2))
			counted.Lines[2].AllowShortfall = nil
			break
		}
	}
	counted.Reason = "stocktake"
	c.move(t, counted, time.Time{})
}

// reservations has some of each fate.
func (c *company) reservations(t *testing.T) {
	t.Helper()
	c.products(t, map[string]string{"RES": "a reserved one"})
	c.move(t, lines("receive", line(lon, "RES", 200)), c.daysAgo(45.5))
	var lapsing time.Time
	for _, r := range []struct {
		channel, fate, lasts string
		units                int64
	}{
		{"web", "fulfilled", "30m", 2},
		{"web", "fulfilled", "30m", 3},
		{"shop", "fulfilled", "30m", 5},
		{"web", "released", "30m", 1},
		{"shop", "allocated", "30m", 7},
		{"web", "held", "30m", 11},
		{"web", "expired", "1s", 13},
	} {
		in := reserve("RES", r.units, lon)
		in.Channel, in.ExpiresIn, in.OrderReference = r.channel, r.lasts, "order/"+r.fate
		o := c.must(t)(c.pods[1].Reserve(t.Context(), c.fresh(), in))
		id := o.Reservation.ID.String()
		note := func(kind string, o service.Outcome, b inventory.Balances) {
			f := fact{Balances: b, key: c.key(lon, "RES"), kind: kind, at: o.Reservation.UpdatedAt, recorded: o.Reservation.UpdatedAt}
			if kind == "fulfil" {
				f.sold, f.channel, f.reservation = r.units, r.channel, id
			}
			c.note(f)
		}
		note("reserve", o, inventory.Balances{Held: r.units})
		c.made[r.fate]++
		switch r.fate {
		case "fulfilled", "allocated":
			o = c.must(t)(c.pods[1].Confirm(t.Context(), c.fresh(), id, service.StepInput{}))
			note("confirm", o, inventory.Balances{Held: -r.units, Allocated: r.units})
			if r.fate == "fulfilled" {
				o = c.must(t)(c.pods[1].Fulfil(t.Context(), c.fresh(), id, service.StepInput{}))
				note("fulfil", o, inventory.Balances{OnHand: -r.units, Allocated: -r.units})
			}
		case "released":
			o = c.must(t)(c.pods[1].Release(t.Context(), c.fresh(), id, service.StepInput{}))
			note("release", o, inventory.Balances{Held: -r.units})
		case "held":
			c.expiring = o
		case "expired":
			lapsing = *o.Reservation.ExpiresAt
			s := c.stock[c.key(lon, "RES")] // it promises nothing in the end
			s.Held -= r.units
			c.stock[c.key(lon, "RES")] = s
		}
	}
	eventually(t, "the short hold lapses", func() bool { return time.Now().After(lapsing.Add(time.Second)) })
}

// transfers has one that arrives, one that is lost in part, one under way, one that comes back, and
// one that is a draft.
func (c *company) transfers(t *testing.T) {
	t.Helper()
	c.products(t, map[string]string{"TRF": "a travelling one"})
	c.move(t, lines("receive", line(lon, "TRF", 100)), c.daysAgo(45.5))
	from, to := c.key(lon, "TRF"), c.key(nyc, "TRF")
	for _, r := range []struct {
		ship, arrive, quarantined int64
		disposition               string
	}{{10, 10, 0, ""}, {8, 5, 1, "lost"}, {6, 2, 0, ""}, {4, 0, 0, "returned"}, {0, 0, 0, ""}} {
		units := max(r.ship, 1)
		pod := c.pods[2]
		o := c.must(t)(pod.CreateTransfer(t.Context(), c.fresh(), service.TransferInput{From: lon, To: nyc, Lines: []service.TransferLineInput{{SKU: "TRF", Quantity: &units}}}))
		id := o.Transfer.ID.String()
		if r.ship == 0 {
			continue
		}
		note := func(key inventory.LevelKey, kind, reason string, at time.Time, b inventory.Balances) {
			c.note(fact{Balances: b, key: key, kind: kind, reason: reason, at: at, recorded: at})
		}
		o = c.must(t)(pod.ShipTransfer(t.Context(), c.fresh(), id, service.TransferStepInput{}))
		shipped := o.Transfer.UpdatedAt
		note(from, "transfer_ship", "", shipped, inventory.Balances{OnHand: -r.ship})
		note(to, "transfer_expect", "", shipped, inventory.Balances{Incoming: r.ship})
		if r.arrive > 0 {
			o = c.must(t)(pod.ReceiveTransfer(t.Context(), c.fresh(), id, service.TransferStepInput{Lines: []service.ArrivalInput{{SKU: "TRF", Quantity: &r.arrive, Quarantined: r.quarantined}}}))
			note(to, "transfer_receive", "", o.Transfer.UpdatedAt, inventory.Balances{OnHand: r.arrive, Incoming: -r.arrive, Quarantined: r.quarantined})
			if r.ship == r.arrive || r.disposition != "" {
				c.hours = append(c.hours, o.Transfer.UpdatedAt.Sub(shipped))
			}
		}
		rest := r.ship - r.arrive
		if r.disposition == "" {
			continue
		}
		o = c.must(t)(pod.CloseTransfer(t.Context(), c.fresh(), id, service.TransferStepInput{Disposition: r.disposition, Reason: "never came"}))
		if r.disposition == "lost" {
			note(to, "transfer_lose", "never came", o.Transfer.UpdatedAt, inventory.Balances{Incoming: -rest})
		} else {
			note(to, "transfer_recall", "never came", o.Transfer.UpdatedAt, inventory.Balances{Incoming: -rest})
			note(from, "transfer_return", "never came", o.Transfer.UpdatedAt, inventory.Balances{OnHand: rest})
		}
	}
}

// booksAgree wants the facts to be what the service says of each level, before anything is made of them.
func (c *company) booksAgree(t *testing.T) {
	t.Helper()
	for k, want := range c.stock {
		if got := c.level(t, k.Location, k.SKU); got.Balances != want {
			t.Errorf("%s at %s: %+v; the facts say %+v", k.SKU, k.Location, got.Balances, want)
		}
	}
}

func days(at time.Time) string { return at.UTC().Format(time.DateOnly) }

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

func n(v int64) string { return fmt.Sprint(v) }
