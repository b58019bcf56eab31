package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

// AuditEntry is what somebody did, or was refused for want of rights.
type AuditEntry struct {
	Region    string
	ID        inventory.ID
	At        time.Time
	Actor     string
	RequestID string
	Gateway   string
	Operation string
	Outcome   string
	Resource  string
	Name      string
	Reason    string
	Reference string
	Detail    string
	Attempts  int64
}

const insertAuditColumns = `INSERT INTO audit_log (region, at, id, actor, request_id, operation, outcome, resource, name, detail, attempts)`

var insertAudit = define("insert_audit", insertAuditColumns+`
SELECT k.region::crdb_internal_region, now(), k.id::uuid, k.actor, k.request_id, k.operation, k.outcome,
       nullif(k.resource, ''), nullif(k.name, ''), nullif(k.detail, ''), k.attempts
  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       AS k(region, id, actor, request_id, operation, outcome, resource, name, detail, attempts)`,
	texts, texts, texts, texts, texts, texts, texts, texts, texts, ints)

func auditRows(es []AuditEntry) []any {
	type row = AuditEntry
	return []any{
		column(es, func(e *row) string { return e.Region }),
		column(es, func(e *row) [16]byte { return e.ID.UUID }),
		column(es, func(e *row) string { return e.Actor }),
		column(es, func(e *row) string { return e.RequestID }),
		column(es, func(e *row) string { return e.Operation }),
		column(es, func(e *row) string { return e.Outcome }),
		column(es, func(e *row) string { return e.Resource }),
		column(es, func(e *row) string { return e.Name }),
		column(es, func(e *row) string { return e.Detail }),
		column(es, func(e *row) int64 { return e.Attempts }),
	}
}

// Audit queues an entry: it is written with what it is about, or not at all.
func (tx *Tx) Audit(e AuditEntry) { tx.queue(insertAudit, nil, auditRows([]AuditEntry{e})...) }

// WriteAudit writes entries about what changed nothing.
func (s *Store) WriteAudit(ctx context.Context, entries []AuditEntry) error {
	return s.InTx(ctx, func(_ context.Context, tx *Tx) error {
		tx.queue(insertAudit, nil, auditRows(entries)...)
		return nil
	})
}

// AuditFilter selects entries of one region, newest first. Zero fields select all.
type AuditFilter struct {
	Region    string
	Actor     string
	Operation string
	Outcome   string
	RequestID string
	Resource  string
	Name      string
	Since     time.Time
	Before    time.Time // not included, but for entries of that moment with an id below BeforeID
	BeforeID  inventory.ID
	Limit     int
}

const auditFilter = `
   AND ($6 = '' OR a.actor = $6) AND ($7 = '' OR a.operation = $7) AND ($8 = '' OR a.outcome = $8)
   AND ($9 = '' OR a.request_id = $9) AND ($10 = '' OR a.resource = $10) AND ($11 = '' OR a.name = $11)`

var auditTypes = []uint32{text, moment, moment, text, bigint, text, text, text, text, text, text}

var listAudit = define("list_audit", `
SELECT a.region::text, a.id::text, a.at, a.actor, a.request_id, a.region::text, a.operation, a.outcome,
       coalesce(a.resource, ''), coalesce(a.name, ''), '', '', coalesce(a.detail, ''), a.attempts
  FROM audit_log AS a
 WHERE a.region = $1::crdb_internal_region AND a.at >= $2 AND (a.at, a.id) < ($3, $4::uuid)`+auditFilter+`
 ORDER BY a.at DESC, a.id DESC LIMIT $5`, auditTypes...)

// Each shard is walked by itself, so that the index gives its newest rows without reading the rest.
// Order and limit stand together: CockroachDB takes no notice of an order that is further in.
var listAuditedCommands = define("list_audited_commands", auditedCommands(), auditTypes...)

const auditedOutcome = `CASE WHEN c.refused THEN 'refused' ELSE 'accepted' END`

func auditedCommands() string {
	filter := strings.NewReplacer("a.outcome", auditedOutcome, "a.resource", "'stock'", "a.name", "c.key", "a.", "c.").Replace(auditFilter)
	shards := make([]string, AuditShards)
	for i := range shards {
		shards[i] = fmt.Sprintf(`
(SELECT c.region::text AS region, c.id::text AS id, c.recorded_at AS at, c.actor, c.request_id, c.gateway, c.operation,
        `+auditedOutcome+` AS outcome, 'stock' AS resource, c.key AS name,
        coalesce(c.reason, '') AS reason, coalesce(c.reference, '') AS reference, '' AS detail, 1::bigint AS attempts
   FROM commands AS c
  WHERE c.region = $1::crdb_internal_region AND c.shard = %d AND c.recorded_at >= $2 AND (c.recorded_at, c.id) < ($3, $4::uuid)%s
  ORDER BY c.recorded_at DESC, c.id DESC LIMIT $5)`, i, filter)
	}
	return strings.Join(shards, " UNION ALL ") + `
 ORDER BY at DESC, id DESC LIMIT $5`
}

// AuditLog lists entries of one region: settings and refused attempts, and stock commands.
func (s *Store) AuditLog(ctx context.Context, f AuditFilter) (entries []AuditEntry, err error) {
	args := []any{
		f.Region, f.Since, f.Before, uuidText(f.BeforeID.UUID), int64(f.Limit),
		f.Actor, f.Operation, f.Outcome, f.RequestID, f.Resource, f.Name,
	}
	for _, st := range []*statement{listAudit, listAuditedCommands} {
		err := s.read(ctx, st, func(r pgx.Rows) error {
			e, err := scanAudit(r)
			entries = append(entries, e)
			return err
		}, args...)
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func scanAudit(r pgx.Rows) (e AuditEntry, err error) {
	var id string
	err = r.Scan(&e.Region, &id, &e.At, &e.Actor, &e.RequestID, &e.Gateway, &e.Operation, &e.Outcome,
		&e.Resource, &e.Name, &e.Reason, &e.Reference, &e.Detail, &e.Attempts)
	if err != nil {
		return e, err
	}
	e.At, e.ID.Region = e.At.UTC(), e.Region
	e.ID.UUID, err = parseUUID(id)
	return e, err
}
