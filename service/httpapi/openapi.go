package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"stockyard/service/auth"
)

// area is a part of the API: what the document says of its operations, and of the names in them.
type area struct {
	name, about string
	operations  []described
	words       words
}

// areas is the list of parts: one file and one line each.
var areas = []area{catalogueArea, importArea, stockArea, watchArea, webhooksArea, thresholdsArea, movementsArea, reservationsArea, transfersArea, reportsArea, auditArea, keysArea, opsArea}

// described is what the document says of a route; method, path and size of the body are the route
// table's, roles are auth's.
type described struct {
	operation      auth.Operation
	summary, about string
	// query and headers name parameters, with a "!" where they are required.
	query, headers string
	// body is a value of the type that is decoded; mayBeEmpty says that it may be left out.
	body       any
	mayBeEmpty bool
	// patch says that the body is merged into what is there: no field is required.
	patch    bool
	examples []example
	answers  []answered
	// problems names those that are this operation's own.
	problems string
}

// example is a request's body that works on the demo of `stockyard dev`, after those before it.
type example struct{ name, about, body string }

// answered is a way to succeed. headers are those beyond what every answer carries.
type answered struct {
	status  int
	body    any
	about   string
	headers string
}

// Sets of names that operations share.
const (
	paged  = " page_size page_token"
	fresh  = " consistency max_staleness"
	keyed  = "Idempotency-Key!"
	dryRun = "dry_run"

	everyonesHeaders = " Request-Timeout X-Request-Id traceparent"
	commandProblems  = "not-found insufficient-stock conflict version-mismatch over-limit idempotency-key-reused"
)

// described finds what is said of each route; each is described once, and nothing else is.
func describeRoutes(routes []route) (map[auth.Operation]described, map[auth.Operation]string, error) {
	about, tags := map[auth.Operation]described{}, map[auth.Operation]string{}
	for _, a := range areas {
		for _, d := range a.operations {
			if _, twice := about[d.operation]; twice {
				return nil, nil, fmt.Errorf("operation %s is described twice", d.operation)
			}
			about[d.operation], tags[d.operation] = d, a.name
		}
	}
	for _, r := range routes {
		if _, found := about[r.operation]; !found {
			return nil, nil, fmt.Errorf("operation %s is not described", r.operation)
		}
	}
	if len(about) != len(routes) {
		return nil, nil, fmt.Errorf("%d operations are described, and there are %d routes", len(about), len(routes))
	}
	return about, tags, nil
}

// document builds the OpenAPI document of a route table.
func document(routes []route) ([]byte, error) {
	about, tags, err := describeRoutes(routes)
	if err != nil {
		return nil, err
	}
	ws, err := glossary()
	if err != nil {
		return nil, err
	}
	b := &builder{words: ws, schemas: newSchemas(), doc: emptyDocument()}
	for _, r := range routes {
		if err := b.add(r, about[r.operation], tags[r.operation]); err != nil {
			return nil, fmt.Errorf("operation %s: %w", r.operation, err)
		}
	}
	b.doc.Components.Schemas, err = b.schemas.finish(ws)
	if err != nil {
		return nil, err
	}
	return json.Marshal(b.doc)
}

func emptyDocument() *huma.OpenAPI {
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Stockyard", Version: "1", Description: introduction,
			License: &huma.License{Name: "Apache License 2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: "/", Description: "the region that served this document"}},
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{
			Parameters: map[string]*huma.Param{}, Headers: map[string]*huma.Header{}, Responses: map[string]*huma.Response{},
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", Description: "An API key or a JWT. `stockyard dev` asks for none."},
			},
		},
		Security: []map[string][]string{{"bearer": {}}},
	}
	for _, a := range areas {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: a.name, Description: a.about})
	}
	return doc
}

// builder puts the document together.
type builder struct {
	words   words
	schemas *schemas
	doc     *huma.OpenAPI
}

func (b *builder) add(r route, d described, tag string) error {
	op := &huma.Operation{
		OperationID: string(r.operation), Tags: []string{tag}, Summary: d.summary, Description: d.about + whoMay(r.operation),
		Responses: map[string]*huma.Response{},
	}
	path, params := pathOf(r)
	for _, name := range strings.Fields(d.query) {
		params = append(params, param{"query", name})
	}
	for _, name := range strings.Fields(d.headers + everyonesHeaders) {
		params = append(params, param{"header", name})
	}
	for _, p := range params {
		ref, err := b.parameter(r.operation, p)
		if err != nil {
			return err
		}
		op.Parameters = append(op.Parameters, ref)
	}
	if d.body != nil {
		op.RequestBody = b.body(d)
	}
	var err error
	for _, a := range d.answers {
		if op.Responses[strconv.Itoa(a.status)], err = b.answer(a); err != nil {
			return err
		}
	}
	own := d.problems
	if r.body > 0 {
		own += " too-large"
	}
	if err := b.addProblems(op, own); err != nil {
		return err
	}
	return b.place(r.method, path, op)
}

