package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

const sealColumns = `s.region::text, s.location, s.up_to, s.root, s.levels, s.sealed_at`

// The newest seal of each location of a region.
var selectLastSeals = define("last_seals", `
SELECT DISTINCT ON (s.location) `+sealColumns+`
  FROM seals AS s WHERE s.region = $1::crdb_internal_region
 ORDER BY s.location, s.up_to DESC`, text)

var listSeals = define("list_seals", `
SELECT `+sealColumns+`
  FROM seals AS s
 WHERE s.region = $1::crdb_internal_region AND (s.location, s.up_to) > ($2, $3) AND ($4 = '' OR s.location = $4)
 ORDER BY s.location, s.up_to LIMIT $5`, text, text, moment, text, bigint)

var insertSeal = define("insert_seal", `
INSERT INTO seals (region, location, up_to, root, levels, sealed_at)
VALUES ($1::crdb_internal_region, $2, $3, $4, $5, now())`, text, text, moment, blob, bigint)

// The levels of a location that changed since a moment, in the order of their SKUs.
var selectChangedHeads = define("changed_heads", `
SELECT l.sku, l.version, l.updated_at, l.head
  FROM stock_levels AS l
 WHERE l.region = $1::crdb_internal_region AND l.location = $2 AND l.sku > $3 AND l.updated_at >= $4
 ORDER BY l.region, l.location, l.sku LIMIT $5`, text, text, text, moment, bigint)

// A level's last event before a moment. Levels that change after a seal's moment and before it is
// made are few.
var selectHeadBefore = define("head_before", `
SELECT e.version, e.recorded_at, e.hash
  FROM stock_events AS e
 WHERE e.region = $1::crdb_internal_region AND e.sku = $2 AND e.location = $3 AND e.recorded_at < $4
 ORDER BY e.version DESC LIMIT 1`, text, text, text, moment)

// Head is the last event of a level: at a version, recorded at a time.
type Head struct {
	SKU     string
	Version int64
	At      time.Time
	Hash    inventory.Hash
}

// LastSeals gives the newest seal of each location of a region that has one.
func (s *Store) LastSeals(ctx context.Context, region string) (map[string]inventory.Seal, error) {
	last := map[string]inventory.Seal{}
	err := s.read(ctx, selectLastSeals, func(r pgx.Rows) error {
		seal, err := scanSeal(r)
		last[seal.Location] = seal
		return err
	}, region)
	return last, err
}

// Seals lists the seals of a region after one, by location and time; location "" is all of them.
func (s *Store) Seals(ctx context.Context, region, location string, after inventory.Seal, limit int) (seals []inventory.Seal, err error) {
	err = s.read(ctx, listSeals, func(r pgx.Rows) error {
		seal, err := scanSeal(r)
		seals = append(seals, seal)
		return err
	}, region, after.Location, after.UpTo, location, int64(limit))
	return seals, err
}

// PutSeal writes a seal under a lease: one that is another's by now writes nothing and is
// reported as not ok.
func (s *Store) PutSeal(ctx context.Context, lease Lease, seal inventory.Seal) (ok bool, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		held := tx.queueLeases([]Lease{lease})
		if err := tx.Run(ctx); err != nil {
			return err
		}
		if ok = held[lease]; !ok {
			tx.Nothing()
			return nil
		}
		tx.queue(insertSeal, nil, seal.Region, seal.Location, seal.UpTo, seal.Root[:], seal.Levels)
		return nil
	})
	return ok, err
}

// HeadsBefore gives, for the levels of a location after a SKU that changed since a moment, their
// last events before another one, and the SKU to go on after, "" at the end. Levels whose last
// event before it came before since are left out.
func (s *Store) HeadsBefore(ctx context.Context, region, location, afterSKU string, since, before time.Time, limit int) (heads []Head, next string, err error) {
	var changed []Head
	err = s.read(ctx, selectChangedHeads, func(r pgx.Rows) error {
		var h Head
		err := r.Scan(&h.SKU, &h.Version, &h.At, (*hashColumn)(&h.Hash))
		changed = append(changed, h)
		return err
	}, region, location, afterSKU, since, int64(limit))
	if err != nil {
		return nil, "", err
	}
	for _, h := range changed {
		known := h.At.Before(before)
		if !known {
			if h, known, err = s.headBefore(ctx, region, location, h.SKU, before); err != nil {
				return nil, "", err
			}
		}
		if known && !h.At.Before(since) {
			heads = append(heads, h)
		}
	}
	if len(changed) == limit {
		next = changed[limit-1].SKU
	}
	return heads, next, nil
}

func (s *Store) headBefore(ctx context.Context, region, location, sku string, before time.Time) (h Head, found bool, err error) {
	h.SKU = sku
	err = s.read(ctx, selectHeadBefore, func(r pgx.Rows) error {
		found = true
		return r.Scan(&h.Version, &h.At, (*hashColumn)(&h.Hash))
	}, region, sku, location, before)
	return h, found, err
}

func scanSeal(r pgx.Rows) (seal inventory.Seal, err error) {
	err = r.Scan(&seal.Region, &seal.Location, &seal.UpTo, (*hashColumn)(&seal.Root), &seal.Levels, &seal.SealedAt)
	seal.UpTo, seal.SealedAt = seal.UpTo.UTC(), seal.SealedAt.UTC()
	return seal, err
}
