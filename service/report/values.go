package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Wrong names a parameter and says what is wanted of it.
type Wrong struct{ Param, Message string }

// Values are what a caller gave a report: texts, by parameter, checked.
type Values map[string]string

// Check reads what a caller gave. It names everything that is wrong.
func (r *Report) Check(given map[string]string) (values Values, wrong []Wrong) {
	values = Values{}
	for _, p := range r.Params {
		text, there := given[p.Name]
		switch {
		case !there && p.Required:
			wrong = append(wrong, Wrong{p.Name, "is required"})
		case there:
			v, message := p.value(text)
			if message != "" {
				wrong = append(wrong, Wrong{p.Name, message})
			}
			values[p.Name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(r.Params, func(p Param) bool { return p.Name == name }) {
			wrong = append(wrong, Wrong{strings.ToValidUTF8(name, "\ufffd"), "is no parameter of report " + r.Name + "; it takes " + r.takes()})
		}
	}
	return values, wrong
}

func (r *Report) takes() string {
	if len(r.Params) == 0 {
		return "none"
	}
	names := make([]string, len(r.Params))
	for i, p := range r.Params {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// At gives the value of each parameter, in their order, as the database reads it; defaults are those
// of a moment.
func (r *Report) At(values Values, now time.Time) []string {
	all := make([]string, len(r.Params))
	for i, p := range r.Params {
		text, there := values[p.Name]
		if !there {
			text, _ = p.value(p.at(now))
		}
		all[i] = text
	}
	return all
}

// at is the default as a value.
func (p Param) at(now time.Time) string {
	at, relative := now.UTC(), false
	if days := ago.FindStringSubmatch(p.Default); days != nil {
		n, err := strconv.Atoi(days[1])
		at, relative = at.AddDate(0, 0, -n), err == nil
	}
	switch {
	case p.Type == Date && (relative || p.Default == "today"):
		return at.Format(time.DateOnly)
	case p.Type == Time && (relative || p.Default == "now"):
		return at.Format(time.RFC3339Nano)
	}
	return p.Default
}

// maxText bounds a text, in characters.
const maxText = 1000

// value checks a text and gives it as the database reads it.
func (p Param) value(text string) (value, wrong string) {
	switch p.Type {
	case Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case p.Bounded && (err != nil || n < p.Least || n > p.Most):
			return "", fmt.Sprintf("must be a whole number from %d to %d", p.Least, p.Most)
		case err != nil:
			return "", "must be a whole number"
		}
		return strconv.FormatInt(n, 10), ""
	case Date:
		if at, err := time.Parse(time.DateOnly, text); err != nil || at.Year() < 1 {
			return "", `must be a date such as "2026-11-27"`
		}
	case Time:
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
			return "", `must be a time of RFC 3339, such as "2026-11-27T08:00:00Z"`
		}
		return at.UTC().Format("2006-01-02T15:04:05.999999Z"), ""
	default:
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > maxText {
			return "", fmt.Sprintf("must be UTF-8 text of at most %d characters", maxText)
		}
	}
	return text, ""
}
