package report

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names that the command line and the REST door have for themselves.
var reserved = []string{"format", "max_staleness", "out", "json", "timeout"}

var (
	wellNamed = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	paramLine = regexp.MustCompile(`^(\S+)\s+(\S+)(?:\s+(=)(.*?))?(?:\s+in\s+(-?[0-9]+)\.\.(-?[0-9]+))?\s{2,}(\S.*)$`)
	colLine   = regexp.MustCompile(`^(\S+)\s+([a-z]+)(?:, +(\S+(?: \S+)*))?\s{2,}(\S.*)$`)
	chartLine = regexp.MustCompile(`^(bars|lines)\s+([a-z0-9_]+):\s*([a-z0-9_, ]+)$`)
	ago       = regexp.MustCompile(`^([0-9]{1,5}) days? ago$`)
)

// parse reads a file: a header of comments, and one statement.
func parse(name, text string) (*Report, error) {
	r := &Report{Name: name, Params: []Param{}, Columns: []Column{}}
	if !wellNamed.MatchString(name) {
		return nil, errors.New("the name must be lower snake case")
	}
	lines := strings.Split(text, "\n")
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[n], "--") {
		n++
	}
	h := &header{report: r}
	for i, line := range lines[:n] {
		if err := h.line(strings.TrimPrefix(line, "--")); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if err := h.end(); err != nil {
		return nil, err
	}
	return r, r.bind(strings.Join(lines[n:], "\n"))
}

// header is what is being read.
type header struct {
	report *Report
	read   func(string) error // the section that lines belong to
}

func (h *header) line(line string) (err error) {
	text := strings.TrimSpace(line)
	chart, isChart := strings.CutPrefix(text, "Chart:")
	switch {
	case h.report.Title == "":
		if !strings.HasSuffix(text, ".") || len(text) < 2 {
			return errors.New("the first line is the title and ends with a dot")
		}
		h.report.Title, h.read = strings.TrimSuffix(text, "."), h.question
	case text == "":
	case text == "Parameters:":
		h.read = h.parameter
	case text == "Columns:":
		h.read = h.column
	case isChart:
		h.read = func(string) error { return errors.New("nothing comes after the chart") }
		h.report.Chart, err = parseChart(strings.TrimSpace(chart))
		return err
	default:
		return h.read(text)
	}
	return nil
}

func (h *header) question(text string) error {
	h.report.Question = strings.TrimSpace(h.report.Question + " " + text)
	return nil
}

func (h *header) parameter(text string) error {
	p, err := parseParam(text)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(h.report.Params, func(q Param) bool { return q.Name == p.Name }) {
		return fmt.Errorf("parameter %s is there twice", p.Name)
	}
	h.report.Params = append(h.report.Params, p)
	return nil
}

func (h *header) column(text string) error {
	parts := colLine.FindStringSubmatch(text)
	if parts == nil {
		return fmt.Errorf("a column is `name  type[, unit]  what it is`, two spaces before the last; not %q", text)
	}
	c := Column{Name: parts[1], Type: Type(parts[2]), Unit: parts[3], About: parts[4]}
	switch {
	case !wellNamed.MatchString(c.Name):
		return fmt.Errorf("column %q must be lower snake case", c.Name)
	case !slices.Contains([]Type{Text, Integer, Decimal, Date, Time, Boolean}, c.Type):
		return fmt.Errorf("column %s: there is no type %q", c.Name, c.Type)
	case h.report.column(c.Name) >= 0:
		return fmt.Errorf("column %s is there twice", c.Name)
	}
	h.report.Columns = append(h.report.Columns, c)
	return nil
}

func (h *header) end() error {
	r := h.report
	switch {
	case r.Title == "":
		return errors.New("there is no header: the file begins with `-- Title.`")
	case r.Question == "":
		return errors.New("the header asks no question")
	case len(r.Columns) == 0:
		return errors.New("the header describes no columns")
	case r.Chart == nil:
		return nil
	}
	if r.column(r.Chart.Label) < 0 {
		return fmt.Errorf("the chart's labels are column %s, which isn't there", r.Chart.Label)
	}
	for _, name := range r.Chart.Values {
		if i := r.column(name); i < 0 || !r.Columns[i].IsNumber() {
			return fmt.Errorf("the chart's values are column %s, which isn't there or holds no numbers", name)
		}
	}
	return nil
}

