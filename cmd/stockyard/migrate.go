package main

import (
	"context"

	"stockyard/service/config"
	"stockyard/service/store"
)

type migrateCommand struct {
	config.Reconcile
	Plan bool `help:"Only say what would be done."`
}

func (c *migrateCommand) Run(ctx context.Context) error {
	return reconcile(ctx, c.Reconcile, store.Scope{Schema: true, Unpartitioned: c.Unpartitioned}, c.Plan)
}
