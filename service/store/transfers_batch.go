package store

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

var selectTransfers = defineKeyed("transfers", `
SELECT t.region::text, t.id::text, t.status, t.from_location, t.to_region::text, t.to_location, coalesce(t.reference, ''),
       t.version, t.created_at, t.updated_at
  FROM transfers AS t
 WHERE (t.region, t.id) IN $KEYS
 ORDER BY t.region, t.id
   FOR UPDATE`, "::crdb_internal_region", "::uuid")

// Lines are not locked: whoever changes one holds the lock of its transfer.
var selectTransferLines = define("transfer_lines", `
SELECT l.region::text, l.transfer_id::text, l.line, l.sku, l.quantity, l.shipped, l.received, l.quarantined, l.lost, l.returned
  FROM unnest($1, $2) AS k(region, id)
  JOIN transfer_lines AS l ON l.region = k.region::crdb_internal_region AND l.transfer_id = k.id::uuid`,
	texts, texts)

var insertTransfers = define("insert_transfers", `
INSERT INTO transfers (region, id, status, from_location, to_region, to_location, reference, version, created_at, updated_at)
SELECT k.region::crdb_internal_region, k.id::uuid, k.status, k.from_location, k.to_region::crdb_internal_region, k.to_location,
       nullif(k.reference, ''), k.version, k.created_at, k.updated_at
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       AS k(region, id, status, from_location, to_region, to_location, reference, version, created_at, updated_at)`,
	texts, texts, texts, texts, texts, texts, texts, ints, times, times)

var updateTransfers = define("update_transfers", `
UPDATE transfers AS t
   SET status = k.new_status, version = k.new_version, updated_at = k.new_updated_at
  FROM unnest($1, $2, $3, $4, $5) AS k(region, id, new_status, new_version, new_updated_at)
 WHERE t.region = k.region::crdb_internal_region AND t.id = k.id::uuid`,
	texts, texts, texts, ints, times)

var insertTransferLines = define("insert_transfer_lines", `
INSERT INTO transfer_lines (region, transfer_id, line, sku, quantity, shipped, received, quarantined, lost, returned)
SELECT k.region::crdb_internal_region, k.id::uuid, k.line, k.sku, k.quantity, k.shipped, k.received, k.quarantined, k.lost, k.returned
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       AS k(region, id, line, sku, quantity, shipped, received, quarantined, lost, returned)`,
	texts, texts, ints, texts, ints, ints, ints, ints, ints, ints)

var updateTransferLines = define("update_transfer_lines", `
UPDATE transfer_lines AS l
   SET shipped = k.new_shipped, received = k.new_received, quarantined = k.new_quarantined, lost = k.new_lost, returned = k.new_returned
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
       AS k(region, id, line, new_shipped, new_received, new_quarantined, new_lost, new_returned)
 WHERE l.region = k.region::crdb_internal_region AND l.transfer_id = k.id::uuid AND l.line = k.line`,
	texts, texts, ints, ints, ints, ints, ints, ints)

func (tx *Tx) queueTransfers(ids []inventory.ID, transfers map[inventory.ID]inventory.Transfer, lines map[inventory.ID][]inventory.TransferLine) {
	ids = unique(slices.SortedFunc(slices.Values(ids), inventory.ID.Compare))
	queueKeyed(tx, selectTransfers, func(r pgx.Rows) error {
		t, err := scanTransfer(r)
		transfers[t.ID] = t
		return err
	}, ids, func(id inventory.ID) []any { return []any{id.Region, uuidText(id.UUID)} })
	tx.queue(selectTransferLines, func(r pgx.Rows) error {
		l, err := scanTransferLine(r)
		lines[l.Transfer] = append(lines[l.Transfer], l)
		return err
	}, column(ids, func(id *inventory.ID) string { return id.Region }), column(ids, func(id *inventory.ID) [16]byte { return id.UUID }))
}

func (tx *Tx) writeTransfers(c *inventory.Changes) {
	if len(c.NewTransfers) > 0 {
		tx.queue(insertTransfers, nil, newTransferRows(c.NewTransfers)...)
		var lines []inventory.TransferLine
		for _, t := range c.NewTransfers {
			lines = append(lines, t.Lines...)
		}
		tx.queue(insertTransferLines, nil, newTransferLineRows(lines)...)
	}
	if len(c.Transfers) > 0 {
		tx.queue(updateTransfers, nil, transferRows(c.Transfers)...)
	}
	if len(c.TransferLines) > 0 {
		tx.queue(updateTransferLines, nil, transferLineRows(c.TransferLines)...)
	}
}

func scanTransfer(r pgx.Rows) (t inventory.Transfer, err error) {
	var id string
	err = r.Scan(&t.ID.Region, &id, &t.Status, &t.From.Location, &t.To.Region, &t.To.Location, &t.Reference,
		&t.Version, &t.CreatedAt, &t.UpdatedAt)
	if err != nil {
		return t, err
	}
	t.From.Region = t.ID.Region
	t.CreatedAt, t.UpdatedAt = t.CreatedAt.UTC(), t.UpdatedAt.UTC()
	t.ID.UUID, err = parseUUID(id)
	return t, err
}

func scanTransferLine(r pgx.Rows) (l inventory.TransferLine, err error) {
	var id string
	err = r.Scan(&l.Transfer.Region, &id, &l.Number, &l.SKU, &l.Quantity, &l.Shipped, &l.Received, &l.Quarantined, &l.Lost, &l.Returned)
	if err != nil {
		return l, err
	}
	l.Transfer.UUID, err = parseUUID(id)
	return l, err
}

func newTransferRows(ts []inventory.Transfer) []any {
	type row = inventory.Transfer
	return []any{
		column(ts, func(t *row) string { return t.ID.Region }),
		column(ts, func(t *row) [16]byte { return t.ID.UUID }),
		column(ts, func(t *row) string { return string(t.Status) }),
		column(ts, func(t *row) string { return t.From.Location }),
		column(ts, func(t *row) string { return t.To.Region }),
		column(ts, func(t *row) string { return t.To.Location }),
		column(ts, func(t *row) string { return t.Reference }),
		column(ts, func(t *row) int64 { return t.Version }),
		column(ts, func(t *row) time.Time { return t.CreatedAt }),
		column(ts, func(t *row) time.Time { return t.UpdatedAt }),
	}
}

func transferRows(ts []inventory.Transfer) []any {
	all := newTransferRows(ts)
	return []any{all[0], all[1], all[2], all[7], all[9]}
}

func newTransferLineRows(ls []inventory.TransferLine) []any {
	type row = inventory.TransferLine
	return []any{
		column(ls, func(l *row) string { return l.Transfer.Region }),
		column(ls, func(l *row) [16]byte { return l.Transfer.UUID }),
		column(ls, func(l *row) int64 { return int64(l.Number) }),
		column(ls, func(l *row) string { return l.SKU }),
		column(ls, func(l *row) int64 { return l.Quantity }),
		column(ls, func(l *row) int64 { return l.Shipped }),
		column(ls, func(l *row) int64 { return l.Received }),
		column(ls, func(l *row) int64 { return l.Quarantined }),
		column(ls, func(l *row) int64 { return l.Lost }),
		column(ls, func(l *row) int64 { return l.Returned }),
	}
}

func transferLineRows(ls []inventory.TransferLine) []any {
	all := newTransferLineRows(ls)
	return append(all[:3:3], all[5:]...)
}
