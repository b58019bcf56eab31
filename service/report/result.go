package report

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Result is what a report found.
type Result struct {
	Report *Report
	// Params are the values that it took, in the order of the report's parameters.
	Params []string
	// AsOf is the moment that it speaks of.
	AsOf time.Time
	// Rows have a value for each column.
	Rows [][]Value
}

// Value is a cell: numbers in all their digits, dates as 2006-01-02, times as RFC 3339 in UTC,
// booleans as true and false. The zero value is null.
type Value struct {
	Text  string
	Valid bool
}

var (
	whole   = regexp.MustCompile(`^(-?[0-9]+)(\.0*)?$`)
	numeric = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// timestamps as the databases write them.
const timestamps = "2006-01-02 15:04:05.999999Z07:00"

// Read takes a value as a database writes it. An error says that the report gives what its header
// doesn't say.
func (c Column) Read(text string) (Value, error) {
	v, ok := Value{text, true}, true
	switch c.Type {
	case Integer:
		digits := whole.FindStringSubmatch(text)
		if ok = digits != nil; ok {
			v.Text = digits[1]
		}
	case Decimal:
		ok = numeric.MatchString(text)
	case Date:
		_, err := time.Parse(time.DateOnly, text)
		ok = err == nil
	case Time:
		if len(text) > 3 && (text[len(text)-3] == '+' || text[len(text)-3] == '-') {
			text += ":00"
		}
		at, err := time.Parse(timestamps, text)
		v.Text, ok = at.UTC().Format(time.RFC3339Nano), err == nil
	case Boolean:
		switch text {
		case "t", "true":
			v.Text = "true"
		case "f", "false":
			v.Text = "false"
		default:
			ok = false
		}
	default:
		v.Text = strings.ToValidUTF8(text, "\ufffd")
	}
	if !ok {
		return Value{}, fmt.Errorf("column %s holds %q, which is no %s", c.Name, text, c.Type)
	}
	return v, nil
}
