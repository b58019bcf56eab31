package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

var countLevels = define("count_levels", `
SELECT region::text, count(*), count(*) FILTER (WHERE on_hand - held - allocated - quarantined - shortfall <= 0),
       count(*) FILTER (WHERE shortfall > 0)
  FROM stock_levels
 GROUP BY region
 ORDER BY region`)

// Census counts the stock levels of every region that has any. It reads each of them, from followers where there are any:
// a hold that has lapsed and was not yet tidied away still counts as held.
func (s *Store) Census(ctx context.Context) (counts []inventory.Census, err error) {
	err = s.AtMost(followerAge).read(ctx, countLevels, func(r pgx.Rows) error {
		var c inventory.Census
		err := r.Scan(&c.Region, &c.Levels, &c.OutOfStock, &c.InShortfall)
		counts = append(counts, c)
		return err
	})
	return counts, err
}

var countSomeEvents = define("count_some_events", `
SELECT count(*) FROM (SELECT 1 FROM stock_events LIMIT $1) AS found`, bigint)

// MoreEventsThan says whether there are more events than n, and counts no further.
func (s *Store) MoreEventsThan(ctx context.Context, n int64) (bool, error) {
	var found int64
	err := s.read(ctx, countSomeEvents, func(r pgx.Rows) error { return r.Scan(&found) }, n+1)
	return found > n, err
}
