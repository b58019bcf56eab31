package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"stockyard/service"
	"stockyard/service/inventory"
)

const ndjson = "application/x-ndjson"

var (
	errMediaType  = errors.New("unsupported media type")
	errClientGone = errors.New("the client takes no more of the answer")
)

// fileFormat reads the records of one format.
type fileFormat interface {
	// readHeader reads what stands before the first row. Errors refuse the file.
	readHeader(*recordReader) error
	// product reads a row. Errors refuse the row, and are of type *inventory.Refusal.
	product(record) (inventory.Product, error)
	// wrong names the fields of a refusal as the format does.
	wrong(*inventory.Refusal) *inventory.Refusal
}

// formatOf gives the format that a request's headers name, and its state for cutting rows.
func formatOf(h http.Header) (fileFormat, *cellState, error) {
	media, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset, encoding := strings.ToLower(parameters["charset"]), strings.ToLower(h.Get("Content-Encoding"))
	if err != nil || charset != "" && charset != "utf-8" || encoding != "" && encoding != "identity" {
		return nil, nil, errMediaType
	}
	switch media {
	case ndjson:
		return jsonProducts{}, nil, nil
	case "text/csv":
		return &csvProducts{}, new(cellState), nil
	}
	return nil, nil, errMediaType
}

// importProducts reads a file and answers while it does: the results of the rows in their order,
// one a line, and in the last line the summary.
func (a *api) importProducts(r *request) (reply, error) {
	s := a.openStream(r)
	f, err := r.openImport(s)
	if err != nil {
		s.discard()
		return reply{}, err
	}
	out := &importAnswer{box: newOutbox(s), format: f.format, request: r.id, all: f.all}
	begun := false
	source := func(ctx context.Context) iter.Seq2[service.ImportRow, error] {
		return func(yield func(service.ImportRow, error) bool) {
			defer context.AfterFunc(ctx, s.hurry)()
			begun = true
			if err := s.begin(ndjson); err != nil {
				yield(service.ImportRow{}, fmt.Errorf("%w: %w", errClientGone, err))
				return
			}
			readProducts(f.records, f.format, yield)
		}
	}
	ctx, end := untilTold(r.ctx)
	defer end(nil)
	summary, err := a.service.ImportProducts(ctx, f.caller, source, out.report)
	if begun {
		out.end(summary, a.endOfImport(err, r))
	}
	if err != nil {
		s.discard()
	}
	_ = out.box.Close() // a client that is gone is told nothing
	if !begun {
		return reply{}, err
	}
	return reply{streamed: true}, nil
}

// untilTold gives a context that outlives the client: rows that came are taken in, and those of a
// whole file all, also when nobody waits for the answer.
func untilTold(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	told, end := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			end(cause)
		}
	})
	return told, end
}

// importFile is a file about to be read.
type importFile struct {
	caller  service.Caller
	all     bool // rows that are not refused are reported too
	format  fileFormat
	records *recordReader
}

// openImport reads what refuses a file as a whole.
func (r *request) openImport(s *stream) (f importFile, err error) {
	q := r.query()
	f.caller = r.who
	f.caller.DryRun = q.flag("dry_run")
	results := q.given("results")
	if results != "" && results != "all" && results != "errors" {
		q.add("results", "must be one of [all errors]")
	}
	f.all = results != "errors"
	if err := q.err(); err != nil {
		return f, err
	}
	var cell *cellState
	if f.format, cell, err = formatOf(r.gin.Request.Header); err != nil {
		return f, err
	}
	f.records = newRecordReader(s, cell)
	if err := f.records.begin(); err != nil {
		return f, err
	}
	return f, f.format.readHeader(f.records)
}

// readProducts gives the rows of a file. A row that can't be read is given as such.
func readProducts(records *recordReader, format fileFormat, yield func(service.ImportRow, error) bool) {
	for {
		rec, err := records.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(service.ImportRow{}, err)
			return
		}
		row := service.ImportRow{Line: rec.line, Size: len(rec.raw)}
		if rec.tooLong {
			err = rec.wrongSize("row")
		} else {
			row.Product, err = format.product(rec)
		}
		if err != nil && !errors.As(err, &row.Wrong) {
			row.Wrong = refusalOf([]inventory.FieldError{{Field: "row", Message: "can't be read"}})
		}
		if !yield(row, nil) {
			return
		}
	}
}

// endOfImport says why an import ended before its file did, nil for one that didn't.
func (a *api) endOfImport(err error, r *request) *problem {
	if err == nil || errors.Is(err, errClientGone) {
		return nil
	}
	p := problemOf(err)
	switch {
	case errors.Is(err, service.ErrUnavailable), errors.Is(err, service.ErrOutcomeUnknown):
		p.Detail = "the database is not reachable"
	case errors.Is(err, errDraining):
		p = of(kindOfProblem{"unavailable", "Unavailable", http.StatusServiceUnavailable}, errDraining.Error())
	case errors.Is(err, service.ErrOverloaded):
		p.Detail = "other transactions keep getting in the way"
	case errors.Is(err, context.DeadlineExceeded):
		p.Detail = "the deadline passed"
	}
	p.Detail += "; the rows reported are stored, and the whole file may be sent again"
	p.Instance = r.id
	a.logProblem(r.gin, p.Status, r.id, "import_products", err)
	return &p
}

// importAnswer writes the lines of the answer.
type importAnswer struct {
	box     *outbox
	format  fileFormat
	request string
	all     bool
	lines   []byte
}

// importLine is a line of the answer: what became of a row.
type importLine struct {
	Row     int64                `json:"row"`
	Line    int64                `json:"line"`
	SKU     string               `json:"sku,omitempty"`
	Status  service.ImportStatus `json:"status"`
	Problem *problem             `json:"problem,omitempty"`
}

// importEnd is the last line.
type importEnd struct {
	Summary service.ImportSummary `json:"summary"`
	Problem *problem              `json:"problem,omitempty"`
}

func (o *importAnswer) report(results []service.ImportResult) error {
	o.lines = o.lines[:0]
	for _, r := range results {
		if r.Err == nil && !o.all {
			continue
		}
		line := importLine{Row: r.Row, Line: r.Line, Status: r.Status}
		if inventory.CheckSKU(r.SKU) == "" {
			line.SKU = r.SKU
		}
		if r.Err != nil {
			var refusal *inventory.Refusal
			if errors.As(r.Err, &refusal) {
				r.Err = o.format.wrong(refusal)
			}
			p := problemOf(r.Err)
			p.Instance = o.request
			line.Problem = &p
		}
		if err := o.add(line); err != nil {
			return err
		}
	}
	if len(o.lines) == 0 {
		return nil
	}
	if _, err := o.box.Write(o.lines); err != nil {
		return fmt.Errorf("%w: %w", errClientGone, err)
	}
	return nil
}

func (o *importAnswer) add(line any) error {
	raw, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("a line of the answer: %w", err)
	}
	o.lines = append(append(o.lines, raw...), '\n')
	return nil
}

func (o *importAnswer) end(summary service.ImportSummary, p *problem) {
	o.lines = o.lines[:0]
	if o.add(importEnd{summary, p}) == nil {
		_, _ = o.box.Write(o.lines)
	}
}
