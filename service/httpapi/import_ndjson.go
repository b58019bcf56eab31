package httpapi

import (
	"errors"
	"strings"

	"stockyard/service/inventory"
)

// jsonProducts reads the rows of an NDJSON file: a PUT's body each, and the SKU.
type jsonProducts struct{}

type productRow struct {
	SKU string `json:"sku"`
	ProductBody
}

// ProductBody is a PUT's body under a name by which those who walk types find what is embedded.
type ProductBody = productBody

func (jsonProducts) readHeader(*recordReader) error { return nil }

func (jsonProducts) product(rec record) (inventory.Product, error) {
	row, err := decodeRaw[productRow](rec.raw)
	return row.apply(inventory.Product{SKU: row.SKU}), rowOf(err)
}

func (jsonProducts) wrong(r *inventory.Refusal) *inventory.Refusal { return r }

// rowOf says "row" of what is wrong with a whole row, where of a request it is "body".
func rowOf(err error) error {
	var refusal *inventory.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	for i, f := range refusal.Fields {
		if f.Field == "body" {
			refusal.Fields[i] = inventory.FieldError{Field: "row", Message: strings.ReplaceAll(f.Message, "this request", "a row")}
		}
	}
	return refusalOf(refusal.Fields)
}
