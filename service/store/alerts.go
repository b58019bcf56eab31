package store

import (
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

const alertColumns = `a.region::text, a.raised_at, a.id::text, a.kind, coalesce(a.sku, ''), coalesce(a.location, ''), coalesce(a.channel, ''),
       coalesce(a.rule, ''), coalesce(a.version, 0), coalesce(a.available, 0), a.threshold, coalesce(a.detail, '')`

var insertAlerts = define("insert_alerts", `
INSERT INTO alerts (region, raised_at, id, kind, sku, location, channel, rule, version, available, threshold, detail)
SELECT k.region::crdb_internal_region, k.raised_at, k.id::uuid, k.kind, nullif(k.sku, ''), nullif(k.location, ''), nullif(k.channel, ''),
       nullif(k.rule, ''), nullif(k.version, 0), k.available, nullif(k.threshold, -9223372036854775808), nullif(k.detail, '')
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       AS k(region, raised_at, id, kind, sku, location, channel, rule, version, available, threshold, detail)
    ON CONFLICT (region, id) DO NOTHING
RETURNING kind`,
	texts, times, texts, texts, texts, texts, texts, texts, ints, ints, ints, texts)

// noThreshold stands for none in a column of numbers; a threshold is never below zero.
const noThreshold = -1 << 63

// QueueAlerts writes alerts, in the round trip of the commit; those that are there already stay as they
// are. A transaction that writes alerts writes no events. Once they are written, raised says how many
// were new, by kind.
func (tx *Tx) QueueAlerts(alerts []inventory.Alert) (raised map[inventory.AlertKind]int) {
	raised = map[inventory.AlertKind]int{}
	if len(alerts) == 0 {
		return raised
	}
	type row = inventory.Alert
	tx.queue(insertAlerts, func(r pgx.Rows) error {
		var kind inventory.AlertKind
		err := r.Scan(&kind)
		raised[kind]++
		return err
	},
		column(alerts, func(a *row) string { return a.ID.Region }),
		column(alerts, func(a *row) time.Time { return a.RaisedAt }),
		column(alerts, func(a *row) string { return uuidText(a.ID.UUID) }),
		column(alerts, func(a *row) string { return string(a.Kind) }),
		column(alerts, func(a *row) string { return a.SKU }),
		column(alerts, func(a *row) string { return a.Location }),
		column(alerts, func(a *row) string { return a.Channel }),
		column(alerts, func(a *row) string { return a.Rule }),
		column(alerts, func(a *row) int64 { return a.Version }),
		column(alerts, func(a *row) int64 { return a.Available }),
		column(alerts, func(a *row) int64 {
			if a.Threshold == nil {
				return noThreshold
			}
			return *a.Threshold
		}),
		column(alerts, func(a *row) string { return a.Detail }),
	)
	return raised
}

// alertRow takes the columns of an alert as they come.
type alertRow struct {
	a  inventory.Alert
	id string
}

// columns are where to scan alertColumns.
func (row *alertRow) columns() []any {
	a := &row.a
	return []any{
		&a.ID.Region, &a.RaisedAt, &row.id, &a.Kind, &a.SKU, &a.Location, &a.Channel,
		&a.Rule, &a.Version, &a.Available, &a.Threshold, &a.Detail,
	}
}

func (row *alertRow) alert() (*inventory.Alert, error) {
	uuid, err := parseUUID(row.id)
	row.a.ID.UUID = uuid
	row.a.RaisedAt = row.a.RaisedAt.UTC()
	return &row.a, err
}
