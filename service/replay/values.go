package replay

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// values reads the fields of one record, noting every bad one.
type values struct {
	*parser
	record []string
	bad    bool
}

func (v *values) fault(column, message string) {
	v.bad = true
	line, _ := v.csv.FieldPos(v.at[column])
	v.faults.add(line, column, message)
}

func (v *values) raw(column string) string { return strings.TrimSpace(v.record[v.at[column]]) }

// text is a field's text, shared with all rows that say the same.
func (v *values) text(column string) string {
	raw := v.raw(column)
	if kept, seen := v.texts[raw]; seen {
		return kept
	}
	kept := strings.Clone(raw)
	v.texts[kept] = kept
	return kept
}

func (v *values) required(column string) string {
	text := v.text(column)
	if text == "" {
		v.fault(column, "is empty")
	}
	return text
}

const maxSKU = 64 // characters, by the contract

func (v *values) sku() string {
	sku := v.required(colSKU)
	if n := utf8.RuneCountInString(sku); n > maxSKU {
		v.fault(colSKU, fmt.Sprintf("%q has %d characters, at most %d are allowed", sku, n, maxSKU))
	}
	if strings.ContainsFunc(sku, func(r rune) bool { return !unicode.IsPrint(r) }) {
		v.fault(colSKU, fmt.Sprintf("%q has characters that can't be printed", sku))
	}
	return sku
}

func (v *values) quantity() int64 {
	raw := v.raw(colQuantity)
	n, err := strconv.ParseInt(raw, 10, 64)
	switch {
	case raw == "":
		v.fault(colQuantity, "is empty")
	case errors.Is(err, strconv.ErrRange) || n == math.MinInt64:
		v.fault(colQuantity, fmt.Sprintf("%q is beyond %d", raw, math.MaxInt64))
	case err != nil:
		v.fault(colQuantity, fmt.Sprintf("%q is no whole number", raw))
	}
	return n
}

// price is checked because a file whose columns are shifted shows there, too.
func (v *values) price() {
	raw := v.raw(colPrice)
	f, err := strconv.ParseFloat(raw, 64)
	switch {
	case raw == "":
		v.fault(colPrice, "is empty")
	case err != nil || math.IsNaN(f) || math.IsInf(f, 0):
		v.fault(colPrice, fmt.Sprintf("%q is no number", raw))
	}
}

// dateLayouts are the sample's and the one of UCI's original, which has the month first. Neither
// names a zone: both are read as UTC.
var dateLayouts = []string{"2006-01-02 15:04:05", "1/2/2006 15:04"}

func (v *values) date() time.Time {
	raw := v.raw(colDate)
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, raw); err == nil {
			return t
		}
	}
	if raw == "" {
		v.fault(colDate, "is empty")
	} else {
		v.fault(colDate, fmt.Sprintf("%q is no date like 2010-12-01 08:26:00 or 12/1/2010 8:26", raw))
	}
	return time.Time{}
}
