// Package httpapi is the REST door: gin routes, strict input, RFC 9457 problems. It holds no rules;
// a handler reads a request, calls the service and writes the answer.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"stockyard/service"
	"stockyard/service/store"
)

// Options of the REST door.
type Options struct {
	// RequestTimeout is a request's deadline where its Request-Timeout header names none; 15s.
	RequestTimeout time.Duration
	// Verify checks the invariants at one snapshot.
	Verify func(context.Context) (store.Verification, error)
	Log    *slog.Logger
	// Observe is told of every request: the route's operation, the status, how long it took.
	Observe func(operation string, status int, took time.Duration)
}

// Limits of bodies. Those of batches hold a thousand commands.
const (
	maxBody      = 1 << 20
	maxBatchBody = 64 << 20
)

// api is what handlers work with.
type api struct {
	service   *service.Service
	options   Options
	verifying sync.Mutex
}

// handler serves one operation: it gives what to answer, or an error that becomes a problem.
type handler func(*request) (reply, error)

// route is one operation of the contract.
type route struct {
	method, path, operation string
	body                    int64 // the most bytes it takes; 0: none is read
	serve                   handler
}

// routes is the table of operations: one line each.
func (a *api) routes() []route {
	return []route{
		{"PUT", "/v1/products/:sku", "put_product", maxBody, a.putProduct},
		{"GET", "/v1/products/:sku", "get_product", 0, a.getProduct},
		{"PATCH", "/v1/products/:sku", "patch_product", maxBody, a.patchProduct},
		{"DELETE", "/v1/products/:sku", "archive_product", 0, a.deleteProduct},
		{"GET", "/v1/products", "list_products", 0, a.listProducts},

		{"PUT", "/v1/locations/:location", "put_location", maxBody, a.putLocation},
		{"GET", "/v1/locations/:location", "get_location", 0, a.getLocation},
		{"PATCH", "/v1/locations/:location", "patch_location", maxBody, a.patchLocation},
		{"DELETE", "/v1/locations/:location", "archive_location", 0, a.deleteLocation},
		{"GET", "/v1/locations", "list_locations", 0, a.listLocations},

		{"PUT", "/v1/channels/:channel", "put_channel", maxBody, a.putChannel},
		{"GET", "/v1/channels/:channel", "get_channel", 0, a.getChannel},
		{"PATCH", "/v1/channels/:channel", "patch_channel", maxBody, a.patchChannel},
		{"DELETE", "/v1/channels/:channel", "archive_channel", 0, a.deleteChannel},
		{"GET", "/v1/channels", "list_channels", 0, a.listChannels},

		{"GET", "/v1/regions", "list_regions", 0, a.listRegions},

		{"GET", "/v1/stock/:location/:sku", "get_level", 0, a.getLevel},
		{"GET", "/v1/stock/:location/:sku/events", "list_events", 0, a.listEvents},
		{"GET", "/v1/stock", "list_levels", 0, a.listLevels},
		{"GET", "/v1/availability", "get_availability", 0, a.getAvailability},

		{"POST", "/v1/movements", "move", maxBody, a.postMovement},
		{"POST", "/v1/movements/batch", "move_batch", maxBatchBody, a.postMovements},
		{"POST", "/v1/reservations", "reserve", maxBody, a.postReservation},
		{"POST", "/v1/reservations/batch", "reserve_batch", maxBatchBody, a.postReservations},
		{"GET", "/v1/reservations", "list_reservations", 0, a.listReservations},
		{"GET", "/v1/reservations/:id", "get_reservation", 0, a.getReservation},
		{"POST", "/v1/reservations/:id/confirm", "confirm", maxBody, a.confirm},
		{"POST", "/v1/reservations/:id/extend", "extend", maxBody, a.extend},
		{"POST", "/v1/reservations/:id/release", "release", maxBody, a.release},
		{"POST", "/v1/reservations/:id/fulfil", "fulfil", maxBody, a.fulfil},

		{"GET", "/v1/verify", "verify", 0, a.verify},
	}
}

// New makes the REST door of a service. more adds routes that are not of the API, such as those of
// operators in `stockyard dev`.
func New(s *service.Service, o Options, more ...func(gin.IRouter)) http.Handler {
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 15 * time.Second
	}
	if o.Observe == nil {
		o.Observe = func(string, int, time.Duration) {}
	}
	gin.SetMode(gin.ReleaseMode)
	a := &api{service: s, options: o}
	engine := gin.New()
	// SKUs may contain slashes and plus signs: paths are matched as they were escaped, and each
	// parameter is unescaped by itself.
	engine.UseRawPath, engine.UnescapePathValues = true, false
	engine.RedirectTrailingSlash = false
	engine.HandleMethodNotAllowed = true
	for _, r := range a.routes() {
		engine.Handle(r.method, r.path, a.serve(r))
	}
	for _, add := range more {
		add(engine)
	}
	engine.NoRoute(a.serve(route{operation: "unknown", serve: func(r *request) (reply, error) {
		return reply{}, notFound("route", strings.ToValidUTF8(r.gin.Request.URL.Path, "\ufffd"))
	}}))
	engine.NoMethod(a.serve(route{operation: "unknown", serve: func(*request) (reply, error) {
		return reply{}, errMethod
	}}))
	return engine
}
