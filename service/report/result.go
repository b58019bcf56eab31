package report

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
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
	// More says that there are more rows than its limit let through.
	More bool
}

// limitParam is how many rows a report gives at most, by convention.
const limitParam = "limit"

// Limit is how many rows a report may give with values, and whether it has such a limit.
func (r *Report) Limit(values []string) (place int, rows int64, limited bool) {
	place = slices.IndexFunc(r.Params, func(p Param) bool { return p.Name == limitParam && p.Type == Integer })
	if place < 0 {
		return place, 0, false
	}
	rows, err := strconv.ParseInt(values[place], 10, 64)
	return place, rows, err == nil
}

// Value is a cell: numbers in all their digits, dates as 2006-01-02, times as RFC 3339 in UTC,
// booleans as true and false. The zero value is null.
type Value struct {
	Text  string
	Valid bool
}

// numeric is a number as databases write it: CockroachDB writes large ones with exponents.
var numeric = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?$`)

// plain writes a number without an exponent, and without a sign where it is zero.
func plain(text string) (string, bool) {
	if !numeric.MatchString(text) {
		return "", false
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	digits := 0 // after the point
	if _, fraction, has := strings.Cut(mantissa, "."); has {
		digits = len(fraction)
	}
	if scientific {
		n, err := strconv.Atoi(exponent)
		if err != nil {
			return "", false
		}
		digits = max(digits-n, 0)
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", false
	}
	return n.FloatString(digits), true
}

// timestamps as the databases write them.
const timestamps = "2006-01-02 15:04:05.999999Z07:00"

// Read takes a value as a database writes it. An error says that the report gives what its header
// doesn't say.
func (c Column) Read(text string) (Value, error) {
	v, ok := Value{text, true}, true
	switch c.Type {
	case Integer:
		var fraction string
		v.Text, ok = plain(text)
		v.Text, fraction, _ = strings.Cut(v.Text, ".")
		ok = ok && strings.Trim(fraction, "0") == ""
	case Decimal:
		v.Text, ok = plain(text)
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
