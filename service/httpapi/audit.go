package httpapi

import (
	"net/http"

	"stockyard/service"
)

func (a *api) listAuditLog(r *request) (reply, error) {
	q := r.query()
	query := service.AuditQuery{
		Actor: q.text("actor"), Operation: q.text("operation"), Outcome: q.text("outcome"), RequestID: q.text("request_id"),
		Resource: q.text("resource"), Name: q.text("name"), Region: q.text("region"), Since: q.moment("since"), Until: q.moment("until"),
	}
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.AuditLog(r.ctx, r.who, query, page)
	return reply{status: http.StatusOK, body: list}, err
}

func (a *api) listSeals(r *request) (reply, error) {
	q := r.query()
	region, location, page := q.text("region"), q.text("location"), q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Seals(r.ctx, r.who, region, location, page)
	return reply{status: http.StatusOK, body: list}, err
}
