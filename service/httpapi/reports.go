package httpapi

import (
	"bytes"
	"cmp"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"stockyard/service"
	"stockyard/service/report"
	"stockyard/service/store"
)

// A report ends before the request does, so that it can say why.
const reportTimeout = store.ReportTimeout + 10*time.Second

// reportsAnswer is every report there is.
type reportsAnswer struct {
	Items []*report.Report `json:"items"`
}

// reportResult is what report.Result writes as JSON; only the document is made of it.
type reportResult struct {
	Report     string           `json:"report"`
	Title      string           `json:"title"`
	AsOf       time.Time        `json:"as_of"`
	Parameters map[string]any   `json:"parameters"`
	More       bool             `json:"more"`
	Columns    []report.Column  `json:"columns"`
	Rows       []map[string]any `json:"rows"`
}

// mediaOfReports are what the formats are called in Accept and Content-Type.
var mediaOfReports = map[string]string{
	"json": "application/json", "csv": "text/csv", "svg": "image/svg+xml", "table": "text/plain",
}

func (a *api) listReports(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	reports, err := a.service.Reports(r.who)
	return reply{status: http.StatusOK, body: reportsAnswer{reports}}, err
}

func (a *api) runReport(r *request) (reply, error) {
	name, err := r.param("report")
	if err != nil {
		return reply{}, err
	}
	q := r.query()
	format := q.reportFormat(r.gin.GetHeader("Accept"))
	asked := service.ReportQuery{Name: name, MaxStaleness: q.given("max_staleness"), Params: map[string]string{}}
	if err := q.report(&asked); err != nil {
		return reply{}, err
	}
	_ = http.NewResponseController(r.gin.Writer).SetWriteDeadline(time.Now().Add(reportTimeout + time.Minute)) // test recorders can't
	result, err := a.service.RunReport(r.ctx, r.who, asked)
	if err != nil {
		return reply{}, err
	}
	return r.writeReport(result, format)
}

// report reads the parameters of a report, of which some reports have others; all that is wrong with
// them is named at once.
func (q *query) report(asked *service.ReportQuery) error {
	for _, name := range slices.Sorted(maps.Keys(reportParams())) {
		text := q.text(name)
		if _, there := q.values[name]; there {
			asked.Params[name] = text
		}
	}
	if r, found, err := report.Find(asked.Name); err == nil && found {
		_, wrong := r.Check(asked.Params)
		for _, w := range wrong {
			q.add(w.Param, w.Message)
		}
	}
	q.wrong = append(q.wrong, service.Freshness{Consistency: "bounded", MaxStaleness: asked.MaxStaleness}.Check()...)
	return q.err()
}

// reportFormat is the one that is asked for by name, or else that of the Accept header; JSON.
func (q *query) reportFormat(accept string) string {
	format := q.given("format")
	if format != "" {
		if !slices.Contains(report.Formats, format) {
			q.add("format", "must be one of "+strings.Join(report.Formats, ", "))
		}
		return format
	}
	best, format := 0.0, "json"
	for part := range strings.SplitSeq(accept, ",") {
		media, params, _ := mime.ParseMediaType(part)
		weight, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		for name, known := range mediaOfReports {
			if media == known && err == nil && weight > best {
				best, format = weight, name
			}
		}
	}
	return format
}

func (r *request) writeReport(result report.Result, format string) (reply, error) {
	var body bytes.Buffer
	if err := result.Write(&body, format); err != nil {
		return reply{}, err
	}
	media := mediaOfReports[format]
	if format != "json" {
		media += "; charset=utf-8"
	}
	r.gin.Header("Content-Type", media)
	r.gin.Header("Content-Length", strconv.Itoa(body.Len()))
	r.gin.Header("Stock-As-Of", result.AsOf.Format(time.RFC3339Nano))
	r.gin.Status(http.StatusOK)
	_, _ = r.gin.Writer.Write(body.Bytes()) // a client that went away misses nothing else
	return reply{streamed: true}, nil
}
