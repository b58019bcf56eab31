package httpapi

import (
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const refs = "#/components/schemas/"

// schemas makes schemas of Go types. Requests and answers have schemas of their own: a request's
// refuses fields that it doesn't know and takes null for nothing, an answer's says what is always
// there and leaves room for fields that come later.
type schemas struct {
	requests, answers huma.Registry
	patches           []string // schemas that a patch is made of
}

func newSchemas() *schemas {
	return &schemas{requests: huma.NewMapRegistry(refs, requestName), answers: huma.NewMapRegistry(refs, answerName)}
}

// Names that are better than those the Go types have.
var betterNames = map[string]string{
	"LevelAnswer": "StockLevel", "EventAnswer": "StockEvent", "AlertAnswer": "StockAlert", "LineAnswer": "ReservationLine",
	"RegionsAnswer": "RegionList", "AvailabilityAnswer": "AvailabilityList", "BatchAnswer": "BatchResult", "CheckResult": "VerificationCheck",
	"MovementsBody": "MovementBatchInput", "ReservationsBody": "ReservationBatchInput", "UnitsBody": "UnitsInput",
	"ReportsAnswer": "ReportList", "Param": "ReportParam", "Column": "ReportColumn", "Chart": "ReportChart",
}

func answerName(t reflect.Type, hint string) string {
	name, isList := strings.CutPrefix(huma.DefaultSchemaNamer(t, hint), "Listed")
	if better, found := betterNames[name]; found {
		name = better
	}
	name = strings.TrimSuffix(name, "Answer")
	if isList {
		name += "List"
	}
	return name
}

func requestName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if better, found := betterNames[name]; found {
		return better
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, "Body"), "Input") + "Input"
}

func (s *schemas) answer(t reflect.Type) *huma.Schema { return s.answers.Schema(t, true, "") }

func (s *schemas) request(t reflect.Type, patch bool) *huma.Schema {
	ref := s.requests.Schema(t, true, "")
	if !patch {
		return ref
	}
	name := patchOf(ref.Ref)
	s.patches = append(s.patches, strings.TrimPrefix(ref.Ref, refs))
	return &huma.Schema{Ref: name}
}

func patchOf(name string) string { return strings.TrimSuffix(name, "Input") + "Patch" }

// finish gives all schemas, with what the glossary says of their fields.
func (s *schemas) finish(ws words) (huma.Registry, error) {
	s.anyProblem()
	for name, schema := range s.answers.Map() {
		if err := explainFields(ws, name, schema); err != nil {
			return nil, err
		}
		openAnswer(schema)
	}
	for name, schema := range s.requests.Map() {
		if err := explainFields(ws, name, schema); err != nil {
			return nil, err
		}
		closeRequest(schema)
	}
	all := s.answers.Map()
	for _, whole := range s.patches {
		s.addPatch(whole)
	}
	for name, schema := range s.requests.Map() {
		if all[name] != nil {
			return nil, fmt.Errorf("schema %s is there twice", name)
		}
		all[name] = schema
	}
	return s.answers, nil
}

// addPatch makes a schema of which no field is required, nor any of what is merged within.
func (s *schemas) addPatch(whole string) {
	patch := *s.requests.Map()[whole]
	patch.Required, patch.Properties = nil, maps.Clone(patch.Properties)
	for name, field := range patch.Properties {
		if field.AnyOf == nil {
			continue
		}
		within, nullable := *field, *field.AnyOf[0]
		s.addPatch(strings.TrimPrefix(nullable.Ref, refs))
		nullable.Ref = patchOf(nullable.Ref)
		within.AnyOf = []*huma.Schema{&nullable, field.AnyOf[1]}
		patch.Properties[name] = &within
	}
	s.answers.Map()[patchOf(whole)] = &patch
}

func explainFields(ws words, owner string, schema *huma.Schema) error {
	base := strings.TrimSuffix(strings.TrimSuffix(owner, "Input"), "Row") // a row of a file is what a PUT takes
	if strings.HasSuffix(owner, "Problem") {
		base = "Problem"
	}
	for name, field := range schema.Properties {
		w, found := ws[owner+"."+name]
		if !found {
			var err error
			if w, _, err = ws.of(base, name); err != nil {
				return err
			}
		}
		if err := w.explain(field); err != nil {
			return fmt.Errorf("%s.%s %w", owner, name, err)
		}
	}
	return nil
}

// openAnswer: lists are never null, and there may be more fields one day.
func openAnswer(schema *huma.Schema) {
	if schema.Properties != nil {
		schema.AdditionalProperties = nil
	}
	for _, field := range schema.Properties {
		if field.Type == huma.TypeArray {
			field.Nullable = false
		}
	}
}

// closeRequest: an optional field may be null, which is the same as leaving it out.
func closeRequest(schema *huma.Schema) {
	required := map[string]bool{}
	for _, name := range schema.Required {
		required[name] = true
	}
	for name, field := range schema.Properties {
		field.Nullable = false
		switch {
		case required[name]:
		case field.Ref != "":
			schema.Properties[name] = &huma.Schema{
				Description: field.Description,
				AnyOf:       []*huma.Schema{{Ref: field.Ref}, {Type: "null"}},
			}
		case field.Type != "":
			field.Nullable = true
			if field.Enum != nil {
				field.Enum = append(field.Enum[:len(field.Enum):len(field.Enum)], nil)
			}
		}
	}
}
