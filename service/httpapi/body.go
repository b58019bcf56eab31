package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"stockyard/service/inventory"
)

// decode reads a JSON body strictly: unknown fields, doubled ones, wrong types, trailing text and
// bad UTF-8 are refused. Everything that is wrong is named at once; finding it all is done only for
// bodies that failed, so that good ones pay nothing for it.
func decode[T any](r *request) (v T, err error) {
	raw, err := r.read()
	if err != nil {
		return v, err
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return v, badField("body", "is empty; a JSON object is expected")
	}
	return decodeRaw[T](raw)
}

// decodeOptional is decode for bodies that may be left out.
func decodeOptional[T any](r *request) (v T, err error) {
	raw, err := r.read()
	if err != nil || len(strings.TrimSpace(string(raw))) == 0 {
		return v, err
	}
	return decodeRaw[T](raw)
}

func (r *request) read() ([]byte, error) {
	if v := r.gin.GetHeader("Content-Encoding"); v != "" && !strings.EqualFold(v, "identity") {
		return nil, badField("Content-Encoding", "must be left out: bodies are not compressed")
	}
	raw, err := io.ReadAll(r.gin.Request.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, badField("body", "was cut off")
	}
	return raw, err
}

func decodeRaw[T any](raw []byte) (v T, err error) {
	if err := json.Unmarshal(raw, &v, json.RejectUnknownMembers(true), exactNumbers); err == nil {
		switch {
		case jsontext.Value(raw).Kind() != '{':
			return v, badField("body", "must be a JSON object")
		case nesting(raw) > maxNesting:
			return v, badField("body", fmt.Sprintf("is nested deeper than %d levels", maxNesting))
		}
		return v, refuseEmpty(raw, reflect.TypeFor[T]())
	}
	// Reading stops at the first thing that is wrong, which may stand before one that makes the
	// whole no JSON at all.
	if syntax := syntaxOf(raw); syntax != nil {
		return v, badField("body", "is not valid JSON: "+explainSyntax(syntax))
	}
	var d diagnosis
	d.value("", raw, reflect.TypeFor[T]())
	if len(d.wrong) == 0 {
		return v, badField("body", "is not what this request takes")
	}
	return v, badFields(d.wrong...)
}

// maxNesting bounds how deep a body may go: what callers write freely, such as attributes, is merged,
// stored and searched level by level.
const maxNesting = 64

// nesting says how deep valid JSON goes.
func nesting(raw []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest
}

// exactNumbers refuses whole numbers in callers' own JSON that would come back as other ones: it is
// kept as floats, which are exact up to 2^53.
var exactNumbers = json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err == nil && !strings.ContainsAny(string(raw), ".eE") {
		// Compared before it is rounded: 2^53+1 would round to 2^53.
		if n, bad := strconv.ParseInt(string(raw), 10, 64); bad != nil || n > 1<<53 || n < -1<<53 {
			err = strconv.ErrRange
		}
	}
	*v = f
	return err
}))

// syntaxOf says where a body stops being JSON, nil if nowhere.
func syntaxOf(raw []byte) (syntax *jsontext.SyntacticError) {
	var whole jsontext.Value
	errors.As(json.Unmarshal(raw, &whole), &syntax)
	return syntax
}

func explainSyntax(err *jsontext.SyntacticError) string {
	return err.Err.Error() + " after byte " + strconv.FormatInt(err.ByteOffset, 10)
}

// diagnosis walks a body beside the type it should have and names what doesn't fit.
type diagnosis struct{ wrong []inventory.FieldError }

func (d *diagnosis) add(path, message string) {
	if path == "" {
		path = "body"
	}
	d.wrong = append(d.wrong, inventory.FieldError{Field: path, Message: message})
}

var timeType = reflect.TypeFor[time.Time]()

func (d *diagnosis) value(path string, raw jsontext.Value, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if raw.Kind() == 'n' {
		return
	}
	switch {
	case t == timeType:
		if json.Unmarshal(raw, new(time.Time)) != nil {
			d.add(path, `must be a time of RFC 3339, such as "2026-11-27T08:00:00Z"`)
		}
	case t.Kind() == reflect.Struct:
		d.object(path, raw, t)
	case t.Kind() == reflect.Slice:
		d.array(path, raw, t)
	default:
		if json.Unmarshal(raw, reflect.New(t).Interface(), exactNumbers) != nil {
			d.add(path, "must be "+describeKind(t.Kind()))
		}
	}
}

func (d *diagnosis) array(path string, raw jsontext.Value, t reflect.Type) {
	var items []jsontext.Value
	if json.Unmarshal(raw, &items) != nil {
		d.add(path, "must be an array")
		return
	}
	for i, item := range items {
		d.value(index(path, i), item, t.Elem())
	}
}

func (d *diagnosis) object(path string, raw jsontext.Value, t reflect.Type) {
	var members map[string]jsontext.Value
	if json.Unmarshal(raw, &members) != nil {
		d.add(path, "must be an object")
		return
	}
	known := map[string]reflect.StructField{}
	fieldsOf(t, known)
	for name, member := range orderedMembers(members) {
		at := cmp.Or(name, `""`)
		if path != "" {
			at = path + "." + name
		}
		if field, ok := known[name]; ok {
			d.value(at, member, field.Type)
		} else {
			d.add(at, "is no field of this request")
		}
	}
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func fieldsOf(t reflect.Type, into map[string]reflect.StructField) {
	for f := range t.Fields() {
		if f.Anonymous {
			fieldsOf(f.Type, into)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		into[name] = f
	}
}

func describeKind(k reflect.Kind) string {
	switch k {
	case reflect.Int64, reflect.Int:
		return "a whole number from -9223372036854775808 to 9223372036854775807"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Map:
		return "an object, with whole numbers up to 9007199254740992 (write larger ones as text)"
	default:
		return "something else"
	}
}

// orderedMembers goes through an object's members by name, so that what is said of a body is the
// same each time.
func orderedMembers(members map[string]jsontext.Value) iter.Seq2[string, jsontext.Value] {
	return func(yield func(string, jsontext.Value) bool) {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if !yield(name, members[name]) {
				return
			}
		}
	}
}
