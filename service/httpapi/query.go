package httpapi

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"stockyard/service"
	"stockyard/service/inventory"
)

// query reads the parameters of a URL strictly: an unknown one is refused, because a misspelt
// `dry_run` would otherwise run.
type query struct {
	values url.Values
	known  []string
	wrong  []inventory.FieldError
}

func (r *request) query() *query {
	values, err := url.ParseQuery(r.gin.Request.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.add("query", "is not well-formed: "+err.Error())
	}
	return q
}

func (q *query) add(field, message string) {
	q.wrong = append(q.wrong, inventory.FieldError{Field: strings.ToValidUTF8(field, "\ufffd"), Message: message})
}

// text gives a parameter that may be there once.
func (q *query) text(name string) string {
	q.known = append(q.known, name)
	all := q.values[name]
	switch {
	case len(all) > 1:
		q.add(name, "is there more than once")
		return ""
	case len(all) == 0:
		return ""
	}
	if wrong := inventory.CheckText(all[0], 1000); wrong != "" {
		q.add(name, wrong)
		return ""
	}
	return all[0]
}

// name gives a parameter that must be a well-formed name where it is there.
func (q *query) name(name string, check func(string) string) string {
	before := len(q.wrong)
	v := q.text(name)
	if _, there := q.values[name]; !there || len(q.wrong) > before {
		return v
	}
	if wrong := check(v); wrong != "" {
		q.add(name, wrong)
	}
	return v
}

// given gives a parameter that says something where it is there.
func (q *query) given(name string) string {
	v := q.text(name)
	if _, there := q.values[name]; there && v == "" && len(q.values[name]) == 1 {
		q.add(name, "must not be empty; leave it out")
	}
	return v
}

// many gives a parameter that may be there several times.
func (q *query) many(name string) []string {
	q.known = append(q.known, name)
	return q.values[name]
}

func (q *query) flag(name string) bool {
	v := q.text(name)
	if _, there := q.values[name]; there && v != "true" && v != "false" {
		q.add(name, "must be true or false")
	}
	return v == "true"
}

func (q *query) number(name string) *int64 {
	v := q.text(name)
	if _, there := q.values[name]; !there {
		return nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		q.add(name, "must be a whole number from -9223372036854775808 to 9223372036854775807")
		return nil
	}
	return &n
}

// moment gives a time, the zero one where there is none.
func (q *query) moment(name string) time.Time {
	v := q.text(name)
	if _, there := q.values[name]; !there {
		return time.Time{}
	}
	// Read as in a body: time.Parse takes hours of one digit and decimal commas.
	var at time.Time
	quoted, err := jsontext.AppendQuote(nil, v)
	if err == nil {
		err = json.Unmarshal(quoted, &at)
	}
	if err != nil {
		q.add(name, `must be a time of RFC 3339, such as "2026-11-27T08:00:00Z"`)
	}
	return at.UTC()
}

// page reads page_size and page_token.
func (q *query) page() service.Page {
	page, wrong := service.NewPage(q.number("page_size"), q.text("page_token"))
	q.wrong = append(q.wrong, wrong...)
	return page
}

// freshness reads how fresh an answer must be. Only one level by itself has a least version.
func (q *query) freshness(minVersion *int64) service.Freshness {
	f := service.Freshness{Consistency: q.given("consistency"), MaxStaleness: q.given("max_staleness"), MinVersion: minVersion}
	q.wrong = append(q.wrong, f.Check()...)
	return f
}

// err names everything that is wrong, unknown parameters among it. Call it after the last read.
func (q *query) err() error {
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			q.add(name, "is no parameter of this request; it takes "+cmp.Or(strings.Join(q.known, ", "), "none"))
		}
	}
	if len(q.wrong) == 0 {
		return nil
	}
	slices.SortStableFunc(q.wrong, func(a, b inventory.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return badFields(q.wrong...)
}
