package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// A transfer and its lines in one statement, so that both are of one moment.
const transferColumns = `t.region::text, t.id::text, t.status, t.from_location, t.to_region::text, t.to_location, coalesce(t.reference, ''),
       t.version, t.created_at, t.updated_at, now(),
       l.line, l.sku, l.quantity, l.shipped, l.received, l.quarantined, l.lost, l.returned`

var selectTransfer = define("transfer", `
SELECT `+transferColumns+`
  FROM transfers AS t
  JOIN transfer_lines AS l ON l.region = t.region AND l.transfer_id = t.id
 WHERE t.region = $1::crdb_internal_region AND t.id = $2::uuid
 ORDER BY l.line`, text, text)

// Each list goes along the index of what narrows it most; the other filters are looked at on the way.
func defineTransferList(name, along string) *statement {
	return define(name, `
SELECT `+transferColumns+`
  FROM (SELECT * FROM transfers AS f
         WHERE f.region = $1::crdb_internal_region AND f.id > $2::uuid AND `+along+`
           AND ($4 = '' OR f.status = $4) AND ($5 = '' OR f.reference = $5)
           AND ($6 = '' OR f.from_location = $6) AND ($7 = '' OR f.to_location = $7)
         ORDER BY f.id LIMIT $3) AS t
  JOIN transfer_lines AS l ON l.region = t.region AND l.transfer_id = t.id
 ORDER BY t.id, l.line`, text, text, bigint, text, text, text, text)
}

var (
	listTransfers              = defineTransferList("list_transfers", "true")
	listTransfersOfStatus      = defineTransferList("list_transfers_of_status", "f.status = $4")
	listTransfersOfReference   = defineTransferList("list_transfers_of_reference", "f.reference = $5")
	listTransfersOfOrigin      = defineTransferList("list_transfers_of_origin", "f.from_location = $6")
	listTransfersOfDestination = defineTransferList("list_transfers_of_destination", "f.to_location = $7")
)

// FoundTransfer is a transfer with its lines, in order, and the moment it speaks of.
type FoundTransfer struct {
	inventory.Transfer
	AsOf time.Time
}

// Transfer gives a transfer. Errors: ErrNotFound.
func (s *Store) Transfer(ctx context.Context, id inventory.ID) (FoundTransfer, error) {
	var found []FoundTransfer
	err := s.read(ctx, selectTransfer, scanTransferLines(&found), id.Region, uuidText(id.UUID))
	if err != nil || len(found) == 0 {
		return FoundTransfer{}, foundOr(false, err)
	}
	return found[0], nil
}

// TransferFilter selects transfers of one home region for a list.
type TransferFilter struct {
	Region    string
	Status    inventory.TransferStatus
	Reference string
	From, To  string
	After     inventory.ID
	Limit     int
}

// statement goes by what few transfers have in common: a reference; a status that they soon leave;
// then a place.
func (f TransferFilter) statement() *statement {
	switch {
	case f.Reference != "":
		return listTransfersOfReference
	case f.Status.IsOpen():
		return listTransfersOfStatus
	case f.From != "":
		return listTransfersOfOrigin
	case f.To != "":
		return listTransfersOfDestination
	case f.Status != "":
		return listTransfersOfStatus
	}
	return listTransfers
}

// Transfers lists transfers of one home region by id.
func (s *Store) Transfers(ctx context.Context, f TransferFilter) (found []FoundTransfer, err error) {
	err = s.read(ctx, f.statement(), scanTransferLines(&found),
		f.Region, uuidText(f.After.UUID), int64(f.Limit), string(f.Status), f.Reference, f.From, f.To)
	return found, err
}

func scanTransferLines(into *[]FoundTransfer) func(pgx.Rows) error {
	*into = nil
	return func(r pgx.Rows) error {
		var t FoundTransfer
		var id string
		var l inventory.TransferLine
		err := r.Scan(&t.ID.Region, &id, &t.Status, &t.From.Location, &t.To.Region, &t.To.Location, &t.Reference,
			&t.Version, &t.CreatedAt, &t.UpdatedAt, &t.AsOf,
			&l.Number, &l.SKU, &l.Quantity, &l.Shipped, &l.Received, &l.Quarantined, &l.Lost, &l.Returned)
		if err != nil {
			return err
		}
		if t.ID.UUID, err = parseUUID(id); err != nil {
			return err
		}
		t.From.Region = t.ID.Region
		t.CreatedAt, t.UpdatedAt, t.AsOf = t.CreatedAt.UTC(), t.UpdatedAt.UTC(), t.AsOf.UTC()
		if n := len(*into); n == 0 || (*into)[n-1].ID != t.ID {
			*into = append(*into, t)
		}
		last := &(*into)[len(*into)-1]
		l.Transfer = t.ID
		last.Lines = append(last.Lines, l)
		return nil
	}
}
