package pod

import (
	"context"
	"errors"
	"fmt"
	"io"

	"stockyard/regions"
	"stockyard/service/config"
	"stockyard/service/store"
)

// OpenStore connects commands that work on the database itself.
func OpenStore(ctx context.Context, c config.Database) (*store.Store, *regions.Topology, error) {
	if c.DatabaseURL == "" {
		return nil, nil, errors.New("--database-url (or DATABASE_URL) is required")
	}
	topology, err := regions.Load(c.Topology)
	if err != nil {
		return nil, nil, err
	}
	st, err := store.Open(ctx, store.Options{URL: c.DatabaseURL, Regions: topology.Names(), MaxConns: 4})
	return st, topology, err
}

// PrintVerification prints what verify found, for people.
func PrintVerification(w io.Writer, v store.Verification) {
	for _, c := range v.Checks {
		mark := "ok  "
		if len(c.Violations) > 0 {
			mark = "FAIL"
		}
		fmt.Fprintf(w, "%s %-10s %9d checked  %s\n", mark, c.Name, c.Checked, c.About)
		for _, violation := range c.Violations {
			fmt.Fprintf(w, "       %s: %s\n", violation.Key, violation.Detail)
		}
	}
	if v.Clean {
		fmt.Fprintf(w, "clean as of %s\n", v.AsOf.Format("2006-01-02T15:04:05.000Z07:00"))
	}
}
