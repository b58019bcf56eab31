package replay

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Row is one line of an invoice.
type Row struct {
	Line        int // in the file, from 1
	Invoice     string
	SKU         string
	Description string // may be empty
	Country     string
	Quantity    int64 // never math.MinInt64, so that it has an absolute value
	At          time.Time
}

// Sales is a whole file that was read and checked.
type Sales struct {
	Rows []Row
	// Recoded counts the rows that were no UTF-8 and were read as Windows-1252, as the shop's
	// original export is.
	Recoded int
}

// The columns of the Online Retail format. UnitPrice is checked but moves no stock.
const (
	colInvoice     = "InvoiceNo"
	colSKU         = "StockCode"
	colDescription = "Description"
	colQuantity    = "Quantity"
	colDate        = "InvoiceDate"
	colPrice       = "UnitPrice"
	colCustomer    = "CustomerID"
	colCountry     = "Country"
)

var columns = []string{colInvoice, colSKU, colDescription, colQuantity, colDate, colPrice, colCustomer, colCountry}

// Parse reads and checks a whole file; name is what faults call it. What is wrong with the file is
// a *FileError.
func Parse(r io.Reader, name string) (*Sales, error) {
	p := &parser{faults: &FileError{File: name}, texts: map[string]string{}}
	if err := p.open(r); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for !p.faults.full() {
		record, err := p.csv.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			p.faults.add(bad.StartLine, "", bad.Err.Error())
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		default:
			p.row(record)
		}
	}
	if len(p.sales.Rows) == 0 && len(p.faults.Faults) == 0 {
		p.faults.add(1, "", "there are no sales below the header")
	}
	if len(p.faults.Faults) > 0 {
		return nil, p.faults
	}
	return &p.sales, nil
}

type parser struct {
	csv    *csv.Reader
	at     map[string]int // column name -> index
	width  int
	sales  Sales
	faults *FileError
	// texts keeps one copy of each text: half a million rows name a few thousand SKUs, and a field
	// would otherwise keep its whole record in memory.
	texts map[string]string
}

const byteOrderMark = "\ufeff"

// open reads the header. A header that can't be used is noted as a fault, and nothing else is read.
func (p *parser) open(r io.Reader) error {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if start, _ := buffered.Peek(len(byteOrderMark)); string(start) == byteOrderMark {
		_, _ = buffered.Discard(len(byteOrderMark)) // just peeked
	}
	p.csv = csv.NewReader(buffered)
	p.csv.FieldsPerRecord = -1 // counted here, to name both numbers
	p.csv.ReuseRecord = true
	header, err := p.csv.Read()
	var bad *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		p.faults.add(1, "", "the file is empty")
		p.faults.fatal = true
		return nil
	case errors.As(err, &bad):
		p.faults.add(bad.StartLine, "", bad.Err.Error())
		p.faults.fatal = true
		return nil
	case err != nil:
		return err
	}
	p.header(header)
	return nil
}

func (p *parser) header(header []string) {
	p.at, p.width = map[string]int{}, len(header)
	for i, field := range header {
		known := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, strings.TrimSpace(field)) })
		if known < 0 {
			continue // a column of the shop's own
		}
		if _, twice := p.at[columns[known]]; twice {
			p.faults.add(1, columns[known], "is in the header twice")
			p.faults.fatal = true
		}
		p.at[columns[known]] = i
	}
	var missing []string
	for _, c := range columns {
		if _, found := p.at[c]; !found {
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		p.faults.add(1, "", "the header lacks "+strings.Join(missing, ", "))
		p.faults.fatal = true
	}
}

func (p *parser) row(record []string) {
	line, _ := p.csv.FieldPos(0)
	if len(record) != p.width {
		p.faults.add(line, "", fmt.Sprintf("has %d fields, the header has %d", len(record), p.width))
		return
	}
	if p.recode(record) {
		p.sales.Recoded++
	}
	v := values{parser: p, record: record}
	row := Row{
		Line:        line,
		Invoice:     v.required(colInvoice),
		SKU:         v.sku(),
		Description: v.text(colDescription),
		Quantity:    v.quantity(),
		At:          v.date(),
		Country:     v.required(colCountry),
	}
	v.price()
	if !v.bad {
		p.sales.Rows = append(p.sales.Rows, row)
	}
}

// recode turns fields that are no UTF-8 into what they say in Windows-1252.
func (p *parser) recode(record []string) (recoded bool) {
	for i, field := range record {
		if utf8.ValidString(field) {
			continue
		}
		recoded = true
		// The decoder has a rune for every byte, so that it can't fail.
		record[i], _ = charmap.Windows1252.NewDecoder().String(field)
	}
	return recoded
}
