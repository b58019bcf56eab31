package httpapi_test

import (
	"fmt"
	"maps"
	"testing"
)

// Who may, by role; admins may always.
const (
	all      = "viewer pos warehouse planner integrator"
	keepers  = "planner integrator"
	sellers  = "pos integrator"
	handlers = "warehouse integrator"
	shippers = "pos warehouse integrator"
	planners = "warehouse planner integrator"
	systems  = "integrator"
	analysts = "viewer planner"
	nobody   = ""
)

// routes describe the API, by method and path.
func routes() map[string]route {
	known := map[string]route{}
	for _, some := range []map[string]route{catalogueRoutes(), stockRoutes(), reservationRoutes(), transferRoutes(), webhookRoutes(), adminRoutes()} {
		maps.Copy(known, some)
	}
	return known
}

// of is a request about what is there already.
func of(path func(f *field) string, body ...string) func(*testing.T, *field) (string, string) {
	return func(_ *testing.T, f *field) (string, string) { return path(f), fmt.Sprint(anys(body)...) }
}

func anys(s []string) (all []any) {
	for _, v := range s {
		all = append(all, v)
	}
	return all
}

// to is a request of which the path is always the same.
func to(path string, body ...string) func(*testing.T, *field) (string, string) {
	return of(func(*field) string { return path }, body...)
}

func catalogueRoutes() map[string]route {
	const warehouse = `{"name": "Site", "region": "us-east1", "kind": "warehouse", "country": "US"}`
	product := func(f *field) string { return "/v1/products/" + f.sku }
	location := func(f *field) string { return "/v1/locations/" + f.location }
	channel := func(f *field) string { return "/v1/channels/" + f.channel }
	threshold := func(f *field) string { return "/v1/thresholds/" + f.threshold }
	return map[string]route{
		"PUT /v1/products/:sku": {keepers, everywhere, 201, func(*testing.T, *field) (string, string) {
			return "/v1/products/" + name("sku"), `{"name": "Tea"}`
		}},
		"GET /v1/products/:sku":   {all, anywhere, 200, of(product)},
		"PATCH /v1/products/:sku": {keepers, everywhere, 200, of(product, `{"name": "Tea"}`)},
		"DELETE /v1/products/:sku": {keepers, everywhere, 204, func(t *testing.T, f *field) (string, string) {
			return "/v1/products/" + f.product(t), ""
		}},
		"GET /v1/products": {all, anywhere, 200, to("/v1/products?page_size=1")},
		"POST /v1/products/import": {keepers, everywhere, 200, func(*testing.T, *field) (string, string) {
			return "/v1/products/import", fmt.Sprintf(`{"sku": %q, "name": "Tea"}`, name("sku"))
		}},

		"PUT /v1/locations/:location": {systems, placed, 201, func(*testing.T, *field) (string, string) {
			return "/v1/locations/" + name("loc"), warehouse
		}},
		"GET /v1/locations/:location":   {all, anywhere, 200, of(location)},
		"PATCH /v1/locations/:location": {systems, placed, 200, of(location, `{"name": "Site"}`)},
		"DELETE /v1/locations/:location": {systems, placed, 204, func(t *testing.T, f *field) (string, string) {
			return "/v1/locations/" + f.pod.location(t, america), ""
		}},
		"GET /v1/locations": {all, anywhere, 200, to("/v1/locations?region=us-east1&page_size=1")},

		"PUT /v1/channels/:channel": {keepers, everywhere, 201, func(*testing.T, *field) (string, string) {
			return "/v1/channels/" + name("chan"), webChannel
		}},
		"GET /v1/channels/:channel":   {all, anywhere, 200, of(channel)},
		"PATCH /v1/channels/:channel": {keepers, everywhere, 200, of(channel, `{"name": "Web"}`)},
		"DELETE /v1/channels/:channel": {keepers, everywhere, 204, func(t *testing.T, f *field) (string, string) {
			path := "/v1/channels/" + name("chan")
			f.put(t, path, webChannel).is(t, 201)
			return path, ""
		}},
		"GET /v1/channels": {all, anywhere, 200, to("/v1/channels?page_size=1")},

		"PUT /v1/thresholds/:name": {keepers, everywhere, 201, func(*testing.T, *field) (string, string) {
			return "/v1/thresholds/" + name("rule"), `{"below": 5}`
		}},
		"GET /v1/thresholds/:name":   {all, anywhere, 200, of(threshold)},
		"PATCH /v1/thresholds/:name": {keepers, everywhere, 200, of(threshold, `{"below": 7}`)},
		"DELETE /v1/thresholds/:name": {keepers, everywhere, 204, func(t *testing.T, f *field) (string, string) {
			path := "/v1/thresholds/" + name("rule")
			f.put(t, path, lowStock).is(t, 201)
			return path, ""
		}},
		"GET /v1/thresholds": {all, anywhere, 200, to("/v1/thresholds?page_size=1")},

		"GET /v1/regions": {all, anywhere, 200, to("/v1/regions")},
	}
}

