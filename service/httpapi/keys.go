package httpapi

import (
	"net/http"

	"stockyard/service"
)

func (a *api) postKey(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	in, err := decode[service.KeyInput](r)
	if err != nil {
		return reply{}, err
	}
	key, err := a.service.CreateKey(r.ctx, r.who, in)
	r.gin.Header("Cache-Control", "no-store") // it is shown once, and to nobody else
	return reply{status: http.StatusCreated, body: key}, err
}

func (a *api) getKey(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	id, err := r.param("id")
	if err != nil {
		return reply{}, err
	}
	key, err := a.service.Key(r.ctx, r.who, id)
	return reply{status: http.StatusOK, body: key}, err
}

func (a *api) deleteKey(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	id, err := r.param("id")
	if err != nil {
		return reply{}, err
	}
	_, err = a.service.RevokeKey(r.ctx, r.who, id)
	return reply{status: http.StatusNoContent}, err
}

func (a *api) listKeys(r *request) (reply, error) {
	q := r.query()
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Keys(r.ctx, r.who, page)
	return reply{status: http.StatusOK, body: list}, err
}
