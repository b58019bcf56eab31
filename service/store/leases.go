package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Whoever holds a lease renews it; anyone may take it once it has expired. The token grows with
// every change of holder, and not with a renewal.
var takeLease = define("take_lease", `
INSERT INTO leases AS l (region, name, holder, token, expires_at)
VALUES ($1::crdb_internal_region, $2, $3, 1, now() + $4::interval)
    ON CONFLICT (region, name) DO UPDATE
   SET holder = excluded.holder, expires_at = excluded.expires_at,
       token = CASE WHEN l.holder = excluded.holder THEN l.token ELSE l.token + 1 END
 WHERE l.expires_at < now() OR l.holder = excluded.holder
RETURNING token`, text, text, text, text)

var releaseLease = define("release_lease", `
UPDATE leases SET expires_at = now() - '1s'::interval
 WHERE region = $1::crdb_internal_region AND name = $2 AND holder = $3`, text, text, text)

var selectLease = define("lease", `
SELECT token FROM leases
 WHERE region = $1::crdb_internal_region AND name = $2 AND token = $3`, text, text, bigint)

// Lease is the right to run a worker in a region for a while.
type Lease struct {
	Region string
	Name   string
	Token  int64
}

// TakeLease takes or renews a lease; ok says whether the holder has it now.
func (s *Store) TakeLease(ctx context.Context, region, name, holder string, life time.Duration) (lease Lease, ok bool, err error) {
	lease = Lease{Region: region, Name: name}
	err = s.InTx(ctx, func(_ context.Context, tx *Tx) error {
		ok = false
		tx.queue(takeLease, func(r pgx.Rows) error {
			ok = true
			return r.Scan(&lease.Token)
		}, region, name, holder, life.String())
		return nil
	})
	return lease, ok, err
}

// ReleaseLease gives a lease up early, so that another pod needn't wait for it to expire.
func (s *Store) ReleaseLease(ctx context.Context, region, name, holder string) error {
	return s.InTx(ctx, func(_ context.Context, tx *Tx) error {
		tx.queue(releaseLease, nil, region, name, holder)
		return nil
	})
}

func (tx *Tx) queueLeases(leases []Lease) map[Lease]bool {
	held := map[Lease]bool{}
	for _, lease := range unique(leases) {
		tx.queue(selectLease, func(pgx.Rows) error { held[lease] = true; return nil }, lease.Region, lease.Name, lease.Token)
	}
	return held
}
