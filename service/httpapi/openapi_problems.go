package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"stockyard/service/inventory"
)

// everyonesProblems are those that any operation may give.
const everyonesProblems = " invalid-request unauthenticated forbidden rate-limited internal overloaded unavailable deadline-exceeded"

// problemFields names a problem's own fields, with a "!" where they are always there.
var problemFields = map[string]string{
	"invalid-request":     "errors! items",
	"over-limit":          "errors! items",
	"insufficient-stock":  "shortages! items",
	"reservation-expired": "shortages",
	"conflict":            "errors items",
	"version-mismatch":    "expected! current! items",
	"not-found":           "resource! name! items",
}

// kindsOfProblems are all that the tables of problems have, by name.
func kindsOfProblems() map[string]kindOfProblem {
	kinds := map[string]kindOfProblem{}
	for _, k := range append(slices.Collect(maps.Values(refusals)), tooLarge, internal, unauthenticated, forbidden, rateLimited) {
		kinds[k.name] = k
	}
	for _, f := range failures {
		kinds[f.name] = f.kindOfProblem
	}
	return kinds
}

// addProblems adds an answer for each status that the problems have: its own, and everyone's.
func (b *builder) addProblems(op *huma.Operation, own string) error {
	kinds, byStatus := kindsOfProblems(), map[int][]string{}
	names := strings.Fields(own + everyonesProblems)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		k, known := kinds[name]
		if !known {
			return fmt.Errorf("there is no problem %s", name)
		}
		byStatus[k.status] = append(byStatus[k.status], name)
	}
	for status, names := range byStatus {
		response, err := b.problemResponse(status, names)
		if err != nil {
			return err
		}
		op.Responses[strconv.Itoa(status)] = response
	}
	return nil
}

// problemResponse gives a reference to the answer that is one of some problems of a status.
func (b *builder) problemResponse(status int, names []string) (*huma.Response, error) {
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = camel(name)
	}
	id := strings.Join(ids, "Or")
	if b.doc.Components.Responses[id] == nil {
		headers, err := b.headers(problemHeaders(status, names))
		if err != nil {
			return nil, err
		}
		b.doc.Components.Responses[id] = &huma.Response{
			Description: http.StatusText(status) + ": " + strings.Join(names, ", "), Headers: headers,
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: b.schemas.problem(names)}},
		}
	}
	return &huma.Response{Ref: "#/components/responses/" + id}, nil
}

func problemHeaders(status int, names []string) (headers string) {
	switch status {
	case http.StatusUnauthorized:
		headers = "WWW-Authenticate!"
	case http.StatusPreconditionFailed:
		headers = "ETag"
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		headers = "Retry-After!"
	}
	for _, name := range names {
		if inventory.RefusalKind(name).Recorded() {
			return headers + " Idempotency-Replayed"
		}
	}
	return headers
}

// problem is the schema of one of some problems.
func (s *schemas) problem(names []string) *huma.Schema {
	if len(names) == 1 {
		return &huma.Schema{Ref: refs + s.problemSchema(names[0])}
	}
	one := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: "type", Mapping: map[string]string{}}}
	for _, name := range names {
		ref := refs + s.problemSchema(name)
		one.OneOf = append(one.OneOf, &huma.Schema{Ref: ref})
		one.Discriminator.Mapping["/problems/"+name] = ref
	}
	return one
}

// anyProblem stands for what Go has one type for.
func (s *schemas) anyProblem() {
	names := slices.Sorted(maps.Keys(kindsOfProblems()))
	s.answers.Map()["Problem"] = s.problem(names)
}

// problemSchema makes a problem's schema, the part of Go's one type that its kind has.
func (s *schemas) problemSchema(name string) string {
	id, all := camel(name)+"Problem", s.answers.Map()
	if all[id] != nil {
		return id
	}
	kind := kindsOfProblems()[name]
	schema := &huma.Schema{Type: huma.TypeObject, Title: kind.title, Properties: map[string]*huma.Schema{}}
	all[id] = schema
	whole := huma.SchemaFromType(s.answers, reflect.TypeFor[problem]())
	for _, field := range strings.Fields("type! title! status! detail! instance! " + problemFields[name]) {
		field, always := strings.CutSuffix(field, "!")
		if always {
			schema.Required = append(schema.Required, field)
		}
		schema.Properties[field] = whole.Properties[field]
		whole.Properties[field].Nullable = false
	}
	schema.Properties["type"].Enum = []any{"/problems/" + name}
	schema.Properties["status"].Enum = []any{kind.status}
	return id
}

func camel(name string) (s string) {
	for part := range strings.SplitSeq(name, "-") {
		s += strings.ToUpper(part[:1]) + part[1:]
	}
	return s
}
