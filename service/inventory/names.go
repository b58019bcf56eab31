package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// MaxName is the length of a SKU, in characters.
const MaxName = 64

// What names and codes look like.
const (
	IdentifierPattern = `^[A-Za-z0-9._-]{1,64}$` // a location's or a channel's name
	CountryPattern    = `^[A-Z]{2}$`             // ISO 3166-1 alpha-2
	CurrencyPattern   = `^[A-Z]{3}$`             // ISO 4217
	AmountPattern     = `^(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$`
)

var (
	country  = regexp.MustCompile(CountryPattern)
	currency = regexp.MustCompile(CurrencyPattern)
	decimal  = regexp.MustCompile(AmountPattern)
)

// CheckSKU says what is wrong with a SKU, "" if nothing: 1 to 64 printable characters, as the
// caller writes them, with spaces inside but not around.
func CheckSKU(sku string) string {
	switch n := utf8.RuneCountInString(sku); {
	case sku == "":
		return "is required"
	case !utf8.ValidString(sku):
		return "must be UTF-8"
	case n > MaxName:
		return fmt.Sprintf("has %d characters; at most %d are allowed", n, MaxName)
	case sku[0] == ' ' || sku[len(sku)-1] == ' ':
		return "must not begin or end with a space"
	}
	for _, r := range sku {
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("has a character that is not printable (%U)", r)
		}
	}
	return ""
}

// CheckIdentifier says what is wrong with the name of a location or channel, "" if nothing.
func CheckIdentifier(name string) string {
	switch {
	case name == "":
		return "is required"
	case !isIdentifier(name):
		return "must be 1 to 64 letters, digits, '.', '_' or '-'"
	}
	return ""
}

// isIdentifier matches IdentifierPattern, at a small part of what a regular expression takes: every
// command names a location.
func isIdentifier(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return 0 < len(name) && len(name) <= MaxName
}

// CheckText says what is wrong with free text, "" if nothing: printable, and at most so many
// characters.
func CheckText(s string, most int) string {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return "must be UTF-8"
	case n > most:
		return fmt.Sprintf("has %d characters; at most %d are allowed", n, most)
	}
	for _, r := range s {
		// Databases can't store NUL; the other controls only serve to forge lines of logs.
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return fmt.Sprintf("has a control character (%U)", r)
		}
	}
	return ""
}

// Check names what is wrong with an amount of money; field is the money's own JSON path.
func (m *Money) Check(field string) (wrong []FieldError) {
	if m == nil {
		return nil
	}
	if !decimal.MatchString(m.Amount) {
		wrong = append(wrong, FieldError{field + ".amount", `must be a decimal such as "12.50": up to 15 digits without leading zeros, a point, up to 6 digits`})
	}
	if !currency.MatchString(m.Currency) {
		wrong = append(wrong, FieldError{field + ".currency", `must be three capital letters of ISO 4217, such as "GBP"`})
	}
	return wrong
}

func oneOf[T ~string](field string, v T, known ...T) []FieldError {
	if slices.Contains(known, v) {
		return nil
	}
	return []FieldError{{field, fmt.Sprintf("must be one of %v", known)}}
}
