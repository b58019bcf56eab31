package worker

import (
	"context"
	"log/slog"
	"time"

	"stockyard/service/store"
)

// Statistics sees to it, on CockroachDB, that the database soon knows of a table that has just begun to
// grow. Each region looks; what one has had taken the others find. What fails is told once.
func Statistics(st *store.Store, log *slog.Logger) Job {
	told := ""
	return Job{
		Name:  "statistics",
		Every: 15 * time.Second,
		Long:  true, // a table may have become large meanwhile
		Run: func(ctx context.Context, _ store.Lease) (bool, error) {
			refreshed, err := st.RefreshStatistics(ctx)
			if len(refreshed) > 0 {
				log.Info("the database has taken new statistics of tables that have outgrown theirs", "tables", refreshed)
			}
			if err == nil || err.Error() == told {
				return false, nil
			}
			told = err.Error()
			return false, err
		},
	}
}
