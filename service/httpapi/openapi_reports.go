package httpapi

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"stockyard/service/auth"
	"stockyard/service/report"
)

var reportsArea = area{
	name:  "reports",
	about: "Questions of analysts and their answers, as tables and charts.",
	operations: []described{
		{
			operation: auth.ListReports, summary: "List the reports", about: "What each asks, takes and gives.",
			answers: []answered{{200, reportsAnswer{}, "The reports, by name.", ""}},
		},
		{
			operation: auth.RunReport, summary: "Run a report", about: runReportAbout,
			query:   "format max_staleness " + strings.Join(slices.Sorted(maps.Keys(reportParams())), " "),
			answers: []answered{{200, reportAnswered{}, "What it found, in one of four formats.", "Stock-As-Of!"}}, problems: "not-found over-limit",
		},
	},
	words: reportWords(),
}

const runReportAbout = `Each report has its own parameters, which ` + "`GET /v1/reports`" + ` names; those of others are refused.
It is read at one moment, on CockroachDB from the nearest replica, without locks. What it is: ` + "`format`" + `, or else the Accept header.
A report that finds too many rows, numbers too large to add up, or that is not done after a minute is refused, and what narrows it is named.`

// reportParams says which reports take a parameter, and as what. An ill-formed file has none; tests
// tell of it.
var reportParams = sync.OnceValue(func() map[string][]takenBy {
	params := map[string][]takenBy{}
	reports, _ := report.All()
	for _, r := range reports {
		for _, p := range r.Params {
			params[p.Name] = append(params[p.Name], takenBy{r.Name, p})
		}
	}
	return params
})

// takenBy is a parameter with the name of a report that takes it.
type takenBy struct {
	report string
	report.Param
}

// wordOfParam describes a parameter over all reports that have it; what it means to several of them
// is said once.
func wordOfParam(params []takenBy) word {
	kind := params[0].Type
	var meanings []string
	reports := map[string][]string{}
	for _, p := range params {
		if reports[p.About] == nil {
			meanings = append(meanings, p.About)
		}
		reports[p.About] = append(reports[p.About], "`"+p.report+"`")
		if p.Type != kind {
			kind = report.Text
		}
	}
	for i, meaning := range meanings {
		meanings[i] = fmt.Sprintf("%s: %s", strings.Join(reports[meaning], ", "), meaning)
	}
	about := strings.Join(meanings, " ")
	switch kind {
	case report.Integer:
		return number(about)
	case report.Date:
		return word{huma.Schema{Type: huma.TypeString, Format: "date", Description: about, Examples: []any{"2026-11-27"}}}
	case report.Time:
		return moment(about)
	default:
		return text(about)
	}
}

func reportWords() words {
	ws := words{
		"report":                   text("The report's name.").like("^[a-z][a-z0-9_]*$").eg("stock_on_hand"),
		"run_report.format":        choice("How to write the answer; JSON unless the Accept header asks for another.", report.Formats...),
		"run_report.max_staleness": text("How old the answer may be. On CockroachDB, from 4.8s on, the nearest replica answers.").usually("10s").eg("10s"),

		"ReportList.items":     list("The reports, by name.", object("")),
		"Report.name":          text("Names it.").eg("stock_on_hand"),
		"Report.title":         text("For people."),
		"Report.question":      text("What it answers."),
		"parameters":           list("What it takes.", object("")),
		"columns":              list("What it gives of each row.", object("")),
		"chart":                object("How its rows are drawn."),
		"ReportParam.name":     text("Its name."),
		"ReportParam.type":     choice("What it takes.", report.Text, report.Integer, report.Date, report.Time),
		"ReportParam.required": flag("Whether the report needs it."),
		"ReportParam.default":  text("What it is unless given; dates and times may be relative to now."),
		"ReportParam.bounds":   text("The least and the most of an integer.").eg("1..100000"),
		"ReportParam.about":    text("What it does."),
		"ReportColumn.name":    text("Its name."),
		"ReportColumn.type":    choice("What its values are. Any may be null.", report.Text, report.Integer, report.Decimal, report.Date, report.Time, report.Boolean),
		"ReportColumn.unit":    text("What its numbers count."),
		"ReportColumn.about":   text("What it says."),
		"ReportChart.kind":     choice("How.", "bars", "lines"),
		"ReportChart.label":    text("The column that names a row."),
		"ReportChart.values":   list("The columns that are drawn.", text("")),

		"ReportResult.report":     text("The report's name."),
		"ReportResult.title":      text("The report's title."),
		"ReportResult.parameters": object("What it took, defaults among it."),
		"ReportResult.more":       flag("Whether there are more rows than `limit` let through."),
		"ReportResult.rows":       list("What it found, in order: the value of each column by its name. Numbers are exact, however large.", object("")),
	}
	for name, params := range reportParams() {
		ws["run_report."+name] = wordOfParam(params)
	}
	return ws
}

// reportAnswered stands for the formats of a report.
type reportAnswered struct{}

// reported describes each format.
func (b *builder) reported() map[string]*huma.MediaType {
	content := map[string]*huma.MediaType{}
	for format, media := range mediaOfReports {
		content[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		if format == "json" {
			content[media].Schema = b.schemas.answer(reflect.TypeFor[reportResult]())
		}
	}
	return content
}
