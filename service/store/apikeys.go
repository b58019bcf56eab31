package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/auth"
)

// Whether a key may be used is said by the database's clock: pods' clocks differ.
const keyColumns = `k.id, k.name, k.hash, k.grants::text, k.created_at, k.created_by, k.expires_at, k.revoked_at, k.last_used_at,
       CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.expires_at <= now() THEN 'expired' ELSE 'active' END`

var selectKey = define("api_key", `
SELECT `+keyColumns+`
  FROM api_keys AS k WHERE k.id = $1`, text)

var lockKey = define("lock_api_key", selectKey.sql+` FOR UPDATE`, text)

var listKeys = define("list_api_keys", `
SELECT `+keyColumns+`
  FROM api_keys AS k WHERE k.id > $1 ORDER BY k.id LIMIT $2`, text, bigint)

var insertKey = define("insert_api_key", `
INSERT INTO api_keys (id, name, hash, grants, created_at, created_by, expires_at)
VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)`, text, text, blob, text, moment, text, moment)

var revokeKey = define("revoke_api_key", `
UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, text, moment)

// Every pod that a key is used at writes; what the others wrote within the minute will do.
var touchKeys = define("touch_api_keys", `
UPDATE api_keys AS k SET last_used_at = now()
  FROM unnest($1) AS u(used)
 WHERE k.id = u.used AND (k.last_used_at IS NULL OR k.last_used_at < now() - '1 minute'::interval)`, texts)

// Key gives an API key. Errors: ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (k auth.Key, err error) {
	found := false
	err = s.read(ctx, selectKey, func(r pgx.Rows) (err error) {
		found = true
		k, err = scanKey(r)
		return err
	}, id)
	return k, foundOr(found, err)
}

// Keys lists API keys, whatever their status, in the order of their ids.
func (s *Store) Keys(ctx context.Context, after string, limit int) (items []auth.Key, err error) {
	err = s.read(ctx, listKeys, func(r pgx.Rows) error {
		k, err := scanKey(r)
		items = append(items, k)
		return err
	}, after, int64(limit))
	return items, err
}

// KeysUsed notes that keys were used just now, once a minute each.
func (s *Store) KeysUsed(ctx context.Context, ids []string) error {
	return s.InTx(ctx, func(_ context.Context, tx *Tx) error {
		tx.queue(touchKeys, nil, ids)
		return nil
	})
}

// Key reads and locks an API key. Errors: ErrNotFound.
func (tx *Tx) Key(ctx context.Context, id string) (k auth.Key, err error) {
	found := false
	tx.queue(lockKey, func(r pgx.Rows) (err error) {
		found = true
		k, err = scanKey(r)
		return err
	}, id)
	return k, foundOr(found, tx.Run(ctx))
}

// AddKey queues a new API key.
func (tx *Tx) AddKey(k auth.Key) error {
	grants, err := json.Marshal(k.Grants)
	if err != nil {
		return err
	}
	tx.queue(insertKey, nil, k.ID, k.Name, k.Hash, string(grants), k.CreatedAt, k.CreatedBy, k.ExpiresAt)
	return nil
}

// RevokeKey queues that an API key may not be used any more.
func (tx *Tx) RevokeKey(id string, at time.Time) { tx.queue(revokeKey, nil, id, at) }

func scanKey(r pgx.Rows) (k auth.Key, err error) {
	var grants string
	err = r.Scan(&k.ID, &k.Name, &k.Hash, &grants, &k.CreatedAt, &k.CreatedBy, &k.ExpiresAt, &k.RevokedAt, &k.LastUsedAt, &k.Status)
	if err != nil {
		return k, err
	}
	k.CreatedAt = k.CreatedAt.UTC()
	for _, at := range []*time.Time{k.ExpiresAt, k.RevokedAt, k.LastUsedAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	return k, json.Unmarshal([]byte(grants), &k.Grants)
}
