package worker

import (
	"context"
	"log/slog"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// VerificationObserver is told what verifications found.
type VerificationObserver interface {
	// Verified: so many violations were found, and it took so long.
	Verified(violations int, took time.Duration)
	// Counted: so many stock levels there are, as far as is known for so long.
	Counted(counts []inventory.Census, good time.Duration)
	// Alerted: so many alerts of a kind were raised.
	Alerted(kind string, n int)
}

// verifyingShare bounds how much of the time is spent on verifying: one in so many parts. Where the
// books are large, it is done less often.
const verifyingShare = 10

// Verification verifies the books every so often, raises an alert for each violation that has had
// none, and counts stock levels. It stays with one pod: the lease is kept between two verifications.
func Verification(s *service.Service, every time.Duration, observe VerificationObserver, log *slog.Logger) Job {
	var next time.Time
	return Job{Name: "verification", Every: min(every, time.Second), Long: true, Run: func(ctx context.Context, lease store.Lease) (bool, error) {
		began := time.Now()
		if began.Before(next) {
			return false, nil
		}
		drift, err := s.RaiseDrift(ctx, lease)
		if err != nil {
			return false, err
		}
		pause := max(every, verifyingShare*time.Since(began))
		next = began.Add(pause)
		observe.Verified(drift.Violations, time.Since(began))
		observe.Alerted(string(inventory.AlertDrift), drift.Raised)
		if drift.Violations > 0 {
			log.Error("the books don't add up; `stockyard verify` names every violation", "violations", drift.Violations, "new_alerts", drift.Raised)
		}
		counts, err := s.Census(ctx)
		if err != nil {
			return false, err
		}
		observe.Counted(counts, 2*pause+time.Since(began))
		return false, nil
	}}
}
