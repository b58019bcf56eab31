package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"stockyard/service/client"
)

// lorry is a new product with so many units at one new location, and another one in Europe for them.
func (p *pod) lorry(t *testing.T, units int64) (from, to shelf) {
	t.Helper()
	from = p.shelf(t, units)
	return from, shelf{p.location(t, europe), from.sku}
}

// transferTo is the body of a transfer; more is further members.
func (s shelf) transferTo(to shelf, quantity any, more ...string) string {
	return fmt.Sprintf(`{"from": %q, "to": %q, "lines": [{"sku": %q, "quantity": %v}]%s}`, s.location, to.location, s.sku, quantity, strings.Join(more, ""))
}

// arrival is the body of a receipt of one line; more is further members of the line.
func (s shelf) arrival(quantity any, more ...string) string {
	return fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": %v%s}]}`, s.sku, quantity, strings.Join(more, ""))
}

// transfer makes a draft and gives its path.
func (p *pod) transfer(t *testing.T, from, to shelf, quantity int64, more ...string) (path string) {
	t.Helper()
	return "/v1/transfers/" + p.post(t, "/v1/transfers", from.transferTo(to, quantity, more...)).is(t, 201).text(t, "id")
}

// whereabouts says where the units of a transfer's first line are, and the transfer's status.
func (a answer) whereabouts(t *testing.T) string {
	t.Helper()
	var counts []string
	for _, name := range []string{"shipped", "received", "quarantined", "lost", "returned", "in_transit"} {
		counts = append(counts, fmt.Sprint(a.int(t, "lines", 0, name)))
	}
	return strings.Join(counts, "/") + " " + a.text(t, "status")
}

// ends gives on hand, quarantined and incoming at both ends.
func (p *pod) ends(t *testing.T, from, to shelf) string {
	t.Helper()
	var all []string
	for _, s := range []shelf{from, to} {
		l := p.get(t, s.path()).is(t, 200)
		all = append(all, fmt.Sprintf("%d/%d/%d", l.int(t, "on_hand"), l.int(t, "quarantined"), l.int(t, "incoming")))
	}
	return strings.Join(all, " ")
}

func TestATransfersLife(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		from, to := p.lorry(t, 10)
		made := p.post(t, "/v1/transfers", from.transferTo(to, 8, `, "reference": "restock 12"`)).is(t, 201)
		made.shape(t, "id:text region:text status:text from:text to:text reference:text lines:list"+stampShape)
		made.shape(t, "line:int sku:text quantity:int shipped:int received:int quarantined:int lost:int returned:int in_transit:int", "lines", 0)
		if made.text(t, "region") != america || made.text(t, "from") != from.location || made.text(t, "to") != to.location || made.text(t, "reference") != "restock 12" || made.header.Get("ETag") != `"1"` {
			t.Errorf("made: %s, ETag %s", made.raw, made.header.Get("ETag"))
		}
		path := "/v1/transfers/" + made.text(t, "id")
		for i, c := range []struct {
			step, body  string
			status      int
			kind        string
			field       string
			whereabouts string
			ends        string
		}{
			{"receive", to.arrival(1), 409, "conflict", "", "0/0/0/0/0/0 draft", "10/0/0 0/0/0"},
			{"close", `{"disposition": "lost"}`, 409, "conflict", "", "0/0/0/0/0/0 draft", "10/0/0 0/0/0"},
			{"ship", `{"reason": "short there", "reference": "lorry 9"}`, 200, "", "", "8/0/0/0/0/8 in_transit", "2/0/0 0/0/8"},
			{"ship", "", 409, "conflict", "", "8/0/0/0/0/8 in_transit", "2/0/0 0/0/8"},
			{"cancel", "", 409, "conflict", "", "8/0/0/0/0/8 in_transit", "2/0/0 0/0/8"},
			{"receive", to.arrival(9), 409, "conflict", "lines[0].quantity", "8/0/0/0/0/8 in_transit", "2/0/0 0/0/8"},
			{"receive", `{"lines": [{"sku": "another", "quantity": 1}]}`, 400, "invalid-request", "lines[0].sku", "8/0/0/0/0/8 in_transit", "2/0/0 0/0/8"},
			{"receive", to.arrival(3, `, "quarantined": 1`), 200, "", "", "8/3/1/0/0/5 partially_received", "2/0/0 3/1/5"},
			{"receive", to.arrival(6), 409, "conflict", "lines[0].quantity", "8/3/1/0/0/5 partially_received", "2/0/0 3/1/5"},
			{"receive", to.arrival(1, `, "quarantined": null`), 200, "", "", "8/4/1/0/0/4 partially_received", "2/0/0 4/1/4"},
			{"cancel", "{}", 409, "conflict", "", "8/4/1/0/0/4 partially_received", "2/0/0 4/1/4"},
			{"close", `{"disposition": "returned", "reason": "wrong address"}`, 200, "", "", "8/4/1/0/4/0 closed", "6/0/0 4/1/0"},
			{"close", `{"disposition": "lost"}`, 409, "conflict", "", "8/4/1/0/4/0 closed", "6/0/0 4/1/0"},
			{"receive", to.arrival(1), 409, "conflict", "", "8/4/1/0/4/0 closed", "6/0/0 4/1/0"},
		} {
			answered := p.post(t, path+"/"+c.step, c.body)
			if c.status == 200 {
				answered.is(t, 200)
			} else {
				answered.problem(t, c.status, c.kind, strings.Fields(c.field)...)
			}
			read := p.get(t, path).is(t, 200)
			if c.status == 200 && (read.raw != answered.raw || read.header.Get("ETag") != answered.header.Get("ETag") || read.header.Get("Stock-As-Of") == "") {
				t.Errorf("%d %s gave %s, reading gives %s", i, c.step, answered.raw, read.raw)
			}
			if got, ends := read.whereabouts(t), p.ends(t, from, to); got != c.whereabouts || ends != c.ends {
				t.Fatalf("%d %s %s: %s, %s; want %s, %s", i, c.step, c.body, got, ends, c.whereabouts, c.ends)
			}
		}
		events := p.get(t, from.path()+"/events?after_version=1").is(t, 200)
		if events.text(t, "items", 0, "kind") != "transfer_ship" || events.text(t, "items", 0, "reference") != "lorry 9" || events.text(t, "items", 1, "kind") != "transfer_return" ||
			events.text(t, "items", 1, "reason") != "wrong address" || "/v1/transfers/"+events.text(t, "items", 1, "transfer") != path {
			t.Errorf("the origin's ledger is %s", events.raw)
		}
	})
}

