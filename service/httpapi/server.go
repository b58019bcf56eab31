// Package httpapi is the REST door: gin routes, strict input, RFC 9457 problems. It holds no rules;
// a handler reads a request, calls the service and writes the answer.
package httpapi

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/feed"
	"stockyard/service/telemetry/tracing"
)

// Options of the REST door.
type Options struct {
	// Authenticator finds out who asks. Without one nobody comes in.
	Authenticator auth.Authenticator
	// RequestTimeout is a request's deadline where its Request-Timeout header names none; 15s.
	RequestTimeout time.Duration
	Log            *slog.Logger
	// Observe is told of every request: the route's operation, the status, how long it took.
	Observe func(operation string, status int, took time.Duration)
	// Traces begins the spans of requests; nil for none.
	Traces *tracing.Traces
	// Feed is what readers of events read.
	Feed *feed.Hub
	// Draining is closed when the pod goes away: streams end then. It may be nil.
	Draining <-chan struct{}
	// StallTimeout cuts off a client of a stream that neither sends nor takes anything; 1m.
	StallTimeout time.Duration
}

// Limits of bodies. Those of batches hold a thousand commands.
const (
	maxBody      = 1 << 20
	maxBatchBody = 64 << 20
	// piecewise stands for no limit: body and answer are streams, which take as long as they take.
	piecewise = -1
	// held stands for no body, and an answer that lasts as long as its reader likes.
	held = -2
	// maxBulk bounds the large bodies that are held at once; more wait for room, to their deadline.
	maxBulk = 4 * maxBatchBody
)

// api is what handlers work with.
type api struct {
	service *service.Service
	options Options
	bulk    *semaphore.Weighted
}

// handler serves one operation: it gives what to answer, or an error that becomes a problem.
type handler func(*request) (reply, error)

// route is one operation of the contract.
type route struct {
	method, path string
	operation    auth.Operation
	body         int64 // the most bytes it takes; 0: none is read
	serve        handler
}

