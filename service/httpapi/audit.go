package httpapi

import (
	"net/http"

	"stockyard/service"
	"stockyard/service/inventory"
)

func (a *api) listAuditLog(r *request) (reply, error) {
	q := r.query()
	query := service.AuditQuery{
		Actor: q.text("actor"), Operation: q.given("operation"), Outcome: q.given("outcome"), RequestID: q.text("request_id"),
		Resource: q.text("resource"), Name: q.text("name"), Region: q.given("region"), Since: q.moment("since"), Until: q.moment("until"),
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
	region, location, page := q.given("region"), q.name("location", inventory.CheckIdentifier), q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Seals(r.ctx, r.who, region, location, page)
	return reply{status: http.StatusOK, body: list}, err
}
