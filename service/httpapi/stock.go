package httpapi

import (
	"net/http"

	"stockyard/service"
	"stockyard/service/inventory"
)

func (a *api) getLevel(r *request) (reply, error) {
	location, sku, err := r.levelName()
	if err != nil {
		return reply{}, err
	}
	q := r.query()
	fresh := q.freshness(q.number("min_version"))
	past, axis := q.moment("as_of"), service.Axis(q.given("axis"))
	q.wrong = append(q.wrong, service.CheckPast(past, axis, fresh)...)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if !past.IsZero() {
		level, err := a.service.LevelAsOf(r.ctx, r.who, location, sku, past, axis)
		return reply{status: http.StatusOK, body: level, asOf: past}, err
	}
	level, asOf, err := a.service.Level(r.ctx, r.who, location, sku, fresh)
	return reply{status: http.StatusOK, body: level, version: level.Version, asOf: asOf}, err
}

func (r *request) levelName() (location, sku string, err error) {
	if location, err = r.named("location", inventory.CheckIdentifier); err != nil {
		return "", "", err
	}
	sku, err = r.sku()
	return location, sku, err
}

func (a *api) listLevels(r *request) (reply, error) {
	q := r.query()
	query := service.LevelsQuery{
		SKU: q.name("sku", inventory.CheckSKU), Location: q.name("location", inventory.CheckIdentifier),
		Region: q.given("region"), AvailableBelow: q.number("available_below"),
		Fresh: q.freshness(nil),
	}
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Levels(r.ctx, r.who, query, page)
	return reply{status: http.StatusOK, body: list, asOf: list.AsOf}, err
}

func (a *api) listEvents(r *request) (reply, error) {
	location, sku, err := r.levelName()
	if err != nil {
		return reply{}, err
	}
	q := r.query()
	page := q.page()
	var after int64
	if n := q.number("after_version"); n != nil {
		after = *n
	}
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Events(r.ctx, r.who, location, sku, after, page)
	return reply{status: http.StatusOK, body: list}, err
}

// availabilityAnswer is what an availability query answers.
type availabilityAnswer struct {
	Items []service.Availability `json:"items"`
}

func (a *api) getAvailability(r *request) (reply, error) {
	q := r.query()
	fresh := q.freshness(nil)
	skus, region, channel := q.many("sku"), q.given("region"), q.name("channel", inventory.CheckIdentifier)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	items, asOf, err := a.service.AvailabilityOf(r.ctx, r.who, skus, region, channel, fresh)
	return reply{status: http.StatusOK, body: availabilityAnswer{items}, asOf: asOf}, err
}

// regionsAnswer says which regions there are and which one answered.
type regionsAnswer struct {
	Regions    []regionAnswer `json:"regions"`
	AnsweredBy string         `json:"answered_by"`
}

type regionAnswer struct {
	Name      string   `json:"name"`
	Primary   bool     `json:"primary"`
	Latitude  float64  `json:"latitude"`
	Longitude float64  `json:"longitude"`
	Countries []string `json:"countries"`
}

func (a *api) listRegions(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	topology := a.service.Topology()
	answer := regionsAnswer{AnsweredBy: a.service.Region()}
	for _, region := range topology.Regions {
		answer.Regions = append(answer.Regions, regionAnswer{
			Name: region.Name, Primary: region.Name == topology.Primary,
			Latitude: region.Latitude, Longitude: region.Longitude, Countries: append([]string{}, region.Countries...),
		})
	}
	return reply{status: http.StatusOK, body: answer}, nil
}