func TestATransferThatIsLostOrCancelled(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		from, to := p.lorry(t, 5)
		lost, dropped := p.transfer(t, from, to, 5), p.transfer(t, from, to, 9)
		short := p.post(t, dropped+"/ship", "").problem(t, 409, "insufficient-stock")
		if got := short.compact(t, "shortages"); got != fmt.Sprintf(`[{"available":5,"line":1,"location":%q,"requested":9,"sku":%q}]`, from.location, from.sku) {
			t.Errorf("short are %s", got)
		}
		if got := p.post(t, dropped+"/cancel", "").is(t, 200).whereabouts(t); got != "0/0/0/0/0/0 cancelled" {
			t.Error(got)
		}
		for _, step := range []string{"ship", "cancel"} {
			p.post(t, dropped+"/"+step, "").problem(t, 409, "conflict")
		}
		p.post(t, lost+"/ship", "{}").is(t, 200)
		if a := p.post(t, lost+"/cancel", "").problem(t, 409, "conflict"); !strings.Contains(a.text(t, "detail"), "close it") {
			t.Errorf("it doesn't say what to do instead: %s", a.raw)
		}
		if got := p.post(t, lost+"/close", `{"disposition": "lost"}`).is(t, 200).whereabouts(t); got != "5/0/0/5/0/0 closed" || p.ends(t, from, to) != "0/0/0 0/0/0" {
			t.Errorf("%s, %s", got, p.ends(t, from, to))
		}
		p.do(t, "DELETE", "/v1/locations/"+from.location, "").is(t, 204)
		p.post(t, "/v1/transfers", from.transferTo(to, 1)).problem(t, 409, "conflict")
		p.get(t, lost).is(t, 200)
	})
}

func TestTransfersAreRepeatedByKey(t *testing.T) {
	twoRegions(t, func(t *testing.T, p, other *pod) {
		from, to := p.lorry(t, 10)
		path := "/v1/transfers/" + repeats(t, p, other, 201, "/v1/transfers", from.transferTo(to, 6)).text(t, "id")
		repeats(t, p, other, 201, "/v1/transfers", from.transferTo(to, 1))
		much := "/v1/transfers/" + repeats(t, p, other, 201, "/v1/transfers", from.transferTo(to, 90)).text(t, "id")
		repeats(t, p, other, 409, much+"/ship", "")
		repeats(t, p, other, 200, much+"/cancel", "")
		repeats(t, p, other, 200, path+"/ship", `{"reference": "lorry"}`)
		repeats(t, p, other, 409, path+"/ship", "")
		repeats(t, p, other, 200, path+"/receive", to.arrival(1))
		repeats(t, p, other, 409, path+"/receive", to.arrival(60))
		repeats(t, p, other, 200, path+"/close", `{"disposition": "returned"}`)
		repeats(t, p, other, 409, path+"/close", `{"disposition": "returned"}`)
		if got := p.ends(t, from, to); got != "9/0/0 1/0/0" {
			t.Error(got)
		}
	})
}

