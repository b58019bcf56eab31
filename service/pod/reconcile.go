package pod

import (
	"context"
	"fmt"
	"io"

	"stockyard/regions"
	"stockyard/service/store"
)

// ReconciliationAnswer is what `migrate` and `regions` print as JSON.
type ReconciliationAnswer struct {
	Plan bool `json:"plan"`
	store.Reconciliation
}

// Reconciler reconciles and tells w of each statement before it runs: one may move a continent's rows.
func Reconciler(st *store.Store, w io.Writer) func(context.Context, *regions.Topology, store.Scope) (store.Reconciliation, error) {
	return func(ctx context.Context, t *regions.Topology, scope store.Scope) (store.Reconciliation, error) {
		return st.Reconcile(ctx, t, scope, func(statement string) { fmt.Fprintln(w, "running", statement) })
	}
}

// PrintReconciliation prints what was done or would be, for people.
func PrintReconciliation(w io.Writer, r store.Reconciliation, scope store.Scope, plan, complete bool) {
	verb := "applied"
	if plan {
		verb = "to apply"
	}
	for _, name := range r.Migrations {
		fmt.Fprintln(w, verb, name)
	}
	for _, statement := range r.Statements {
		fmt.Fprintf(w, "%s %s;\n", verb, statement)
	}
	if r.Note != "" {
		fmt.Fprintln(w, r.Note)
	}
	if !complete {
		return
	}
	if scope.Schema && len(r.Migrations) == 0 {
		fmt.Fprintln(w, "the schema is up to date")
	}
	if len(r.Statements) == 0 && r.Note == "" {
		fmt.Fprintln(w, "the database is as the topology wants it")
	}
}