func stockRoutes() map[string]route {
	const back = `{"movements": [%s], "on_error": "abort"}`
	return map[string]route{
		"GET /v1/stock/:location/:sku":        {all, placed, 200, of(func(f *field) string { return f.path() })},
		"GET /v1/stock/:location/:sku/events": {all, placed, 200, of(func(f *field) string { return f.path() + "/events?page_size=1" })},
		"GET /v1/stock":                       {all, placed, 200, of(func(f *field) string { return "/v1/stock?location=" + f.location })},
		"GET /v1/events":                      {all, placed, 200, of(func(f *field) string { return "/v1/events?region=us-east1&sku=" + f.sku })},
		"GET /v1/availability":                {all, placed, 200, of(func(f *field) string { return "/v1/availability?region=us-east1&sku=" + f.sku })},

		"POST /v1/movements": {shippers, placed, 201, func(_ *testing.T, f *field) (string, string) {
			return "/v1/movements", f.movement("return", 1)
		}},
		"POST /v1/movements/batch": {shippers, placed, 200, func(_ *testing.T, f *field) (string, string) {
			return "/v1/movements/batch", fmt.Sprintf(back, f.movement("return", 1))
		}},
	}
}

func reservationRoutes() map[string]route {
	step := func(step, body string, before ...string) func(*testing.T, *field) (string, string) {
		return func(t *testing.T, f *field) (string, string) {
			path := f.reserve(t, f.shelf, 1)
			for _, step := range before {
				f.pod.post(t, path+step, "").is(t, 200)
			}
			return path + step, body
		}
	}
	return map[string]route{
		"POST /v1/reservations": {sellers, placed, 201, func(_ *testing.T, f *field) (string, string) {
			return "/v1/reservations", f.reservation(1)
		}},
		"POST /v1/reservations/batch": {sellers, placed, 200, func(_ *testing.T, f *field) (string, string) {
			return "/v1/reservations/batch", fmt.Sprintf(`{"reservations": [%s], "on_error": "abort"}`, f.reservation(1))
		}},
		"GET /v1/reservations":              {all, placed, 200, of(func(f *field) string { return "/v1/reservations?page_size=1&location=" + f.location })},
		"GET /v1/reservations/:id":          {all, placed, 200, step("", "")},
		"POST /v1/reservations/:id/confirm": {sellers, placed, 200, step("/confirm", "")},
		"POST /v1/reservations/:id/extend":  {sellers, placed, 200, step("/extend", `{"expires_in": "1h"}`)},
		"POST /v1/reservations/:id/release": {sellers, placed, 200, step("/release", "")},
		"POST /v1/reservations/:id/fulfil":  {shippers, placed, 200, step("/fulfil", "", "/confirm")},
	}
}

