package report

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Formats are the ways to write a result.
var Formats = []string{"table", "csv", "json", "svg"}

// Write writes a result in one of Formats.
func (f *Result) Write(w io.Writer, format string) error {
	buffered := bufio.NewWriter(w)
	var err error
	switch format {
	case "table":
		f.table(buffered)
	case "csv":
		err = f.csv(buffered)
	case "json":
		err = f.json(buffered)
	case "svg":
		f.svg(buffered)
	default:
		err = fmt.Errorf("there is no format %q", format)
	}
	if err != nil {
		return err
	}
	return buffered.Flush()
}

// csv writes RFC 4180: a header, then the rows; null is an empty cell.
func (f *Result) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	row := make([]string, len(f.Report.Columns))
	for i, column := range f.Report.Columns {
		row[i] = column.Name
	}
	if err := c.Write(row); err != nil {
		return err
	}
	for _, values := range f.Rows {
		for i, v := range values {
			row[i] = v.Text
			if f.Report.Columns[i].Type == Text {
				row[i] = harmless(v.Text)
			}
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// harmless keeps spreadsheets from taking a text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// json writes the result with its columns and parameters; rows are objects in the order of columns.
func (f *Result) json(w *bufio.Writer) error {
	params := map[string]any{}
	for i, p := range f.Report.Params {
		params[p.Name] = f.Params[i]
		if p.Type == Integer {
			params[p.Name] = json.Number(f.Params[i])
		}
	}
	head, err := json.Marshal(struct {
		Report     string         `json:"report"`
		Title      string         `json:"title"`
		AsOf       time.Time      `json:"as_of"`
		Parameters map[string]any `json:"parameters"`
		More       bool           `json:"more"`
		Columns    []Column       `json:"columns"`
	}{f.Report.Name, f.Report.Title, f.AsOf, params, f.More, f.Report.Columns})
	if err != nil {
		return err
	}
	_, _ = w.Write(head[:len(head)-1]) // Flush tells of what went wrong
	_, _ = w.WriteString(`,"rows":[`)
	for i, row := range f.Rows {
		if i > 0 {
			_ = w.WriteByte(',')
		}
		for j, v := range row {
			_, _ = w.WriteString(map[bool]string{true: "\n{", false: ","}[j == 0])
			_, _ = fmt.Fprintf(w, "%q:", f.Report.Columns[j].Name) // lower snake case
			if err := v.json(w, f.Report.Columns[j]); err != nil {
				return err
			}
		}
		_ = w.WriteByte('}')
	}
	_, err = w.WriteString("]}\n")
	return err
}

func (v Value) json(w *bufio.Writer, c Column) error {
	switch {
	case !v.Valid:
		_, err := w.WriteString("null")
		return err
	case c.IsNumber(), c.Type == Boolean:
		_, err := w.WriteString(v.Text)
		return err
	}
	raw, err := json.Marshal(v.Text)
	if err == nil {
		_, err = w.Write(raw)
	}
	return err
}

// widest bounds a column of a table, in characters.
const widest = 60

// table writes aligned text for people: numbers to the right, null as -.
func (f *Result) table(w *bufio.Writer) {
	columns := f.Report.Columns
	widths, cells := make([]int, len(columns)), make([][]string, len(f.Rows))
	for i, c := range columns {
		widths[i] = len(c.Name)
	}
	for i, row := range f.Rows {
		cells[i] = make([]string, len(row))
		for j, v := range row {
			cells[i][j] = cell(v, columns[j])
			widths[j] = max(widths[j], utf8.RuneCountInString(cells[i][j]))
		}
	}
	_, _ = fmt.Fprintf(w, "%s, as of %s\n\n", f.Report.Title, f.AsOf.Format(time.RFC3339))
	names, rules := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i], rules[i] = c.Name, strings.Repeat("-", widths[i])
	}
	for _, row := range append([][]string{names, rules}, cells...) {
		line := ""
		for i, text := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if columns[i].IsNumber() {
				line += pad + text + "  "
			} else {
				line += text + pad + "  "
			}
		}
		_, _ = w.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	rows := "rows"
	if len(f.Rows) == 1 {
		rows = "row"
	}
	if f.More {
		rows += "; there are more, which a larger limit lets through"
	}
	_, _ = fmt.Fprintf(w, "\n%d %s\n", len(f.Rows), rows)
}

// cell is a value as a table shows it: control characters would move the terminal's cursor.
func cell(v Value, c Column) string {
	if !v.Valid {
		return "-"
	}
	if c.Type != Text {
		return v.Text
	}
	return short(v.Text, widest)
}

// ends cuts the middle out of a text: SKUs differ at their ends as often as at their beginnings.
func ends(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	head := (most - 1) / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(most-1-head):])
}

// short cuts a text to so many characters, and takes what isn't printable out of it.
func short(text string, most int) string {
	text = strings.Map(printable, text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
