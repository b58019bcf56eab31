package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Raw runs SQL as it is in a transaction; a row it gives is scanned into what is given.
func (tx *Tx) Raw(ctx context.Context, sql string, into ...any) error {
	tx.queueRaw(sql, into)
	return tx.Run(ctx)
}

// RawAtCommit is Raw in the round trip of the commit.
func (tx *Tx) RawAtCommit(sql string) { tx.queueRaw(sql, nil) }

func (tx *Tx) queueRaw(sql string, into []any) {
	name := fmt.Sprintf("raw_%x", sha256.Sum256([]byte(sql)))[:40] // PostgreSQL keeps 63 characters
	tx.queue(&statement{name: name, sql: sql}, func(r pgx.Rows) error { return r.Scan(into...) })
}
