package main

import (
	"context"
	_ "embed"
)

//go:embed plain_statement.sql
var plainStatement string

var statement = way{
	name: "statement", about: "one SQL statement a reservation, by pgbench", plain: true,
	setup: plainTables,
	run: func(ctx context.Context, s *system, j job) (sample, error) {
		return s.bench(ctx, j, plainStatement)
	},
}
