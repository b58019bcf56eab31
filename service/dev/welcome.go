package dev

import (
	"fmt"
	"strings"

	"stockyard/service/devdb"
)

// tries are what a newcomer can paste: reading, reserving, the same again with the same key,
// selling out, and asking another region for the same truth.
var tries = []struct{ about, command string }{
	{"Stock of one product in one place:", `curl -s localhost:8081/v1/stock/new-york/hoodie-black`},
	{"Hold two of them for a customer in France, from the nearest place that has them:", `curl -s localhost:8082/v1/reservations -H 'Idempotency-Key: try-1' -d '{"lines":[{"sku":"hoodie-black","quantity":2}],"destination":{"country":"FR"},"order_reference":"A-1"}'`},
	{"The same again, at another region: same key, same answer, nothing held twice:", `curl -si localhost:8083/v1/reservations -H 'Idempotency-Key: try-1' -d '{"lines":[{"sku":"hoodie-black","quantity":2}],"destination":{"country":"FR"},"order_reference":"A-1"}'`},
	{"Sell more than there is, and see it refused:", `curl -s localhost:8081/v1/movements -H 'Idempotency-Key: try-2' -d '{"kind":"sell","lines":[{"location":"sydney","sku":"cap-sand","quantity":9}]}'`},
	{"What is available everywhere, from any region:", `curl -s 'localhost:8083/v1/availability?sku=hoodie-black&sku=cap-sand'`},
}

func welcome(o Options, db *devdb.Database) {
	w := o.Out
	fmt.Fprintf(w, "\nStockyard runs in %d regions on %s. No credentials are asked for, so this machine only.\n\n", len(o.Topology.Regions), describe(db))
	for i, target := range Targets(o.Topology, o.Port) {
		fmt.Fprintf(w, "  %-16s %s   gRPC %s\n", o.Topology.Regions[i].Name, target, GRPCTargets(o.Topology, o.Port)[i])
	}
	ports := strings.NewReplacer(":8081", fmt.Sprint(":", o.Port), ":8082", fmt.Sprint(":", o.Port+1), ":8083", fmt.Sprint(":", o.Port+2))
	fmt.Fprintln(w, "\nTry, in another terminal:")
	for _, try := range tries {
		fmt.Fprintf(w, "\n# %s\n%s\n", try.about, ports.Replace(try.command))
	}
	fmt.Fprint(w, "\nThen put a real shop's sales through it (README, \"Replay\"). Ctrl-C stops everything; the data stay.\n\n")
}

func describe(db *devdb.Database) string {
	if db.Kind == devdb.CockroachDB {
		return fmt.Sprintf("CockroachDB %s, %d nodes", db.Version, max(len(db.Nodes()), 1))
	}
	return "PostgreSQL " + db.Version + ", the development stand-in"
}