func parseParam(text string) (p Param, err error) {
	parts := paramLine.FindStringSubmatch(text)
	if parts == nil {
		return p, fmt.Errorf("a parameter is `name  type [= default] [in A..B]  what it is`, two spaces before the last; not %q", text)
	}
	p = Param{Name: parts[1], Type: Type(parts[2]), Required: parts[3] == "", Default: strings.TrimSpace(parts[4]), About: parts[7]}
	switch {
	case !wellNamed.MatchString(p.Name):
		return p, fmt.Errorf("parameter %q must be lower snake case", p.Name)
	case slices.Contains(reserved, p.Name):
		return p, fmt.Errorf("parameter %s has a name that is reserved", p.Name)
	case !slices.Contains([]Type{Text, Integer, Date, Time}, p.Type):
		return p, fmt.Errorf("parameter %s: there is no type %q of parameters", p.Name, p.Type)
	}
	if parts[5] != "" {
		least, err1 := strconv.ParseInt(parts[5], 10, 64)
		most, err2 := strconv.ParseInt(parts[6], 10, 64)
		if cmp.Or(err1, err2) != nil || least > most || p.Type != Integer {
			return p, fmt.Errorf("parameter %s: %s..%s are no bounds of %s", p.Name, parts[5], parts[6], p.Type)
		}
		p.Bounded, p.Least, p.Most, p.Bounds = true, least, most, parts[5]+".."+parts[6]
	}
	if !p.Required && (p.Type != Text || p.Default != "") {
		if _, wrong := p.value(p.at(time.Unix(0, 0))); wrong != "" {
			return p, fmt.Errorf("parameter %s: its default %s", p.Name, wrong)
		}
	}
	return p, nil
}

func parseChart(text string) (*Chart, error) {
	parts := chartLine.FindStringSubmatch(text)
	if parts == nil {
		return nil, fmt.Errorf("a chart is `bars|lines LABEL: VALUE[, VALUE]`, not %q", text)
	}
	c := &Chart{Kind: parts[1], Label: parts[2]}
	for value := range strings.SplitSeq(parts[3], ",") {
		c.Values = append(c.Values, strings.TrimSpace(value))
	}
	return c, nil
}

// tokens are what a statement's parameters must not be looked for in, the parameters themselves, and
// the ends of statements.
var tokens = regexp.MustCompile(`'(?:[^']|'')*'|"[^"]*"|--[^\n]*|:'([^']*)'|;`)

// bind takes the statement, in which psql's variables become numbered parameters.
func (r *Report) bind(statement string) (err error) {
	used := map[string]bool{}
	statement = strings.TrimSpace(statement)
	statement = strings.TrimSpace(strings.TrimSuffix(statement, ";"))
	r.SQL = tokens.ReplaceAllStringFunc(statement, func(token string) string {
		switch {
		case token == ";":
			err = errors.New("there is more than one statement")
		case strings.HasPrefix(token, ":'"):
			name := strings.Trim(token, ":'")
			i := slices.IndexFunc(r.Params, func(p Param) bool { return p.Name == name })
			if i < 0 {
				err = fmt.Errorf("the statement uses :'%s', which the header doesn't describe", name)
			}
			used[name] = true
			return fmt.Sprintf("$%d", i+1)
		}
		return token
	})
	switch begins := strings.ToUpper(statement); {
	case err != nil:
		return err
	case !strings.HasPrefix(begins, "SELECT") && !strings.HasPrefix(begins, "WITH"):
		return errors.New("the statement after the header must be a SELECT or WITH")
	}
	for _, p := range r.Params {
		if !used[p.Name] {
			return fmt.Errorf("the statement doesn't use parameter %s", p.Name)
		}
	}
	return nil
}
