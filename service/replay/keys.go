package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Idempotency keys are made from what the rows say and nothing else, so that the same sales make
// the same keys in every run, from whichever file. What the server must notice when it differs
// between two runs, the opening percentage above all, is in a command's body and not in its key.

func openingKey(location string, chunk int) string {
	return "replay-opening-" + location + "-" + strconv.Itoa(chunk)
}

// Steps of an invoice, each a command under a key of its own.
const (
	stepReserve = "reserve"
	stepConfirm = "confirm"
	stepFulfil  = "fulfil"
	stepRelease = "release"
	stepReturn  = "return"
	stepAdjust  = "adjust"
)

// partKey is the key of a step of the n-th part (from 1) of an invoice at a warehouse. Nearly all
// invoices have one part, and it goes without a number.
func partKey(invoice, location, step string, n int) string {
	key := invoiceKey(invoice, location, step)
	if n > 1 {
		key += "-" + strconv.Itoa(n)
	}
	return key
}

// lineKey is the key of a command for the n-th line (from 1) of an invoice at a warehouse.
func lineKey(invoice, location, step string, n int) string {
	return invoiceKey(invoice, location, step) + "-" + strconv.Itoa(n)
}

func invoiceKey(invoice, location, step string) string {
	return "replay-" + printable(invoice) + "-" + location + "-" + step
}

// maxInvoice leaves ample room for the rest of a key within the contract's 255 characters.
const maxInvoice = 200

// printable is the invoice number where a key can hold it, its hash where not.
func printable(invoice string) string {
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	if len(invoice) <= maxInvoice && !strings.ContainsFunc(invoice, odd) {
		return invoice
	}
	sum := sha256.Sum256([]byte(invoice))
	return "sha256:" + hex.EncodeToString(sum[:])
}
