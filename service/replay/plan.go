package replay

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"stockyard/service/client"
)

// maxLines is how many lines a command may have, by the contract.
const maxLines = 1000

// holdFor is how long an invoice's hold lasts until it is confirmed: usually milliseconds, but a
// replay that was interrupted should find its holds when it goes on the next morning.
const holdFor = "24h"

// Plan is what a file of sales becomes: commands, in order, with their keys.
type Plan struct {
	Products []client.Product
	Queues   [len(Warehouses)]Queue
}

// Queue is what one warehouse has to do.
type Queue struct {
	Warehouse
	Rows     int
	ZeroRows int // rows of quantity 0, which have no effect
	Opening  []Command
	Opened   map[string]int64 // opening stock, 0 too, of every SKU that has rows here
	Invoices []Invoice        // in file order
}

// Command is a movement and its key.
type Command struct {
	Key      string
	Movement client.MovementRequest
}

// Invoice is one invoice at one warehouse.
type Invoice struct {
	Number    string
	Sale      []client.ReservationRequest // more than one where the lines exceed a command
	Returns   []Command
	WriteOffs []Command // one a line, so that each is refused or accepted by itself
}

// NewPlan turns sales into commands. It fails where a sum leaves int64.
func NewPlan(sales *Sales, openingPercent int) (*Plan, error) {
	plan := &Plan{Products: products(sales.Rows)}
	var grouped [len(Warehouses)]grouping
	earliest := sales.Rows[0].At
	for i := range sales.Rows {
		row := &sales.Rows[i]
		grouped[serves(row.Country)].add(row)
		if row.At.Before(earliest) {
			earliest = row.At
		}
	}
	for w := range plan.Queues {
		q := &plan.Queues[w]
		q.Warehouse = Warehouses[w]
		if err := q.open(&grouped[w], openingPercent, earliest); err != nil {
			return nil, err
		}
		for _, number := range grouped[w].order {
			q.addInvoice(number, grouped[w].rows[number])
		}
	}
	return plan, nil
}

// products lists every SKU once, by its first description that says something.
func products(rows []Row) []client.Product {
	at := map[string]int{}
	var list []client.Product
	for _, row := range rows {
		i, seen := at[row.SKU]
		if !seen {
			i = len(list)
			at[row.SKU] = i
			list = append(list, client.Product{SKU: row.SKU})
		}
		if list[i].Name == "" {
			list[i].Name = row.Description
		}
	}
	for i := range list {
		if list[i].Name == "" {
			list[i].Name = list[i].SKU
		}
	}
	return list
}

// grouping gathers a warehouse's rows by invoice, in the order of each invoice's first row.
type grouping struct {
	order []string
	rows  map[string][]*Row
}

func (g *grouping) add(row *Row) {
	if g.rows == nil {
		g.rows = map[string][]*Row{}
	}
	if _, seen := g.rows[row.Invoice]; !seen {
		g.order = append(g.order, row.Invoice)
	}
	g.rows[row.Invoice] = append(g.rows[row.Invoice], row)
}

// open plans the opening stock: a percentage of all that leaves. Credit notes bring more on top,
// and that sum must fit int64, too, or the replay would break off in the middle.
func (q *Queue) open(g *grouping, percent int, at time.Time) error {
	var order []string
	leaving, returning := map[string]int64{}, map[string]int64{}
	for _, number := range g.order {
		for _, row := range g.rows[number] {
			if _, seen := leaving[row.SKU]; !seen {
				order = append(order, row.SKU)
				leaving[row.SKU] = 0
			}
			sums := leaving
			if isCredit(number) {
				sums = returning
			}
			sum, ok := sum(sums[row.SKU], abs(row.Quantity))
			if !ok {
				return beyond(q.Location, row.SKU)
			}
			sums[row.SKU] = sum
		}
	}
	q.Opened = map[string]int64{}
	var lines []client.MovementLine
	for _, sku := range order {
		opening, ok := percentOf(leaving[sku], percent)
		if _, fits := sum(opening, returning[sku]); !ok || !fits {
			return beyond(q.Location, sku)
		}
		q.Opened[sku] = opening
		if opening > 0 {
			lines = append(lines, client.MovementLine{Location: q.Location, SKU: sku, Quantity: opening})
		}
	}
	q.Opening = q.openingCommands(lines, order, percent, at)
	return nil
}

// openingCommands name the percentage in their body: under the same keys, another percentage is
// then another body even where rounding makes the quantities the same, and the server refuses it.
// A warehouse that opens with nothing says so by counting nothing as of the very beginning, which
// changes no stock whatever happened since; without it, a later replay at more percent would pass.
func (q *Queue) openingCommands(lines []client.MovementLine, skus []string, percent int, at time.Time) []Command {
	kind := "receive"
	if len(lines) == 0 && len(skus) > 0 {
		kind = "count"
		var beginning int64
		lines = []client.MovementLine{{Location: q.Location, SKU: skus[0], AsOfVersion: &beginning}}
	}
	var commands []Command
	for chunk := range chunks(lines) {
		commands = append(commands, Command{
			Key: openingKey(q.Location, len(commands)+1),
			Movement: client.MovementRequest{
				Kind: kind, Lines: chunk, EffectiveAt: at,
				Reference: fmt.Sprintf("replay, opening stock at %d percent", percent),
			},
		})
	}
	return commands
}

func beyond(location, sku string) error {
	return fmt.Errorf("warehouse %s, SKU %q: the quantities of these sales add up to more than %d", location, sku, math.MaxInt64)
}

func sum(a, b int64) (int64, bool) {
	s := a + b
	return s, s >= 0 // both are >= 0, so that only an overflow makes it negative
}

// percentOf rounds down; ok is false beyond int64. Both arguments are >= 0.
func percentOf(n int64, percent int) (part int64, ok bool) {
	high, low := bits.Mul64(uint64(n), uint64(percent))
	if high >= 100 {
		return 0, false
	}
	quotient, _ := bits.Div64(high, low, 100)
	return int64(quotient), quotient <= math.MaxInt64
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