// routes is the table of operations: one line each.
func (a *api) routes() []route {
	return []route{
		{"PUT", "/v1/products/:sku", auth.PutProduct, maxBody, a.putProduct},
		{"GET", "/v1/products/:sku", auth.GetProduct, 0, a.getProduct},
		{"PATCH", "/v1/products/:sku", auth.PatchProduct, maxBody, a.patchProduct},
		{"DELETE", "/v1/products/:sku", auth.ArchiveProduct, 0, a.deleteProduct},
		{"GET", "/v1/products", auth.ListProducts, 0, a.listProducts},
		{"POST", "/v1/products/import", auth.ImportProducts, piecewise, a.importProducts},

		{"PUT", "/v1/locations/:location", auth.PutLocation, maxBody, a.putLocation},
		{"GET", "/v1/locations/:location", auth.GetLocation, 0, a.getLocation},
		{"PATCH", "/v1/locations/:location", auth.PatchLocation, maxBody, a.patchLocation},
		{"DELETE", "/v1/locations/:location", auth.ArchiveLocation, 0, a.deleteLocation},
		{"GET", "/v1/locations", auth.ListLocations, 0, a.listLocations},

		{"PUT", "/v1/channels/:channel", auth.PutChannel, maxBody, a.putChannel},
		{"GET", "/v1/channels/:channel", auth.GetChannel, 0, a.getChannel},
		{"PATCH", "/v1/channels/:channel", auth.PatchChannel, maxBody, a.patchChannel},
		{"DELETE", "/v1/channels/:channel", auth.ArchiveChannel, 0, a.deleteChannel},
		{"GET", "/v1/channels", auth.ListChannels, 0, a.listChannels},

		{"PUT", "/v1/thresholds/:name", auth.PutThreshold, maxBody, a.putThreshold},
		{"GET", "/v1/thresholds/:name", auth.GetThreshold, 0, a.getThreshold},
		{"PATCH", "/v1/thresholds/:name", auth.PatchThreshold, maxBody, a.patchThreshold},
		{"DELETE", "/v1/thresholds/:name", auth.ArchiveThreshold, 0, a.deleteThreshold},
		{"GET", "/v1/thresholds", auth.ListThresholds, 0, a.listThresholds},

		{"GET", "/v1/regions", auth.ListRegions, 0, a.listRegions},

		{"GET", "/v1/stock/:location/:sku", auth.GetLevel, 0, a.getLevel},
		{"GET", "/v1/stock/:location/:sku/events", auth.ListEvents, 0, a.listEvents},
		{"GET", "/v1/stock", auth.ListLevels, 0, a.listLevels},
		{"GET", "/v1/availability", auth.GetAvailability, 0, a.getAvailability},
		{"GET", "/v1/events", auth.Watch, held, a.watch},

		{"POST", "/v1/movements", auth.Move, maxBody, a.postMovement},
		{"POST", "/v1/movements/batch", auth.MoveBatch, maxBatchBody, a.postMovements},
		{"POST", "/v1/reservations", auth.Reserve, maxBody, a.postReservation},
		{"POST", "/v1/reservations/batch", auth.ReserveBatch, maxBatchBody, a.postReservations},
		{"GET", "/v1/reservations", auth.ListReservations, 0, a.listReservations},
		{"GET", "/v1/reservations/:id", auth.GetReservation, 0, a.getReservation},
		{"POST", "/v1/reservations/:id/confirm", auth.Confirm, maxBody, a.confirm},
		{"POST", "/v1/reservations/:id/extend", auth.Extend, maxBody, a.extend},
		{"POST", "/v1/reservations/:id/release", auth.Release, maxBody, a.release},
		{"POST", "/v1/reservations/:id/fulfil", auth.Fulfil, maxBody, a.fulfil},

		{"POST", "/v1/transfers", auth.CreateTransfer, maxBody, a.postTransfer},
		{"GET", "/v1/transfers", auth.ListTransfers, 0, a.listTransfers},
		{"GET", "/v1/transfers/:id", auth.GetTransfer, 0, a.getTransfer},
		{"POST", "/v1/transfers/:id/ship", auth.ShipTransfer, maxBody, a.shipTransfer},
		{"POST", "/v1/transfers/:id/receive", auth.ReceiveTransfer, maxBody, a.receiveTransfer},
		{"POST", "/v1/transfers/:id/close", auth.CloseTransfer, maxBody, a.closeTransfer},
		{"POST", "/v1/transfers/:id/cancel", auth.CancelTransfer, maxBody, a.cancelTransfer},

		{"PUT", "/v1/webhooks/:webhook", auth.PutWebhook, maxBody, a.putWebhook},
		{"GET", "/v1/webhooks/:webhook", auth.GetWebhook, 0, a.getWebhook},
		{"DELETE", "/v1/webhooks/:webhook", auth.DeleteWebhook, 0, a.deleteWebhook},
		{"GET", "/v1/webhooks", auth.ListWebhooks, 0, a.listWebhooks},
		{"GET", "/v1/webhooks/:webhook/deliveries", auth.ListDeliveries, 0, a.listDeliveries},
		{"POST", "/v1/webhooks/:webhook/deliveries/:id/redeliver", auth.Redeliver, 0, a.redeliver},

		{"GET", "/v1/audit-log", auth.ListAuditLog, 0, a.listAuditLog},
		{"GET", "/v1/seals", auth.ListSeals, 0, a.listSeals},

		{"GET", "/v1/verify", auth.Verify, 0, a.verify},

		{"GET", "/v1/reports", auth.ListReports, 0, a.listReports},
		{"GET", "/v1/reports/:report", auth.RunReport, 0, a.runReport},

		{"POST", "/v1/keys", auth.CreateKey, maxBody, a.postKey},
		{"GET", "/v1/keys", auth.ListKeys, 0, a.listKeys},
		{"GET", "/v1/keys/:id", auth.GetKey, 0, a.getKey},
		{"DELETE", "/v1/keys/:id", auth.RevokeKey, 0, a.deleteKey},
	}
}

// New makes the REST door of a service. more adds routes that are not of the API, such as those of
// operators in `stockyard dev`.
func New(s *service.Service, o Options, more ...func(gin.IRouter)) http.Handler {
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 15 * time.Second
	}
	if o.StallTimeout == 0 {
		o.StallTimeout = time.Minute
	}
	if o.Observe == nil {
		o.Observe = func(string, int, time.Duration) {}
	}
	if o.Authenticator == nil {
		o.Authenticator = &auth.Bearer{}
	}
	gin.SetMode(gin.ReleaseMode)
	a := &api{service: s, options: o, bulk: semaphore.NewWeighted(maxBulk)}
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
	a.serveDocument(engine)
	engine.NoRoute(a.refuse(func(r *http.Request) error {
		return notFound("route", strings.ToValidUTF8(r.URL.Path, "\ufffd"))
	}))
	engine.NoMethod(allowHead, a.refuse(func(*http.Request) error { return errMethod }))
	return headAsGet{engine}
}

// allowHead says that HEAD will do where GET does.
func allowHead(c *gin.Context) {
	if allowed := c.Writer.Header().Get("Allow"); strings.Contains(allowed, http.MethodGet) {
		c.Header("Allow", allowed+", "+http.MethodHead)
	}
}

// headAsGet answers HEAD as GET. net/http leaves the body out: it remembers what was asked.
type headAsGet struct{ *gin.Engine }

func (h headAsGet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		asked := *r
		asked.Method = http.MethodGet
		r = &asked
	}
	h.Engine.ServeHTTP(w, r)
}
