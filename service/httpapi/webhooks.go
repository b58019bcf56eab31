package httpapi

import (
	"net/http"

	"stockyard/service"
	"stockyard/service/inventory"
)

func (a *api) putWebhook(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("webhook", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[service.WebhookInput](r)
	if err != nil {
		return reply{}, err
	}
	w, created, err := a.service.PutWebhook(r.ctx, r.who, name, in, pre)
	r.gin.Header("Cache-Control", "no-store") // it may have a secret in it
	return reply{status: putStatus(created), body: w, version: w.Version}, err
}

func (a *api) getWebhook(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("webhook", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	w, err := a.service.Webhook(r.ctx, r.who, name)
	return reply{status: http.StatusOK, body: w, version: w.Version}, err
}

func (a *api) deleteWebhook(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("webhook", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, a.service.DeleteWebhook(r.ctx, r.who, name, pre)
}

func (a *api) listWebhooks(r *request) (reply, error) {
	q := r.query()
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Webhooks(r.ctx, r.who, page)
	return reply{status: http.StatusOK, body: list}, err
}

func (a *api) listDeliveries(r *request) (reply, error) {
	q := r.query()
	status, page := q.given("status"), q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("webhook", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	list, err := a.service.Deliveries(r.ctx, r.who, name, status, page)
	return reply{status: http.StatusOK, body: list}, err
}

func (a *api) redeliver(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("webhook", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	id, err := r.param("id")
	if err != nil {
		return reply{}, err
	}
	d, err := a.service.Redeliver(r.ctx, r.who, name, id)
	return reply{status: http.StatusOK, body: d}, err
}
