package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Media types of files of products.
const (
	NDJSON = "application/x-ndjson"
	CSV    = "text/csv"
)

// ImportFile is a file of products.
type ImportFile struct {
	Body      io.Reader
	MediaType string
	DryRun    bool // compares with the catalogue and writes nothing
	Accepted  bool // rows that were accepted are reported too
}

// ImportRow says what became of a row.
type ImportRow struct {
	Row     int64    `json:"row"`
	Line    int64    `json:"line"` // of the file, where the row begins
	SKU     string   `json:"sku,omitempty"`
	Status  string   `json:"status"` // created, updated, unchanged, refused
	Problem *Problem `json:"problem,omitempty"`
}

// ImportSummary counts what became of the rows. Complete says that these are all rows of the file.
type ImportSummary struct {
	Rows      int64 `json:"rows"`
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Refused   int64 `json:"refused"`
	Complete  bool  `json:"complete"`
	DryRun    bool  `json:"dry_run,omitempty"`
}

// ErrCutOff is wrapped by the error of an import whose answer stopped before its end.
var ErrCutOff = errors.New("the answer was cut off; what it reported is stored, and the file can be sent again")

// ImportProducts sends a file and has each told what became of each row, while the file is still
// being sent. It is sent once: an error with a summary, or with ErrCutOff, says that it was not read
// to its end, and that it can be sent again. Refused rows are no error.
func (c *Client) ImportProducts(ctx context.Context, f ImportFile, each func(ImportRow) error) (ImportSummary, Call, error) {
	at := c.pool.start(c.first)
	if c.only {
		at = c.first
	}
	query := url.Values{}
	if f.DryRun {
		query.Set("dry_run", "true")
	}
	if !f.Accepted {
		query.Set("results", "errors")
	}
	call := Call{Target: c.pool.targets[at].base}
	// Ended by hand: the transport would else go on sending what the server no longer reads.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, call.Target+"/v1/products/import?"+query.Encode(), f.Body)
	if err != nil {
		return ImportSummary{}, call, err
	}
	c.setHeaders(q, request{})
	q.Header.Set("Content-Type", f.MediaType)
	q.Header.Set("Accept", NDJSON+", application/problem+json")
	resp, err := c.http.Do(q)
	if err != nil {
		return ImportSummary{}, call, shorten(err)
	}
	defer resp.Body.Close()
	call.Status, call.Region = resp.StatusCode, resp.Header.Get("Stockyard-Region")
	if resp.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // half a problem is better than none
		return ImportSummary{}, call, readProblem(answer{status: resp.StatusCode, header: resp.Header, body: raw})
	}
	summary, err := readImport(resp.Body, each)
	return summary, call, err
}

func readImport(body io.Reader, each func(ImportRow) error) (ImportSummary, error) {
	lines := json.NewDecoder(body)
	for {
		var line struct {
			ImportRow
			Summary *ImportSummary `json:"summary"`
		}
		if err := lines.Decode(&line); err != nil {
			return ImportSummary{}, fmt.Errorf("%w: %w", ErrCutOff, err)
		}
		switch {
		case line.Summary == nil:
			if err := each(line.ImportRow); err != nil {
				return ImportSummary{}, err
			}
		case line.Problem != nil:
			return *line.Summary, line.Problem
		default:
			return *line.Summary, nil
		}
	}
}
