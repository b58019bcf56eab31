package httpapi

import (
	"net/http"

	"stockyard/service/inventory"
)

func locationBodyOf(l inventory.Location) locationBody {
	return locationBody{l.Title, l.Region, l.Kind, l.Country, l.Latitude, l.Longitude, l.Priority}
}

func (b locationBody) apply(l inventory.Location) inventory.Location {
	l.Title, l.Region, l.Kind, l.Country = b.Name, b.Region, b.Kind, b.Country
	l.Latitude, l.Longitude, l.Priority = b.Latitude, b.Longitude, b.Priority
	return l
}

func (a *api) putLocation(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("location", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	body, err := decode[locationBody](r)
	if err != nil {
		return reply{}, err
	}
	l, created, err := a.service.PutLocation(r.ctx, r.who, body.apply(inventory.Location{Name: name}), pre)
	return reply{status: putStatus(created), body: l, version: l.Version}, err
}

func (a *api) getLocation(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("location", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	l, err := a.service.Location(r.ctx, r.who, name)
	return reply{status: http.StatusOK, body: l, version: l.Version}, err
}

func (a *api) patchLocation(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("location", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	patch, err := mergePatch(r, locationBodyOf, func(l inventory.Location, b locationBody) inventory.Location { return b.apply(l) })
	if err != nil {
		return reply{}, err
	}
	l, err := a.service.PatchLocation(r.ctx, r.who, name, pre, patch)
	return reply{status: http.StatusOK, body: l, version: l.Version}, err
}

func (a *api) deleteLocation(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	name, err := r.named("location", inventory.CheckIdentifier)
	if err != nil {
		return reply{}, err
	}
	pre, err := r.precondition()
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, a.service.ArchiveLocation(r.ctx, r.who, name, pre)
}

func (a *api) listLocations(r *request) (reply, error) {
	q := r.query()
	region, page := q.given("region"), q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Locations(r.ctx, r.who, region, page)
	return reply{status: http.StatusOK, body: list}, err
}
