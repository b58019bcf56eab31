package worker

import (
	"context"
	"log/slog"
	"time"

	"stockyard/service/store"
)

// Statistics sees to it, on CockroachDB, that statements look their rows up whatever the database's
// statistics say of a table that has just begun to grow. Each region looks; what one has done the others
// find done. A user who may not alter tables is told so once.
func Statistics(st *store.Store, log *slog.Logger) Job {
	var said string
	return Job{
		Name:  "statistics",
		Every: 5 * time.Second,
		Run: func(ctx context.Context, _ store.Lease) (bool, error) {
			expected, err := st.ExpectMany(ctx)
			if len(expected) > 0 {
				log.Info("tables that the database takes for small are expected to be large", "tables", expected)
			}
			if err == nil || err.Error() == said {
				return false, nil
			}
			said = err.Error()
			return false, err
		},
	}
}
