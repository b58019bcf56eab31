package httpapi

import (
	"net/http"

	"stockyard/service/inventory"
)

type thresholdBody struct {
	SKU      string `json:"sku,omitempty"`
	Location string `json:"location,omitempty"`
	Channel  string `json:"channel,omitempty"`
	Below    int64  `json:"below"`
	Active   *bool  `json:"active,omitempty"`
}

func thresholdBodyOf(t inventory.Threshold) thresholdBody {
	return thresholdBody{t.SKU, t.Location, t.Channel, t.Below, &t.Active}
}

func (b thresholdBody) apply(t inventory.Threshold) inventory.Threshold {
	t.SKU, t.Location, t.Channel, t.Below = b.SKU, b.Location, b.Channel, b.Below
	t.Active = b.Active == nil || *b.Active
	return t
}

func (a *api) putThreshold(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("name", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	body, err := decode[thresholdBody](r)
	if err != nil {
		return reply{}, err
	}
	t, created, err := a.service.PutThreshold(r.ctx, r.who, body.apply(inventory.Threshold{Name: name}), pre)
	return reply{status: putStatus(created), body: t, version: t.Version}, err
}

func (a *api) getThreshold(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("name", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	t, err := a.service.Threshold(r.ctx, r.who, name)
	return reply{status: http.StatusOK, body: t, version: t.Version}, err
}

func (a *api) patchThreshold(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("name", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	patch, err := mergePatch(r, thresholdBodyOf, func(t inventory.Threshold, b thresholdBody) inventory.Threshold { return b.apply(t) })
	if err != nil {
		return reply{}, err
	}
	t, err := a.service.PatchThreshold(r.ctx, r.who, name, pre, patch)
	return reply{status: http.StatusOK, body: t, version: t.Version}, err
}

func (a *api) deleteThreshold(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("name", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, a.service.ArchiveThreshold(r.ctx, r.who, name, pre)
}

func (a *api) listThresholds(r *request) (reply, error) {
	q := r.query()
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Thresholds(r.ctx, r.who, page)
	return reply{status: http.StatusOK, body: list}, err
}
