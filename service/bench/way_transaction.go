package main

import (
	"context"
	_ "embed"
)

//go:embed plain_transaction.sql
var plainTransaction string

var transaction = way{
	name: "transaction", about: "a transaction with SELECT FOR UPDATE, by pgbench", plain: true,
	setup: plainTables,
	run: func(ctx context.Context, s *system, j job) (sample, error) {
		return s.bench(ctx, j, plainTransaction)
	},
}
