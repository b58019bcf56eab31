package replay

import (
	"iter"
	"slices"
	"strings"

	"stockyard/service/client"
)

// isCredit says whether an invoice is a credit note: then all it does is bring units back.
func isCredit(invoice string) bool { return strings.HasPrefix(invoice, "C") }

// addInvoice plans the rows of one invoice.
func (q *Queue) addInvoice(number string, rows []*Row) {
	invoice := Invoice{Number: number}
	var sold []client.ReservationLine
	var returned []client.MovementLine
	for i, row := range rows {
		q.Rows++
		switch {
		case row.Quantity == 0:
			q.ZeroRows++
		case isCredit(number):
			returned = append(returned, client.MovementLine{Location: q.Location, SKU: row.SKU, Quantity: abs(row.Quantity)})
		case row.Quantity > 0:
			sold = append(sold, client.ReservationLine{Location: q.Location, SKU: row.SKU, Quantity: row.Quantity})
		default:
			invoice.WriteOffs = append(invoice.WriteOffs, q.writeOff(number, i+1, row))
		}
	}
	for part := range chunks(sold) {
		invoice.Sale = append(invoice.Sale, client.ReservationRequest{
			OrderReference: number, Lines: part, ExpiresIn: holdFor, Policy: "all_or_nothing",
		})
	}
	for part := range chunks(returned) {
		invoice.Returns = append(invoice.Returns, Command{
			Key: partKey(number, q.Location, stepReturn, len(invoice.Returns)+1),
			Movement: client.MovementRequest{
				Kind: "return", Lines: part, Reference: number, EffectiveAt: rows[0].At,
			},
		})
	}
	q.Invoices = append(q.Invoices, invoice)
}

func (q *Queue) writeOff(number string, line int, row *Row) Command {
	return Command{
		Key: lineKey(number, q.Location, stepAdjust, line),
		Movement: client.MovementRequest{
			Kind: "adjust", Reason: "write_off", Reference: number, EffectiveAt: row.At,
			Lines: []client.MovementLine{{Location: q.Location, SKU: row.SKU, Quantity: row.Quantity}},
		},
	}
}

// chunks cuts lines into as many as a command may have; none for none.
func chunks[L any](lines []L) iter.Seq[[]L] { return slices.Chunk(lines, maxLines) }