// transferRoutes: the other end lies where the grants that must not do are good, but for reading, for
// which either end is enough.
func transferRoutes() map[string]route {
	out := func(step, body string, before ...string) func(*testing.T, *field) (string, string) {
		return func(t *testing.T, f *field) (string, string) {
			return f.transfer(t, f.location, f.far, before...) + step, body
		}
	}
	return map[string]route{
		"POST /v1/transfers": {planners, placed, 201, func(_ *testing.T, f *field) (string, string) {
			return "/v1/transfers", f.plan(f.location, f.far)
		}},
		"GET /v1/transfers": {all, placed, 200, of(func(f *field) string {
			return fmt.Sprintf("/v1/transfers?from=%s&to=%s", f.location, f.second)
		})},
		"GET /v1/transfers/:id": {all, placed, 200, func(t *testing.T, f *field) (string, string) {
			return f.transfer(t, f.location, f.second), ""
		}},
		"POST /v1/transfers/:id/ship": {handlers, placed, 200, out("/ship", "")},
		"POST /v1/transfers/:id/receive": {handlers, placed, 200, func(t *testing.T, f *field) (string, string) {
			return f.transfer(t, f.far, f.location, "/ship") + "/receive", fmt.Sprintf(`{"lines": [{"sku": %q, "quantity": 1}]}`, f.sku)
		}},
		"POST /v1/transfers/:id/close":  {planners, placed, 200, out("/close", `{"disposition": "lost"}`, "/ship")},
		"POST /v1/transfers/:id/cancel": {planners, placed, 200, out("/cancel", "")},
	}
}

func webhookRoutes() map[string]route {
	webhook := func(f *field) string { return "/v1/webhooks/" + f.webhook }
	return map[string]route{
		"PUT /v1/webhooks/:webhook": {systems, everywhere, 201, func(*testing.T, *field) (string, string) {
			return "/v1/webhooks/" + name("hook"), anyWebhook
		}},
		"GET /v1/webhooks/:webhook": {systems, everywhere, 200, of(webhook)},
		"DELETE /v1/webhooks/:webhook": {systems, everywhere, 204, func(t *testing.T, f *field) (string, string) {
			return "/v1/webhooks/" + f.newWebhook(t), ""
		}},
		"GET /v1/webhooks":                     {systems, everywhere, 200, to("/v1/webhooks?page_size=1")},
		"GET /v1/webhooks/:webhook/deliveries": {systems, everywhere, 200, of(func(f *field) string { return webhook(f) + "/deliveries" })},
		"POST /v1/webhooks/:webhook/deliveries/:id/redeliver": {systems, everywhere, 200, func(t *testing.T, f *field) (string, string) {
			return webhook(f) + "/deliveries/" + f.newDelivery(t) + "/redeliver", ""
		}},
	}
}

func adminRoutes() map[string]route {
	return map[string]route{
		"GET /v1/verify":          {systems, everywhere, 200, to("/v1/verify")},
		"GET /v1/reports":         {analysts, anywhere, 200, to("/v1/reports")},
		"GET /v1/reports/:report": {analysts, everywhere, 200, to("/v1/reports/sales_by_day")},
		"GET /v1/audit-log":       {nobody, everywhere, 200, to("/v1/audit-log?page_size=1")},
		"GET /v1/seals":           {nobody, everywhere, 200, to("/v1/seals?region=us-east1")},
		"POST /v1/keys":           {nobody, everywhere, 201, to("/v1/keys", viewerKey)},
		"GET /v1/keys":            {nobody, everywhere, 200, to("/v1/keys?page_size=1")},
		"GET /v1/keys/:id":        {nobody, everywhere, 200, of(func(f *field) string { return "/v1/keys/" + f.key })},
		"DELETE /v1/keys/:id":     {nobody, everywhere, 204, func(t *testing.T, f *field) (string, string) { return "/v1/keys/" + f.newKey(t), "" }},
	}
}
