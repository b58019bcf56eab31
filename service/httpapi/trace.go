package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"stockyard/service/telemetry/tracing"
)

// begin begins the request's span, which goes along in its context.
func (a *api) begin(c *gin.Context, name string) trace.Span {
	before := c.Request.Context()
	ctx, span := a.options.Traces.Serve(before, propagation.HeaderCarrier(c.Request.Header), name)
	if ctx != before {
		c.Request = c.Request.WithContext(ctx)
	}
	return span
}

// end ends the request's span. The query is left out of it: it may hold anything.
func end(c *gin.Context, span trace.Span, operation, id string) {
	if !span.IsRecording() {
		return
	}
	status := c.Writer.Status()
	span.SetAttributes(
		attribute.String("http.request.method", c.Request.Method), attribute.String("url.path", strings.ToValidUTF8(c.Request.URL.Path, "\ufffd")),
		attribute.Int("http.response.status_code", status), attribute.String("stockyard.operation", operation), attribute.String("stockyard.request_id", id),
	)
	if matched := c.FullPath(); matched != "" {
		path, _ := pathOf(route{path: matched})
		span.SetAttributes(attribute.String("http.route", path))
	}
	if agent := c.Request.UserAgent(); agent != "" {
		span.SetAttributes(attribute.String("user_agent.original", strings.ToValidUTF8(agent, "\ufffd")))
	}
	if status >= http.StatusInternalServerError {
		tracing.Fail(span, strconv.Itoa(status))
	}
	span.End()
}
