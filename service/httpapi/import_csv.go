package httpapi

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"stockyard/service/inventory"
)

// csvColumns are the columns of a CSV file of products, besides those of attributes.
var csvColumns = map[string]func(*inventory.Product, string){
	"sku":         func(p *inventory.Product, v string) { p.SKU = v },
	"name":        func(p *inventory.Product, v string) { p.Name = v },
	"description": func(p *inventory.Product, v string) { p.Description = v },
	"unit":        func(p *inventory.Product, v string) { p.Unit = v },
	"barcode":     func(p *inventory.Product, v string) { p.Barcode = v },
	"category":    func(p *inventory.Product, v string) { p.Category = v },
	"unit_cost":   func(p *inventory.Product, v string) { costOf(p).Amount = v },
	"currency":    func(p *inventory.Product, v string) { costOf(p).Currency = v },
}

const (
	attributeColumn = "attributes."
	columnsAre      = "columns are sku, name, description, unit, barcode, category, unit_cost, currency and attributes.NAME, separated by commas"
)

func costOf(p *inventory.Product) *inventory.Money {
	if p.UnitCost == nil {
		p.UnitCost = &inventory.Money{}
	}
	return p.UnitCost
}

// csvProducts reads the rows of a CSV file below its header. An empty cell is a field left out.
type csvProducts struct {
	columns []func(*inventory.Product, string)
	cells   *bufio.Reader // kept from row to row
}

// readHeader reads the first row of a CSV file. Every column that is wrong is named at once.
func (c *csvProducts) readHeader(records *recordReader) error {
	rec, err := records.next()
	if errors.Is(err, io.EOF) {
		return badField("header", "is missing: the first row names the columns; "+columnsAre)
	}
	if err != nil {
		return err
	}
	if rec.tooLong {
		return rec.wrongSize("header")
	}
	names, err := c.split(rec)
	if err != nil {
		return badField("header", "can't be read: "+err.Error())
	}
	var wrong []inventory.FieldError
	add := func(name, message string) {
		wrong = append(wrong, inventory.FieldError{Field: strings.ToValidUTF8(name, "\ufffd"), Message: message})
	}
	explain := "; " + columnsAre
	for i, name := range names {
		set := columnOf(name)
		switch {
		case slices.Contains(names[:i], name):
			add(name, "is there more than once in the header")
		case set == nil:
			add(name, "is no column of this file"+explain)
			explain = ""
		}
		c.columns = append(c.columns, set)
	}
	for _, name := range []string{"sku", "name"} {
		if !slices.Contains(names, name) {
			add(name, "is required, and no column of the header")
		}
	}
	if len(wrong) > 0 {
		return badFields(wrong...)
	}
	return nil
}

// columnOf gives what a column's cells set, nil where there is no such column.
func columnOf(name string) func(*inventory.Product, string) {
	key, isAttribute := strings.CutPrefix(name, attributeColumn)
	if !isAttribute {
		return csvColumns[name]
	}
	if key == "" || inventory.CheckText(key, 255) != "" {
		return nil
	}
	return func(p *inventory.Product, v string) {
		if p.Attributes == nil {
			p.Attributes = map[string]any{}
		}
		p.Attributes[key] = v
	}
}

func (c *csvProducts) product(rec record) (p inventory.Product, err error) {
	cells, err := c.split(rec)
	if err != nil {
		return p, badField("row", err.Error())
	}
	if len(cells) != len(c.columns) {
		return p, badField("row", fmt.Sprintf("has %d cells; the header has %d", len(cells), len(c.columns)))
	}
	for i, cell := range cells {
		if cell != "" {
			c.columns[i](&p, cell)
		}
	}
	return p, nil
}

var (
	errBareQuote = errors.New(`has a quote in a cell that doesn't begin with one; put the cell in quotes and double those in it`)
	errQuote     = errors.New(`has a cell in quotes that doesn't end, or goes on, after its closing quote; double quotes in a cell`)
)

// split gives the cells of a row.
func (c *csvProducts) split(rec record) ([]string, error) {
	if c.cells == nil {
		c.cells = bufio.NewReader(nil)
	}
	c.cells.Reset(bytes.NewReader(rec.raw))
	cells, err := csv.NewReader(c.cells).Read()
	switch {
	case errors.Is(err, csv.ErrBareQuote):
		return nil, errBareQuote
	case err != nil:
		return nil, errQuote
	}
	return cells, nil
}

// wrong names fields as the columns that they come from.
func (c *csvProducts) wrong(r *inventory.Refusal) *inventory.Refusal {
	fields := slices.Clone(r.Fields)
	for i, f := range fields {
		switch f.Field {
		case "unit_cost.amount":
			fields[i].Field = "unit_cost"
		case "unit_cost.currency":
			fields[i].Field = "currency"
		}
	}
	return refusalOf(fields)
}
