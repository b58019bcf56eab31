// Command bench runs Stockyard and the plain ways of reserving stock side by side, on the same
// database with the same durability, and says how they compare.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	o := options{}
	kong.Parse(&o, kong.Name("bench"), kong.UsageOnError(),
		kong.Description("Stockyard over REST and gRPC beside pgbench scripts that do the same work, in interleaved rounds."))
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