func TestListsOfTransfers(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		from, to := p.lorry(t, 50)
		back := shelf{from.location, from.sku}
		reference := name("ref")
		id := func(path string) string { return strings.TrimPrefix(path, "/v1/transfers/") }
		var there []string
		for range 4 {
			there = append(there, id(p.transfer(t, from, to, 1, fmt.Sprintf(`, "reference": %q`, reference))))
		}
		p.receive(t, to, 1)
		home := id(p.transfer(t, to, back, 1, fmt.Sprintf(`, "reference": %q`, reference)))
		p.post(t, "/v1/transfers/"+there[0]+"/ship", "").is(t, 200)
		p.post(t, "/v1/transfers/"+there[1]+"/cancel", "").is(t, 200)
		of := member(t, "id")
		ours := "/v1/transfers?reference=" + reference
		p.lists(t, ours, of, append(slices.Clone(there), home)...)
		p.lists(t, ours+"&region="+america, of, there...)
		p.lists(t, ours+"&status=draft", of, there[2], there[3], home)
		p.lists(t, "/v1/transfers?from="+from.location, of, there...)
		p.lists(t, "/v1/transfers?from="+from.location+"&status=in_transit", of, there[0])
		p.lists(t, "/v1/transfers?to="+to.location, of, there...)
		p.lists(t, "/v1/transfers?to="+to.location+"&status=cancelled", of, there[1])
		p.lists(t, "/v1/transfers?to="+from.location+"&from="+to.location, of, home)
		p.lists(t, "/v1/transfers?from="+from.location+"&region="+europe, of)
		p.lists(t, "/v1/transfers?from="+from.location+"&to="+from.location, of)
		if a := p.get(t, "/v1/transfers?from="+from.location+"&page_size=1").is(t, 200); a.has("items", 1) || !a.has("items", 0, "lines", 0) {
			t.Errorf("a page is %s", a.raw)
		}
	})
}

func TestATransferOfAThousandLines(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		from, to := p.shelf(t, 0), p.shelf(t, 0)
		var stock, lines []string
		for range 1000 {
			sku := name("sku")
			p.put(t, "/v1/products/"+sku, `{"name": "x"}`)
			stock = append(stock, shelf{from.location, sku}.line(2))
			lines = append(lines, fmt.Sprintf(`{"sku": %q, "quantity": 2}`, sku))
		}
		p.post(t, "/v1/movements", movement("receive", "", stock...)).is(t, 201)
		path := "/v1/transfers/" + p.post(t, "/v1/transfers", fmt.Sprintf(`{"from": %q, "to": %q, "lines": [%s]}`, from.location, to.location, strings.Join(lines, ", "))).is(t, 201).text(t, "id")
		p.post(t, path+"/ship", "").is(t, 200)
		one := strings.ReplaceAll(strings.Join(lines, ", "), `"quantity": 2`, `"quantity": 1`)
		if got := p.post(t, path+"/receive", fmt.Sprintf(`{"lines": [%s]}`, one)).is(t, 200).whereabouts(t); got != "2/1/0/0/0/1 partially_received" {
			t.Error(got)
		}
		if got := p.post(t, path+"/close", `{"disposition": "returned"}`).is(t, 200).whereabouts(t); got != "2/1/0/0/1/0 closed" {
			t.Error(got)
		}
	})
}

func TestTheClientTakesATransferThroughItsLife(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		from, to := p.lorry(t, 10)
		c, err := client.New([]string{p.url}, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		must := func(a client.Transfer, _ client.Call, err error) client.Transfer {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		plan := client.TransferRequest{From: from.location, To: to.location, Lines: []client.TransferLine{{SKU: from.sku, Quantity: 4}}, Reference: "r"}
		must(c.CancelTransfer(ctx, name("key"), must(c.CreateTransfer(ctx, name("key"), plan)).ID))
		id := must(c.CreateTransfer(ctx, name("key"), plan)).ID
		must(c.ShipTransfer(ctx, name("key"), id))
		must(c.ReceiveTransfer(ctx, name("key"), id, client.Arrival{SKU: to.sku, Quantity: 3, Quarantined: 1}))
		closed := must(c.CloseTransfer(ctx, name("key"), id, "lost"))
		read := must(c.Transfer(ctx, id))
		want := client.TransferredLine{Line: 1, SKU: from.sku, Quantity: 4, Shipped: 4, Received: 3, Quarantined: 1, Lost: 1}
		if read.Lines[0] != want || read.Status != "closed" || read.Version != closed.Version || read.Reference != "r" || read.From != from.location || read.To != to.location {
			t.Errorf("it reads %+v, closed it was %+v", read, closed)
		}
	})
}
