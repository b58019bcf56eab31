// Package report knows the reports of sql/reports: what each asks, takes and gives, from the header
// of its file, and how what it found is written for people and programs.
package report

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"stockyard/sql"
)

// Report is one file of sql/reports.
type Report struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Question string   `json:"question"`
	Params   []Param  `json:"parameters"`
	Columns  []Column `json:"columns"`
	Chart    *Chart   `json:"chart,omitempty"`
	// SQL is one statement. Its $1, $2, ... are Params in their order.
	SQL string `json:"-"`
}

// Type is what a parameter takes or a column gives.
type Type string

// The types. A time is a moment; numbers are exact, whatever their size.
const (
	Text    Type = "text"
	Integer Type = "integer"
	Decimal Type = "decimal"
	Date    Type = "date"
	Time    Type = "time"
	Boolean Type = "boolean"
)

// Param is something that a report takes.
type Param struct {
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Required bool   `json:"required"`
	// Default is as the file has it: a value, or a time before now such as "30 days ago".
	Default string `json:"default"`
	// Least and Most bound an integer, where Bounded.
	Bounded bool   `json:"-"`
	Least   int64  `json:"-"`
	Most    int64  `json:"-"`
	Bounds  string `json:"bounds,omitempty"`
	About   string `json:"about"`
}

// Column is something that a report gives of each row. Any may be null.
type Column struct {
	Name  string `json:"name"`
	Type  Type   `json:"type"`
	Unit  string `json:"unit,omitempty"`
	About string `json:"about"`
}

// IsNumber says that values are numbers.
func (c Column) IsNumber() bool { return c.Type == Integer || c.Type == Decimal }

// Chart says how to draw the rows, in their order: a column of labels, and columns of numbers.
type Chart struct {
	Kind   string   `json:"kind"` // bars or lines
	Label  string   `json:"label"`
	Values []string `json:"values"`
}

// column gives a column's place, -1 where there is none of the name.
func (r *Report) column(name string) int {
	return slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == name })
}

var all = sync.OnceValues(func() ([]*Report, error) { return read(sql.Reports) })

// All gives every report by name. An error says which file is ill-formed, and how: only a build that
// was not tested has one.
func All() ([]*Report, error) { return all() }

// Find gives the report of a name.
func Find(name string) (*Report, bool, error) {
	reports, err := All()
	if err != nil {
		return nil, false, err
	}
	i, found := slices.BinarySearchFunc(reports, name, func(r *Report, name string) int { return strings.Compare(r.Name, name) })
	if !found {
		return nil, false, nil
	}
	return reports[i], true, nil
}

func read(files fs.FS) (reports []*Report, err error) {
	names, err := fs.Glob(files, "reports/*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		r, err := parse(strings.TrimSuffix(path.Base(name), ".sql"), string(text))
		if err != nil {
			return nil, fmt.Errorf("sql/%s: %w", name, err)
		}
		reports = append(reports, r)
	}
	slices.SortFunc(reports, func(a, b *Report) int { return strings.Compare(a.Name, b.Name) })
	return reports, nil
}
