package httpapi

import (
	"net/http"
	"time"
)

// Verifying takes as long as it takes.
const verifyTimeout = 30 * time.Minute

func (a *api) verify(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	_ = http.NewResponseController(r.gin.Writer).SetWriteDeadline(time.Now().Add(verifyTimeout + time.Minute)) // test recorders can't
	v, err := a.service.Verify(r.ctx, r.who)
	return reply{status: http.StatusOK, body: v, asOf: v.AsOf}, err
}
