package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Ops are the endpoints for those who run a pod.
type Ops struct {
	Registry *prometheus.Registry
	Version  any
	// Ready names what a pod needs before it may get requests, and checks it.
	Ready []ReadyCheck
}

// ReadyCheck is one thing a pod needs.
type ReadyCheck struct {
	Name  string
	Check func(context.Context) error
}

type readyAnswer struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"`
}

// Routes adds the endpoints to a router: the API's own in `stockyard dev`, one of their own in `serve`.
func (o Ops) Routes(router gin.IRouter) {
	router.GET("/livez", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	router.GET("/readyz", o.ready)
	router.GET("/version", func(c *gin.Context) { writeJSON(c, http.StatusOK, "application/json", o.Version) })
	router.GET("/metrics", gin.WrapH(promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{})))
}

// Handler serves the endpoints by themselves.
func (o Ops) Handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	o.Routes(engine)
	return headAsGet{engine}
}

func (o Ops) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), 2*time.Second)
	defer cancel()
	answer := readyAnswer{Ready: true, Checks: map[string]string{}}
	for _, check := range o.Ready {
		answer.Checks[check.Name] = "ok"
		if err := check.Check(ctx); err != nil {
			answer.Ready = false
			answer.Checks[check.Name] = err.Error()
		}
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(c, status, "application/json", answer)
}
