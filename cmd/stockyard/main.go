// Command stockyard is all of Stockyard in one binary: a file per sub-command.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	_ "golang.org/x/crypto/x509roots/fallback" // public authorities, for images that have no files of them

	"stockyard/service/pod"
)

// version is set by the linker for releases.
var version string

type cli struct {
	Dev     devCommand     `cmd:"" help:"Run three regions on this machine, with a database that starts by itself."`
	Serve   serveCommand   `cmd:"" help:"Run one pod of a region."`
	Ready   readyCommand   `cmd:"" help:"Ask a running pod whether it takes requests; exit status 0 if so."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to its schema and to the topology."`
	Feed    feedCommand    `cmd:"" help:"Say by what the pods follow the change feed on CockroachDB, or change it."`
	Regions regionsCommand `cmd:"" help:"Compare the topology with the regions of the database, and apply the difference."`
	Verify  verifyCommand  `cmd:"" help:"Check every invariant of the stock at one snapshot, without locks."`
	Report  reportCommand  `cmd:"" help:"Run an analyst's report, or list them."`
	Replay  replayCommand  `cmd:"" help:"Put a shop's sales history through running pods and prove the result."`
	Load    loadCommand    `cmd:"" help:"Put a load on running pods, measure it, and prove that nothing was oversold."`
	Import  importCommand  `cmd:"" help:"Put a file of products into the catalogue of running pods."`
	Key     keyCommand     `cmd:"" help:"Make, list and revoke API keys, on the database itself."`
	Secrets secretsCommand `cmd:"" help:"Keys that encrypt secrets in the database."`
	Schema  schemaCommand  `cmd:"" help:"JSON schemas of what Stockyard sends."`
	Version versionCommand `cmd:"" help:"Say what this binary is."`
}

func main() {
	// Ctrl-C and SIGTERM end commands in order; a second one ends them at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	c := cli{}
	k := kong.Parse(&c,
		kong.Name("stockyard"),
		kong.Description("One truth about stock across shops, web shops, tills, warehouses and continents."),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(pod.ReadBuild(version)),
	)
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "stockyard:", err)
		os.Exit(1)
	}
}
