package httpapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"stockyard/service"
	"stockyard/service/auth"
)

var importArea = area{
	name:  "import",
	about: "Files of products.",
	operations: []described{
		{
			operation: auth.ImportProducts, summary: "Import products from a file", about: importAbout,
			query: "dry_run results", problems: "unsupported-media-type",
			body: files{
				{ndjson, productRow{}, "{\"sku\": \"mug-blue\", \"name\": \"Mug, blue\", \"unit_cost\": {\"amount\": \"2.50\", \"currency\": \"EUR\"}}\n{\"sku\": \"mug-red\", \"name\": \"Mug, red\"}\n"},
				{"text/csv", nil, "sku,name,unit_cost,currency,attributes.colour\nmug-blue,\"Mug, blue\",2.50,EUR,blue\nmug-red,\"Mug, red\",,,red\n"},
			},
			answers: []answered{{200, lines{importLine{}, importEnd{}}, "The file is being read. One line a row, in their order; the last line is the summary.", ""}},
		},
	},
	words: words{
		"import_products.dry_run": flag("Compares each row with the catalogue as it is, and writes nothing.").usually(false),
		"results":                 choice("Which rows have a line: `all`, or only `errors`, those refused.", "all", "errors").usually("all"),

		"ImportLine.row":     number("The row, not counting a header and blank lines.").from(1).eg(2),
		"ImportLine.line":    number("The line of the file that it begins at.").from(1).eg(3),
		"ImportLine.status":  choice("What became of it. An archived product that came back is created; one that is there as it is given is unchanged, at its version.", service.ImportCreated, service.ImportUpdated, service.ImportUnchanged, service.ImportRefused),
		"ImportLine.problem": object("Why it was refused."),

		"ImportEnd.summary":       object("What became of the rows that were reported."),
		"ImportEnd.problem":       object("Why the file was not read to its end."),
		"ImportSummary.rows":      number("How many.").from(0),
		"ImportSummary.created":   number("New, or came back.").from(0),
		"ImportSummary.updated":   number("Replaced.").from(0),
		"ImportSummary.unchanged": number("There already.").from(0),
		"ImportSummary.refused":   number("Without effect.").from(0),
		"ImportSummary.complete":  flag("These are all rows of the file. Where not, send it again: what is there stays unchanged."),
		"ImportSummary.dry_run":   flag("Nothing was written."),
	},
}

const importAbout = `A file of any size, read while it comes. Each row does what ` + "`PUT /v1/products/{sku}`" + ` does, except that a
product that is there as it is given stays at its version. Rows of one SKU take effect in order. A refused row stops no other. A row
has at most 1 MiB.

- ` + "`application/x-ndjson`" + `: a JSON object a line.
- ` + "`text/csv`" + `: RFC 4180 in UTF-8. The header names the columns: ` + "`sku`, `name`, `description`, `unit`, `barcode`, `category`, `unit_cost`, `currency`, `attributes.NAME`" + `. An empty cell is a field left out.

The answer comes while the file is sent. What it reports is stored. When the database goes away for long, the file is cut off, or the
pod stops, the last line has ` + "`complete: false`" + ` and a problem; an answer without a summary was cut off too. Send the file again.`

// files is a body that is a file, in one of some formats: the media type, the type of the rows where
// they are JSON, and a file.
type files []struct {
	media   string
	row     any
	example string
}

// lines is an answer of many lines, each a value of one of some types.
type lines []any

// What OpenAPI 3.1 has no words for, that a body is many values, is said by the media type: schemas
// are those of a row.
func (b *builder) files(formats files) *huma.RequestBody {
	content := map[string]*huma.MediaType{}
	for _, f := range formats {
		media := &huma.MediaType{
			Schema:   &huma.Schema{Type: huma.TypeString},
			Examples: map[string]*huma.Example{"file": {Summary: "Two products", Value: f.example}},
		}
		if f.row != nil {
			media.Schema = b.schemas.request(reflect.TypeOf(f.row), false)
		}
		content[f.media] = media
	}
	return &huma.RequestBody{Required: true, Content: content}
}

func (b *builder) lines(types lines) map[string]*huma.MediaType {
	one := &huma.Schema{}
	for _, t := range types {
		one.OneOf = append(one.OneOf, b.schemas.answer(reflect.TypeOf(t)))
	}
	return map[string]*huma.MediaType{ndjson: {Schema: one}}
}