// whoMay says which roles an operation takes, from the table that decides it.
func whoMay(operation auth.Operation) string {
	rule, known := auth.RuleOf(operation)
	if !known {
		return ""
	}
	names := make([]string, 0, len(rule.Roles)+1)
	for _, role := range append([]auth.Role{auth.Admin}, rule.Roles...) {
		names = append(names, "`"+string(role)+"`")
	}
	return "\n\nRoles: " + strings.Join(names, ", ") + "."
}

// param names a parameter and where it stands; "!" says that it is required.
type param struct{ in, name string }

// pathOf gives a route's path as the document writes it, and its parameters.
func pathOf(r route) (path string, params []param) {
	parts := strings.Split(r.path, "/")
	for i, part := range parts {
		if name, is := strings.CutPrefix(part, ":"); is {
			parts[i], params = "{"+name+"}", append(params, param{"path", name + "!"})
		}
	}
	return strings.Join(parts, "/"), params
}

// parameter gives a reference to a parameter, which is written out once.
func (b *builder) parameter(operation auth.Operation, p param) (*huma.Param, error) {
	name, required := strings.CutSuffix(p.name, "!")
	w, key, err := b.words.of(string(operation), name)
	if err != nil {
		return nil, err
	}
	id := p.in + "." + key
	if required && p.in == "query" {
		id += ".required"
	}
	if b.doc.Components.Parameters[id] == nil {
		schema := w.schema
		schema.Description = ""
		written := &huma.Param{Name: name, In: p.in, Description: w.schema.Description, Required: required, Schema: &schema}
		if len(schema.Examples) > 0 && required {
			written.Example = schema.Examples[0]
		}
		b.doc.Components.Parameters[id] = written
	}
	return &huma.Param{Ref: "#/components/parameters/" + id}, nil
}

// header gives a reference to a header of answers, which is written out once.
func (b *builder) header(name string) (*huma.Header, error) {
	name, always := strings.CutSuffix(name, "!")
	id := name
	if !always {
		id += ".sometimes"
	}
	if b.doc.Components.Headers[id] == nil {
		w, _, err := b.words.of("answer", name)
		if err != nil {
			return nil, err
		}
		schema := w.schema
		schema.Description = ""
		b.doc.Components.Headers[id] = &huma.Header{Description: w.schema.Description, Schema: &schema, Required: always}
	}
	return &huma.Header{Ref: "#/components/headers/" + id}, nil
}

// headers gives those of an answer: its own, and what every answer carries.
func (b *builder) headers(own string) (map[string]*huma.Header, error) {
	all := map[string]*huma.Header{}
	for _, name := range strings.Fields(own + " Stockyard-Region! X-Request-Id!") {
		h, err := b.header(name)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(name, "!")] = h
	}
	return all, nil
}

func (b *builder) body(d described) *huma.RequestBody {
	if formats, is := d.body.(files); is {
		return b.files(formats)
	}
	media := &huma.MediaType{Schema: b.schemas.request(reflect.TypeOf(d.body), d.patch)}
	for _, e := range d.examples {
		if media.Examples == nil {
			media.Examples = map[string]*huma.Example{}
		}
		media.Examples[e.name] = &huma.Example{Summary: e.about, Value: json.RawMessage(e.body)}
	}
	content := map[string]*huma.MediaType{"application/json": media}
	if d.patch {
		content["application/merge-patch+json"] = media
	}
	return &huma.RequestBody{Required: !d.mayBeEmpty, Content: content}
}

func (b *builder) answer(a answered) (*huma.Response, error) {
	headers, err := b.headers(a.headers)
	if err != nil {
		return nil, err
	}
	r := &huma.Response{Description: a.about, Headers: headers}
	if types, is := a.body.(lines); is {
		r.Content = b.lines(types)
	} else if _, is := a.body.(watchAnswered); is {
		r.Content = b.watched()
	} else if _, is := a.body.(reportAnswered); is {
		r.Content = b.reported()
	} else if a.body != nil {
		r.Content = map[string]*huma.MediaType{"application/json": {Schema: b.schemas.answer(reflect.TypeOf(a.body))}}
	}
	return r, nil
}

func (b *builder) place(method, path string, op *huma.Operation) error {
	if b.doc.Paths[path] == nil {
		b.doc.Paths[path] = &huma.PathItem{}
	}
	item := b.doc.Paths[path]
	for m, at := range map[string]**huma.Operation{
		http.MethodGet: &item.Get, http.MethodPut: &item.Put, http.MethodPost: &item.Post,
		http.MethodPatch: &item.Patch, http.MethodDelete: &item.Delete,
	} {
		if m == method && *at == nil {
			*at = op
			return nil
		}
	}
	return fmt.Errorf("%s %s is there twice, or of a method that no route has", method, path)
}
