package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

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
	q.wrong = append(q.wrong, inventory.FieldError{Field: field, Message: message})
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

// page reads page_size and page_token.
func (q *query) page() service.Page {
	p := service.Page{Size: service.DefaultPageSize, Token: q.text("page_token")}
	if n := q.number("page_size"); n != nil {
		if *n < 1 || *n > service.MaxPageSize {
			q.add("page_size", fmt.Sprintf("must be from 1 to %d", service.MaxPageSize))
			return p
		}
		p.Size = int(*n)
	}
	return p
}

// freshness reads how fresh an answer must be and gives the version it must have reached. Every
// answer comes from the current rows, which is as fresh as any of the three ways asks for.
func (q *query) freshness() (minVersion int64) {
	if v := q.text("consistency"); v != "" && !slices.Contains([]string{"strong", "bounded", "cached"}, v) {
		q.add("consistency", "must be one of [strong bounded cached]")
	}
	if v := q.text("max_staleness"); v != "" {
		if d, err := time.ParseDuration(v); err != nil || d < 0 {
			q.add("max_staleness", `must be a duration such as "5s"`)
		}
	}
	if n := q.number("min_version"); n != nil {
		if *n < 0 {
			q.add("min_version", "must be at least 0")
		}
		return *n
	}
	return 0
}

// err names everything that is wrong, unknown parameters among it. Call it after the last read.
func (q *query) err() error {
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			q.add(strings.ToValidUTF8(name, "\ufffd"), "is no parameter of this request")
		}
	}
	if len(q.wrong) == 0 {
		return nil
	}
	slices.SortStableFunc(q.wrong, func(a, b inventory.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return badFields(q.wrong...)
}
