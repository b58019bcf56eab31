package main

import (
	"context"
	"encoding/json"
	"os"

	"stockyard/service/config"
	"stockyard/service/pod"
	"stockyard/service/store"
)

type regionsCommand struct {
	Plan  regionsPlanCommand  `cmd:"" default:"withargs" help:"Say what the topology changes in the database."`
	Apply regionsApplyCommand `cmd:"" help:"Change it. Safe to run again, and to interrupt."`
}

type regionsPlanCommand struct{ config.Reconcile }

func (c *regionsPlanCommand) Run(ctx context.Context) error {
	return reconcile(ctx, c.Reconcile, store.Scope{Unpartitioned: c.Unpartitioned}, true)
}

type regionsApplyCommand struct{ config.Reconcile }

func (c *regionsApplyCommand) Run(ctx context.Context) error {
	return reconcile(ctx, c.Reconcile, store.Scope{Unpartitioned: c.Unpartitioned}, false)
}

// reconcile brings the database to its topology, and to its schema where that is in scope, or says what it takes.
func reconcile(ctx context.Context, c config.Reconcile, scope store.Scope, plan bool) error {
	st, topology, err := pod.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer st.Close()
	run := st.PlanReconciliation
	if !plan {
		run = pod.Reconciler(st, os.Stderr)
	}
	r, err := run(ctx, topology, scope)
	if c.JSON {
		if encodeErr := json.NewEncoder(os.Stdout).Encode(pod.ReconciliationAnswer{Plan: plan, Reconciliation: r}); err == nil {
			err = encodeErr
		}
		return err
	}
	pod.PrintReconciliation(os.Stdout, r, scope, plan, err == nil)
	return err
}
