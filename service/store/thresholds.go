package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

const thresholdColumns = `t.name, t.sku, t.location, t.channel, t.below, t.active,
       t.version, t.archived_at, t.created_at, t.updated_at`

var lockThreshold = define("lock_threshold", `
SELECT `+thresholdColumns+`
  FROM thresholds AS t WHERE t.name = $1 FOR UPDATE`, text)

var selectThreshold = define("threshold", `
SELECT `+thresholdColumns+`
  FROM thresholds AS t WHERE t.name = $1`, text)

var listThresholds = define("list_thresholds", `
SELECT `+thresholdColumns+`
  FROM thresholds AS t WHERE t.name > $1 AND t.archived_at IS NULL ORDER BY t.name LIMIT $2`, text, bigint)

// The rules about SKUs; "" among them stands for those about every one.
var selectThresholdsOfSKUs = define("thresholds_of_skus", `
SELECT `+thresholdColumns+`
  FROM unnest($1) AS k(sku)
  JOIN thresholds AS t ON t.sku = k.sku
 WHERE t.active AND t.archived_at IS NULL`, texts)

var upsertThreshold = define("upsert_threshold", `
INSERT INTO thresholds (name, sku, location, channel, below, active, version, archived_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (name) DO UPDATE SET sku = excluded.sku, location = excluded.location, channel = excluded.channel,
       below = excluded.below, active = excluded.active, version = excluded.version, archived_at = excluded.archived_at,
       updated_at = excluded.updated_at`, text, text, text, text, bigint, flag, bigint, moment, moment, moment)

var selectThresholdStates = define("threshold_states", `
SELECT s.rule, s.sku, s.below, s.flips
  FROM unnest($1, $2) AS k(rule, sku)
  JOIN threshold_states AS s ON s.rule = k.rule AND s.sku = k.sku`, texts, texts)

var upsertThresholdStates = define("upsert_threshold_states", `
INSERT INTO threshold_states (rule, sku, below, flips, updated_at)
SELECT k.rule, k.sku, k.below, k.flips, now()
  FROM unnest($1, $2, $3, $4) AS k(rule, sku, below, flips)
    ON CONFLICT (rule, sku) DO UPDATE SET below = excluded.below, flips = excluded.flips, updated_at = excluded.updated_at`,
	texts, texts, bools, ints)

// Threshold reads a threshold, archived or not. Errors: ErrNotFound.
func (s *Store) Threshold(ctx context.Context, name string) (t inventory.Threshold, err error) {
	found := false
	err = s.read(ctx, selectThreshold, func(r pgx.Rows) (err error) {
		found = true
		t, err = scanThreshold(r)
		return err
	}, name)
	return t, foundOr(found, err)
}

// Thresholds lists those that aren't archived, after a name.
func (s *Store) Thresholds(ctx context.Context, after string, limit int) (some []inventory.Threshold, err error) {
	err = s.read(ctx, listThresholds, func(r pgx.Rows) error {
		t, err := scanThreshold(r)
		some = append(some, t)
		return err
	}, after, int64(limit))
	return some, err
}

// ThresholdsOf gives the active rules that concern SKUs.
func (s *Store) ThresholdsOf(ctx context.Context, skus []string) (rules []inventory.Threshold, err error) {
	err = s.read(ctx, selectThresholdsOfSKUs, func(r pgx.Rows) error {
		t, err := scanThreshold(r)
		rules = append(rules, t)
		return err
	}, append([]string{""}, skus...))
	return rules, err
}

// Threshold reads and locks a threshold. Errors: ErrNotFound.
func (tx *Tx) Threshold(ctx context.Context, name string) (t inventory.Threshold, err error) {
	found := false
	tx.queue(lockThreshold, func(r pgx.Rows) (err error) {
		found = true
		t, err = scanThreshold(r)
		return err
	}, name)
	return t, foundOr(found, tx.Run(ctx))
}

// PutThreshold queues a threshold to be written as it is given.
func (tx *Tx) PutThreshold(t inventory.Threshold) {
	tx.queue(upsertThreshold, nil, t.Name, t.SKU, t.Location, t.Channel, t.Below, t.Active, t.Version, t.ArchivedAt, t.CreatedAt, t.UpdatedAt)
}

// ChannelStock reads what rules about channels look at: states of pairs of rule and SKU, those that
// there are, and all stock levels of the SKUs, lapsed holds counted as free.
func (tx *Tx) ChannelStock(ctx context.Context, wanted []inventory.ThresholdState) (states []inventory.ThresholdState, levels []inventory.Level, err error) {
	type row = inventory.ThresholdState
	skus := make([]string, len(wanted))
	for i, s := range wanted {
		skus[i] = s.SKU
	}
	tx.queue(selectThresholdStates, func(r pgx.Rows) error {
		s := inventory.ThresholdState{Known: true}
		err := r.Scan(&s.Rule, &s.SKU, &s.Below, &s.Flips)
		states = append(states, s)
		return err
	}, column(wanted, func(s *row) string { return s.Rule }), skus)
	var inRegions, inSKUs []string
	for _, region := range tx.store.regions {
		for _, sku := range unique(skus) {
			inRegions, inSKUs = append(inRegions, region), append(inSKUs, sku)
		}
	}
	tx.queue(selectLevelsOfSKUs, func(r pgx.Rows) error {
		l, _, err := scanLevelNow(r)
		levels = append(levels, l)
		return err
	}, inRegions, inSKUs)
	err = tx.Run(ctx)
	return states, levels, err
}

// QueueThresholdStates writes states.
func (tx *Tx) QueueThresholdStates(states []inventory.ThresholdState) {
	if len(states) == 0 {
		return
	}
	type row = inventory.ThresholdState
	tx.queue(upsertThresholdStates, nil,
		column(states, func(s *row) string { return s.Rule }), column(states, func(s *row) string { return s.SKU }),
		column(states, func(s *row) bool { return s.Below }), column(states, func(s *row) int64 { return s.Flips }))
}

func scanThreshold(r pgx.Rows) (t inventory.Threshold, err error) {
	err = r.Scan(&t.Name, &t.SKU, &t.Location, &t.Channel, &t.Below, &t.Active, &t.Version, &t.ArchivedAt, &t.CreatedAt, &t.UpdatedAt)
	inUTC(&t.Stamp)
	return t, err
}
