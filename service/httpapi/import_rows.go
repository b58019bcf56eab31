package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxRow is the most bytes of one row of a file. A file has no limit.
const maxRow = 1 << 20

// record is a row of a file as it stands there, over one line or, in CSV, several.
type record struct {
	line, last int64 // of the file, from 1
	raw        []byte
	tooLong    bool // raw is only its beginning
}

// recordReader cuts a file into records and keeps one in memory at a time.
type recordReader struct {
	in   *bufio.Reader
	cell *cellState // in CSV, where a newline between quotes ends no row
	line int64
	raw  []byte
}

func newRecordReader(in io.Reader, cell *cellState) *recordReader {
	return &recordReader{in: bufio.NewReaderSize(in, 64<<10), cell: cell}
}

// begin waits for the first bytes. A byte order mark, which spreadsheets put there, is skipped.
func (r *recordReader) begin() error {
	mark := []byte("\xef\xbb\xbf")
	first, err := r.in.Peek(len(mark))
	if bytes.Equal(first, mark) {
		_, err = r.in.Discard(len(mark))
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// next gives the next record that isn't blank, valid until the one after it. io.EOF is the end;
// another error means that the file was cut off: what came of the last row is not given.
func (r *recordReader) next() (record, error) {
	for {
		rec, err := r.one()
		if err != nil || rec.tooLong || len(bytes.TrimRight(rec.raw, "\r\n")) > 0 {
			return rec, err
		}
	}
}

func (r *recordReader) one() (rec record, err error) {
	rec.line = r.line + 1
	r.raw = r.raw[:0]
	for {
		piece, err := r.in.ReadSlice('\n')
		if len(r.raw)+len(piece) > maxRow {
			rec.tooLong = true
		} else if !rec.tooLong {
			r.raw = append(r.raw, piece...)
		}
		rec.raw, rec.last = r.raw, r.line+1
		open := r.cell.pass(piece)
		switch {
		case err == nil:
			r.line++
			if !open {
				return rec, nil
			}
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (len(rec.raw) > 0 || rec.tooLong):
			return rec, nil
		default:
			return rec, err
		}
	}
}

// wrongSize refuses a record that is too long. In CSV that is mostly a quote that was not closed.
func (rec record) wrongSize(what string) error {
	return badField(what, fmt.Sprintf("is larger than %d bytes (lines %d to %d of the file)", maxRow, rec.line, rec.last))
}

// cellState follows CSV as far as is needed to know which newlines end a row. nil is for formats
// where all do.
type cellState byte

const (
	cellStart cellState = iota
	cellPlain
	cellQuoted
	cellQuoteEnded
)

// pass goes over a piece of a row and says whether it ends between quotes. A quote counts only
// where it opens a cell: one inch written as 1" must not swallow the rows that follow.
func (s *cellState) pass(piece []byte) (open bool) {
	if s == nil {
		return false
	}
	for _, c := range piece {
		switch {
		case *s == cellQuoted:
			if c == '"' {
				*s = cellQuoteEnded
			}
		case c == ',', c == '\n':
			*s = cellStart
		case c == '"' && *s != cellPlain:
			*s = cellQuoted
		case c != '\r' || *s != cellQuoteEnded:
			*s = cellPlain
		}
	}
	return *s == cellQuoted
}
