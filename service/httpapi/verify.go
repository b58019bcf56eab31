package httpapi

import (
	"net/http"
	"time"

	"stockyard/service"
)

// Verifying reads every row. One at a time a pod, and as long as it takes.
const verifyTimeout = 30 * time.Minute

func (a *api) verify(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	if !a.verifying.TryLock() {
		return reply{}, service.ErrOverloaded
	}
	defer a.verifying.Unlock()
	v, err := a.options.Verify(r.ctx)
	return reply{status: http.StatusOK, body: v, asOf: v.AsOf}, err
}
