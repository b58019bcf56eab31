package httpapi

import (
	"net/http"

	"stockyard/service/inventory"
)

func channelBodyOf(c inventory.Channel) channelBody {
	return channelBody{c.Title, c.Kind, c.Locations, c.SafetyStock}
}

func (b channelBody) apply(c inventory.Channel) inventory.Channel {
	c.Title, c.Kind, c.Locations, c.SafetyStock = b.Name, b.Kind, b.Locations, b.SafetyStock
	return c
}

func (a *api) putChannel(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("channel", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	body, err := decode[channelBody](r)
	if err != nil {
		return reply{}, err
	}
	c, created, err := a.service.PutChannel(r.ctx, r.who, body.apply(inventory.Channel{Name: name}), pre)
	return reply{status: putStatus(created), body: c, version: c.Version}, err
}

func (a *api) getChannel(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("channel", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	c, err := a.service.Channel(r.ctx, r.who, name)
	return reply{status: http.StatusOK, body: c, version: c.Version}, err
}

func (a *api) patchChannel(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("channel", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	patch, err := mergePatch(r, channelBodyOf, func(c inventory.Channel, b channelBody) inventory.Channel { return b.apply(c) })
	if err != nil {
		return reply{}, err
	}
	c, err := a.service.PatchChannel(r.ctx, r.who, name, pre, patch)
	return reply{status: http.StatusOK, body: c, version: c.Version}, err
}

func (a *api) deleteChannel(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("channel", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, a.service.ArchiveChannel(r.ctx, r.who, name, pre)
}

func (a *api) listChannels(r *request) (reply, error) {
	q := r.query()
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Channels(r.ctx, r.who, page)
	return reply{status: http.StatusOK, body: list}, err
}
