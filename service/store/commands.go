package store

import (
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// CommandKey names a command: the caller's idempotency key, in the command's home region.
type CommandKey struct {
	Region string
	Key    string
}

// Recorded is a command as it is kept under its key.
type Recorded struct {
	CommandKey
	ID         inventory.ID
	Operation  string
	InputHash  []byte
	Refused    bool
	Events     int // how many events it made
	Answer     string
	Actor      string
	RequestID  string
	Gateway    string // region of the pod that was asked
	Reason     string
	Reference  string
	RecordedAt time.Time
	// Shard spreads the index by time over AuditShards places, so that commands of one moment
	// don't all meet in its last range.
	Shard int
}

// AuditShards is how many shards commands have.
const AuditShards = 8

var selectCommands = define("commands", `
SELECT `+commandToRepeat+`
  FROM unnest($1, $2) AS k(region, key)
  JOIN commands AS c ON c.region = k.region::crdb_internal_region AND c.key = k.key`, texts, texts)

// See updateLevel.
var selectCommand = defineOn(cockroachdb, "command", `
SELECT `+commandToRepeat+`
  FROM commands AS c
 WHERE c.region = $1::crdb_internal_region AND c.key = $2`, text, text)

const commandToRepeat = `c.region::text, c.key, c.input_hash, c.refused, c.answer, c.request_id`

var insertCommands = define("insert_commands", `
INSERT INTO commands (region, key, id, operation, input_hash, refused, events, answer, actor, request_id, recorded_at,
       gateway, reason, reference, shard)
SELECT k.region::crdb_internal_region, k.key, k.id::uuid, k.operation, k.input_hash, k.refused, k.events, k.answer,
       k.actor, k.request_id, k.recorded_at, k.gateway, nullif(k.reason, ''), nullif(k.reference, ''), k.shard
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
       AS k(region, key, id, operation, input_hash, refused, events, answer, actor, request_id, recorded_at,
            gateway, reason, reference, shard)`,
	texts, texts, texts, texts, blobs, bools, ints, texts, texts, texts, times, texts, texts, texts, ints)

func (tx *Tx) queueKeys(keys []CommandKey) map[CommandKey]Recorded {
	found := map[CommandKey]Recorded{}
	if len(keys) == 0 {
		return found
	}
	keys = unique(keys)
	row := func(r pgx.Rows) error {
		var c Recorded
		err := r.Scan(&c.Region, &c.Key, &c.InputHash, &c.Refused, &c.Answer, &c.RequestID)
		found[c.CommandKey] = c
		return err
	}
	if tx.store.dialect.cockroach && len(keys) == 1 {
		tx.queue(selectCommand, row, keys[0].Region, keys[0].Key)
		return found
	}
	tx.queue(selectCommands, row, column(keys, func(k *CommandKey) string { return k.Region }), column(keys, func(k *CommandKey) string { return k.Key }))
	return found
}

func commandRows(cs []Recorded) []any {
	type row = Recorded
	return []any{
		column(cs, func(c *row) string { return c.Region }),
		column(cs, func(c *row) string { return c.Key }),
		column(cs, func(c *row) [16]byte { return c.ID.UUID }),
		column(cs, func(c *row) string { return c.Operation }),
		column(cs, func(c *row) []byte { return c.InputHash }),
		column(cs, func(c *row) bool { return c.Refused }),
		column(cs, func(c *row) int64 { return int64(c.Events) }),
		column(cs, func(c *row) string { return c.Answer }),
		column(cs, func(c *row) string { return c.Actor }),
		column(cs, func(c *row) string { return c.RequestID }),
		column(cs, func(c *row) time.Time { return c.RecordedAt }),
		column(cs, func(c *row) string { return c.Gateway }),
		column(cs, func(c *row) string { return c.Reason }),
		column(cs, func(c *row) string { return c.Reference }),
		column(cs, func(c *row) int64 { return int64(c.Shard) }),
	}
}
