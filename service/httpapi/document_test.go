package httpapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"

	"stockyard/service/httpapi"
)

// node is a part of the document.
type node map[string]any

// published is the document as clients get it.
var published = sync.OnceValue(func() (doc node) {
	w := httptest.NewRecorder()
	httpapi.New(nil, httpapi.Options{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		panic(err)
	}
	return doc
})

// at gives the part under names, with references followed.
func (n node) at(names ...string) node {
	for _, name := range names {
		part, _ := n[name].(map[string]any)
		n = node(part).followed()
	}
	return n
}

func (n node) followed() node {
	for {
		ref, is := n["$ref"].(string)
		if !is {
			return n
		}
		part := map[string]any(published())
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			part, _ = part[name].(map[string]any)
		}
		n = part
	}
}

func (n node) list(name string) []any {
	list, _ := n[name].([]any)
	return list
}

func (n node) text(name string) string {
	s, _ := n[name].(string)
	return s
}

// operation is one of the document's.
type operation struct {
	node
	id, method, path string
}

// operations are all of the document, in the order of paths and methods.
var operations = sync.OnceValue(func() (all []operation) {
	paths := published().at("paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths.at(path)
		for _, method := range slices.Sorted(maps.Keys(item)) {
			op := item.at(method)
			all = append(all, operation{op, op.text("operationId"), strings.ToUpper(method), path})
		}
	}
	return all
})

// parameters are an operation's that stand in one place.
func (op operation) parameters(in string) (all []node) {
	for _, p := range op.list("parameters") {
		n := node(p.(map[string]any)).followed()
		if n.text("in") == in {
			all = append(all, n)
		}
	}
	return all
}

// operationOf finds the operation that a request is for.
func operationOf(method string, u *url.URL) (op operation, found bool) {
	parts := strings.Split(u.EscapedPath(), "/")
	for _, op := range operations() {
		if op.method == method && op.matches(parts) && (!found || !strings.HasSuffix(op.path, "}")) {
			return op, true
		}
	}
	return operation{}, false
}

func (op operation) matches(parts []string) bool {
	template := strings.Split(op.path, "/")
	if len(template) != len(parts) {
		return false
	}
	for i, part := range template {
		if part != parts[i] && (!strings.HasPrefix(part, "{") || parts[i] == "") {
			return false
		}
	}
	return true
}

// sealed is the document with answers that have no room for fields it doesn't know.
func sealed() ([]byte, error) {
	raw, err := json.Marshal(published())
	if err != nil {
		return nil, err
	}
	var doc node
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	for _, schema := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		if s := schema.(map[string]any); s["properties"] != nil && s["additionalProperties"] == nil {
			s["additionalProperties"] = false
		}
	}
	return json.Marshal(doc)
}
