package grpcapi

import (
	"context"
	"time"

	"google.golang.org/grpc/tap"

	"stockyard/service/auth"
	"stockyard/service/store"
)

// Bounds of how long a call may last.
const (
	maxTimeout    = 5 * time.Minute
	streamTimeout = 24 * time.Hour
)

// longCalls may last longer than others, whether or not the caller says how long.
var longCalls = map[auth.Operation]time.Duration{
	auth.Verify:         30 * time.Minute,                     // it reads every row
	auth.RunReport:      store.ReportTimeout + 10*time.Second, // it ends before the call does, and says why
	auth.ImportProducts: streamTimeout,
	auth.Watch:          streamTimeout,
}

// deadline bounds a call from its first header on, so that a client which sends its message slowly,
// or never, is cut off too. The caller's own deadline counts where it is shorter.
func (d *Server) deadline(ctx context.Context, info *tap.Info) (context.Context, error) {
	operation, ours := d.operations[info.FullMethodName]
	if !ours {
		ctx, cancel := context.WithCancel(ctx)
		unlink := context.AfterFunc(d.stopping, cancel)
		context.AfterFunc(ctx, func() { unlink() })
		return ctx, nil
	}
	limit := maxTimeout
	if _, named := ctx.Deadline(); !named {
		limit = d.options.RequestTimeout
	}
	if most, longer := longCalls[operation]; longer {
		limit = most
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	context.AfterFunc(ctx, cancel) // the stream's own context ends when it does, and takes this along
	return ctx, nil
}
