package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"stockyard/service"
)

// EventSchemaVersion counts the forms of events. Within one, fields and kinds are only ever added.
const EventSchemaVersion = 1

// eventSchema is what `stockyard schema events` prints.
type eventSchema struct {
	Schema      string                     `json:"$schema"`
	ID          string                     `json:"$id"`
	Title       string                     `json:"title"`
	Description string                     `json:"description"`
	OneOf       []*huma.Schema             `json:"oneOf"`
	Defs        map[string]json.RawMessage `json:"$defs"`
}

// EventSchema is the JSON schema of what the change feed gives: the data of server-sent events, the
// items of a page, the data of webhooks. It says the same as the OpenAPI document.
func EventSchema() ([]byte, error) {
	ws, err := glossary()
	if err != nil {
		return nil, err
	}
	s := newSchemas()
	doc := eventSchema{
		Schema: "https://json-schema.org/draft/2020-12/schema",
		ID:     fmt.Sprintf("urn:stockyard:schema:events:%d", EventSchemaVersion),
		Title:  "Stockyard event",
		Description: fmt.Sprintf("An entry of Stockyard's change feed, version %d: a change of one stock level, or an alert. "+
			"Fields and kinds may be added; what is there stays as it is.", EventSchemaVersion),
		OneOf: []*huma.Schema{s.answer(reflect.TypeFor[service.EventAnswer]()), s.answer(reflect.TypeFor[service.AlertAnswer]())},
		Defs:  map[string]json.RawMessage{},
	}
	all, err := s.finish(ws)
	if err != nil {
		return nil, err
	}
	for _, ref := range doc.OneOf {
		if err := doc.define(all, ref.Ref); err != nil {
			return nil, err
		}
	}
	raw, err := json.MarshalIndent(doc, "", "  ")
	return append(bytes.ReplaceAll(raw, []byte(refs), []byte("#/$defs/")), '\n'), err
}

var reference = regexp.MustCompile(regexp.QuoteMeta(refs) + `[A-Za-z]+`)

// define adds a schema and those that it refers to.
func (doc *eventSchema) define(all huma.Registry, ref string) error {
	name := ref[len(refs):]
	if doc.Defs[name] != nil {
		return nil
	}
	raw, err := json.Marshal(all.Map()[name])
	if err != nil {
		return err
	}
	doc.Defs[name] = raw
	for _, further := range reference.FindAllString(string(raw), -1) {
		if err := doc.define(all, further); err != nil {
			return err
		}
	}
	return nil
}
