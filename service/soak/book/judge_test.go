package book_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/client"
	"stockyard/service/httpapi"
	"stockyard/service/inventory"
	"stockyard/service/soak/book"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// world is a short story of one run, with a book of it.
type world struct {
	*storetest.DB
	book    *book.Book
	by      *client.Client
	site    string
	region  string
	a, b    string // SKUs
	refused *book.Entry
	held    *book.Entry
	last    *book.Entry // a sale of 2 of a and 3 of b, after everything else
}

func tell(t *testing.T, db *storetest.DB, by *client.Client) *world {
	t.Helper()
	run := "judge-" + rand.Text()[:8]
	w := &world{
		DB: db, book: book.New(run), by: by, site: run, region: db.Topology.Regions[0].Name,
		a: run + "-a", b: run + "-b",
	}
	if _, err := by.PutLocation(t.Context(), client.Location{Name: w.site, Title: run, Region: w.region, Kind: "store", Country: "US"}); err != nil {
		t.Fatal(err)
	}
	for _, sku := range []string{w.a, w.b} {
		if _, err := by.PutProduct(t.Context(), client.Product{SKU: sku, Name: sku}); err != nil {
			t.Fatal(err)
		}
	}
	w.move(t, inventory.KindReceive, 10, 10)
	w.held = w.issue(t, book.Accepted, w.reserve(4))
	w.refused = w.issue(t, book.Refused, w.reserve(7))
	w.last = w.move(t, inventory.KindSell, -2, -3)
	return w
}

func (w *world) issue(t *testing.T, want book.Outcome, send book.Send) *book.Entry {
	t.Helper()
	e := w.book.Issue(t.Context(), w.by, "test", send)
	if e.Outcome != want {
		t.Fatalf("%s %s, want %s", e.Outcome, e.Problem, want)
	}
	return e
}

func (w *world) move(t *testing.T, kind inventory.Kind, ofA, ofB int64) *book.Entry {
	t.Helper()
	return w.issue(t, book.Accepted, func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		in, effects := client.MovementRequest{Kind: string(kind)}, []book.Effect{}
		for sku, delta := range map[string]int64{w.a: ofA, w.b: ofB} {
			in.Lines = append(in.Lines, client.MovementLine{Location: w.site, SKU: sku, Quantity: max(delta, -delta)})
			effects = append(effects, book.Effect{Place: book.Place{Location: w.site, SKU: sku}, Kind: kind, Deltas: inventory.Balances{OnHand: delta}})
		}
		m, call, err := by.Move(ctx, key, in)
		return book.Answer{ID: m.ID, IsNew: true, Effects: effects}, call, err
	})
}

func (w *world) reserve(units int64) book.Send {
	return func(ctx context.Context, by *client.Client, key string) (book.Answer, client.Call, error) {
		line := client.ReservationLine{Location: w.site, SKU: w.a, Quantity: units}
		r, call, err := by.Reserve(ctx, key, client.ReservationRequest{Lines: []client.ReservationLine{line}})
		return book.Answer{ID: r.ID, IsNew: true, Reservation: &r, Effects: []book.Effect{{
			Place: book.Place{Location: w.site, SKU: w.a}, Kind: inventory.KindReserve, Deltas: inventory.Balances{Held: units},
		}}}, call, err
	}
}

func (w *world) judge(t *testing.T) []string {
	t.Helper()
	levels := []inventory.LevelKey{{Region: w.region, Location: w.site, SKU: w.a}, {Region: w.region, Location: w.site, SKU: w.b}}
	ledger, err := book.ReadLedger(t.Context(), w.Store, w.book.Run, time.Now().Add(-time.Hour), levels)
	if err != nil {
		t.Fatal(err)
	}
	return w.book.Judge(ledger)
}

// sql runs statements behind everybody's back: {site}, {a}, {b}, {last}, {refused} and {held} stand
// for the world's own.
func (w *world) sql(t *testing.T, statements ...string) {
	t.Helper()
	names := strings.NewReplacer("{site}", w.site, "{a}", w.a, "{b}", w.b, "{last}", w.last.Key, "{refused}", w.refused.Key, "{held}", w.held.Key)
	for _, s := range statements {
		w.Exec(t, names.Replace(s))
	}
}

// unsell takes the last sale out of a level and its ledger, so that they agree.
func unsell(sku string, units int) []string {
	return []string{
		`DELETE FROM stock_events WHERE location = '{site}' AND sku = '` + sku + `' AND kind = 'sell'`,
		fmt.Sprintf(`UPDATE stock_levels SET on_hand = on_hand + %d, version = version - 1,
		   head = (SELECT e.hash FROM stock_events AS e WHERE e.location = '{site}' AND e.sku = '%s' ORDER BY e.version DESC LIMIT 1)
		 WHERE location = '{site}' AND sku = '%s'`, units, sku, sku),
	}
}

