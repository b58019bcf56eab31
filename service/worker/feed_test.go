package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
	"stockyard/service/worker"
)

// Batches go some minutes after they were written, of all shards of the worker's own region, however many.
func TestOldBatchesOfTheFeedAreDeleted(t *testing.T) {
	db := storetest.Open(t, devdb.CockroachDB)
	conn, err := pgx.Connect(t.Context(), db.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	write := func(region, age string) {
		t.Helper()
		db.Exec(t, `INSERT INTO feed_batches (region, shard, written_at, events)
			SELECT '`+region+`', n % 8, now() - '`+age+`'::interval, 'x' FROM generate_series(1, 1000) AS g(n)`)
	}
	wants := func(region string, want int) {
		t.Helper()
		var n int
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM feed_batches WHERE region::text = $1`, region).Scan(&n); err != nil || n != want {
			t.Errorf("%d rows are left in %s, %v; want %d", n, region, err, want)
		}
	}
	lease, ok, err := db.TakeLease(t.Context(), region, "feed_batches", "test", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	const other = "europe-west1"
	clean := func(job worker.Job) {
		t.Helper()
		for busy := true; busy; {
			if busy, err = job.Run(t.Context(), lease); err != nil {
				t.Fatal(err)
			}
		}
	}
	job := worker.FeedBatches(db.Store)
	write(region, "20m")
	write(region, "1m")
	write(other, "20m")
	clean(job)
	wants(region, 1000)
	wants(other, 1000)

	clean(job) // which keeps how far it has come
	write(region, "1h")
	clean(worker.FeedBatches(db.Store))
	wants(region, 2000) // another pod doesn't look where all was deleted
}
