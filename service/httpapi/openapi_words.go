package httpapi

import (
	"fmt"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// word is what the document says of a name, wherever it is a field or a parameter: what it means,
// what it may be, an example. The type of a field comes from its Go type and must agree.
type word struct{ schema huma.Schema }

// words are found by "Schema.field" or "operation.parameter", and else by the name alone.
type words map[string]word

func text(about string) word {
	return word{huma.Schema{Type: huma.TypeString, Description: about}}
}

func number(about string) word {
	return word{huma.Schema{Type: huma.TypeInteger, Format: "int64", Description: about}}
}

func degrees(about string, most float64) word {
	least := -most
	return word{huma.Schema{Type: huma.TypeNumber, Format: "double", Description: about, Minimum: &least, Maximum: &most}}
}

func flag(about string) word {
	return word{huma.Schema{Type: huma.TypeBoolean, Description: about}}
}

func moment(about string) word {
	return word{huma.Schema{Type: huma.TypeString, Format: "date-time", Description: about, Examples: []any{"2026-11-27T08:00:00Z"}}}
}

// choice is text that must be one of some values.
func choice[T ~string](about string, values ...T) word {
	w := text(about)
	for _, v := range values {
		w.schema.Enum = append(w.schema.Enum, string(v))
	}
	return w
}

// list is an array of what its word says.
func list(about string, item word) word {
	items := item.schema
	items.Description = ""
	return word{huma.Schema{Type: huma.TypeArray, Description: about, Items: &items}}
}

// object is a field whose own fields have words of their own.
func object(about string) word { return word{huma.Schema{Description: about}} }

// chars bounds the length of a text.
func (w word) chars(least, most int) word {
	w.schema.MinLength, w.schema.MaxLength = &least, &most
	return w
}

func (w word) like(pattern string) word { w.schema.Pattern = pattern; return w }

func (w word) from(least float64) word { w.schema.Minimum = &least; return w }

func (w word) to(most float64) word { w.schema.Maximum = &most; return w }

// items bounds the length of a list.
func (w word) items(least, most int) word {
	w.schema.MinItems, w.schema.MaxItems = &least, &most
	return w
}

func (w word) eg(example any) word { w.schema.Examples = []any{example}; return w }

func (w word) usually(v any) word { w.schema.Default = v; return w }

// glossary is all areas' words together.
func glossary() (words, error) {
	all := words{}
	for _, a := range areas {
		for name := range a.words {
			if _, twice := all[name]; twice {
				return nil, fmt.Errorf("the document explains %q twice", name)
			}
		}
		maps.Copy(all, a.words)
	}
	return all, nil
}

// of finds the word for a field of a schema or a parameter of an operation, and the name it stands under.
func (ws words) of(owner, name string) (word, string, error) {
	for _, key := range []string{owner + "." + name, name} {
		if w, found := ws[key]; found {
			return w, key, nil
		}
	}
	return word{}, "", fmt.Errorf("the document doesn't explain %q of %s", name, owner)
}

// explain puts a word on a field.
func (w word) explain(field *huma.Schema) error {
	field.Description = w.schema.Description
	if field.Ref != "" || field.Type == "" || w.schema.Type == "" {
		return nil
	}
	if field.Type != w.schema.Type {
		return fmt.Errorf("is explained as %s, and is %s", w.schema.Type, field.Type)
	}
	field.MinItems, field.MaxItems, field.Default = w.schema.MinItems, w.schema.MaxItems, w.schema.Default
	field.MinLength, field.MaxLength, field.Pattern = w.schema.MinLength, w.schema.MaxLength, w.schema.Pattern
	field.Minimum, field.Maximum = w.schema.Minimum, w.schema.Maximum
	field.Examples = w.schema.Examples
	if w.schema.Enum != nil {
		field.Enum = slices.Clone(w.schema.Enum)
	}
	if field.Type == huma.TypeArray && field.Items != nil {
		item := word{*w.schema.Items}
		return item.explain(field.Items)
	}
	return nil
}