// again puts a copy of the last sale's event of a into the ledger and the level, by a command.
func again(movement string) []string {
	return []string{
		`INSERT INTO stock_events (region, sku, location, version, kind, on_hand_delta, held_delta, allocated_delta, quarantined_delta, incoming_delta,
		    shortfall_delta, on_hand, held, allocated, quarantined, incoming, shortfall, movement_home, movement_id, actor, effective_at, recorded_at, hash)
		 SELECT region, sku, location, version + 1, kind, on_hand_delta, held_delta, allocated_delta, quarantined_delta, incoming_delta,
		    shortfall_delta, on_hand - 2, held, allocated, quarantined, incoming, shortfall, movement_home, ` + movement + `, actor, effective_at, recorded_at, hash
		   FROM stock_events WHERE location = '{site}' AND sku = '{a}' AND kind = 'sell'`,
		`UPDATE stock_levels SET on_hand = on_hand - 2, version = version + 1 WHERE location = '{site}' AND sku = '{a}'`,
	}
}

// Every kind of lie is planted, and named; whoever told the truth is not accused.
func TestEveryPlantedLieIsNamed(t *testing.T) {
	lies := []struct {
		name  string
		plant func(w *world) []string
		says  string
	}{
		{"an acknowledged command is lost without a trace", func(*world) []string {
			return append(append(unsell("{a}", 2), unsell("{b}", 3)...), `DELETE FROM commands WHERE key = '{last}'`)
		}, "{last}: was acknowledged"},
		{"half of a command is lost", func(*world) []string { return unsell("{b}", 3) }, "{last}: was acknowledged as sell {site}/{b}"},
		{"a command took effect twice", func(*world) []string { return again("movement_id") }, "{last}: did more than was acknowledged"},
		{"units left that nobody asked for", func(*world) []string { return again("gen_random_uuid()") }, "events that nobody asked for"},
		{"a row of the ledger is gone", func(*world) []string {
			return []string{`DELETE FROM stock_events WHERE location = '{site}' AND sku = '{a}' AND kind = 'reserve'`}
		}, "{held}: was acknowledged as reserve"},
		{"a level has a unit too many", func(*world) []string {
			return []string{`UPDATE stock_levels SET on_hand = on_hand + 1 WHERE location = '{site}' AND sku = '{b}'`}
		}, "{site}/{b}: is read as"},
		{"a refused command took effect", func(*world) []string { return []string{`UPDATE commands SET refused = false WHERE key = '{refused}'`} }, "{refused}: was refused"},
		{"a refusal is forgotten", func(*world) []string { return []string{`DELETE FROM commands WHERE key = '{refused}'`} }, "{refused}: was refused (insufficient-stock), and the answer is not kept"},
		{"an acknowledged command is refused in the ledger", func(*world) []string { return []string{`UPDATE commands SET refused = true WHERE key = '{last}'`} }, "{last}: was acknowledged, the ledger has it as refused"},
		{"a key that nobody sent", func(*world) []string { return []string{`UPDATE commands SET key = key || 'x' WHERE key = '{last}'`} }, "{last}x: nobody sent it"},
		{"a buyer was given another's reservation", func(w *world) []string {
			w.held.Answer.ID = w.held.Answer.ID[:len(w.held.Answer.ID)-6] + "000000"
			return nil
		}, "{held}: was acknowledged as"},
		{"a hold ended before its time", func(*world) []string {
			return []string{`UPDATE stock_events SET kind = 'expire', effective_at = recorded_at + '1h'::interval WHERE location = '{site}' AND sku = '{a}' AND kind = 'reserve'`}
		}, "before it expired"},
		{"nobody learns what became of a command", func(w *world) []string {
			w.last.Outcome = book.Unknown
			return nil
		}, "{last}: nobody could say what became of it"},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := service.New(db.Store, service.Options{Region: db.Topology.Regions[0].Name, Topology: db.Topology})
		defer s.Close()
		server := httptest.NewServer(httpapi.New(s, httpapi.Options{Authenticator: auth.Anonymous{}}))
		defer server.Close()
		by, err := client.New([]string{server.URL}, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		truth := tell(t, db, by)
		if found := truth.judge(t); len(found) > 0 {
			t.Fatalf("the truth is called a lie: %v", found)
		}
		for _, lie := range lies {
			w := tell(t, db, by)
			w.sql(t, lie.plant(w)...)
			says := strings.NewReplacer("{site}", w.site, "{b}", w.b, "{last}", w.last.Key, "{refused}", w.refused.Key, "{held}", w.held.Key).Replace(lie.says)
			if found := strings.Join(w.judge(t), "\n"); !strings.Contains(found, says) {
				t.Errorf("%s: %q is not said, but:\n%s", lie.name, says, found)
			}
		}
		if found := truth.judge(t); len(found) > 0 {
			t.Errorf("the truth is called a lie: %v", found)
		}
	})
}
