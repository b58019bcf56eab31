// Package upload sends a file of products to a running pod and tells a person, or a program, what
// became of it.
package upload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"stockyard/service/client"
)

// Options of an upload.
type Options struct {
	FileName string // "-" is standard input
	Format   string // csv or ndjson; "" is what the file's name says
	DryRun   bool
	JSON     bool // results as the server writes them
	Out      io.Writer
	Progress *os.File // shows a bar where it is a terminal
	Client   *client.Client
}

// ErrRefused says that the file was read to its end, and that some of its rows were refused.
var ErrRefused = errors.New("some rows were refused")

// Run sends the file. Refused rows are written as they come.
func Run(ctx context.Context, o Options) error {
	media, err := mediaType(o.FileName, o.Format)
	if err != nil {
		return err
	}
	file, size, err := open(o.FileName)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	bar := o.bar(size)
	summary, call, err := o.Client.ImportProducts(ctx, client.ImportFile{
		Body: io.TeeReader(file, bar), MediaType: media, DryRun: o.DryRun,
	}, func(row client.ImportRow) error {
		_ = bar.Clear()
		return o.write(row)
	})
	_ = bar.Clear()
	if err != nil && call.Status != 200 {
		return fmt.Errorf("%s: nothing was imported: %w", call.Target, err)
	}
	if writeErr := o.writeSummary(summary); writeErr != nil || err != nil {
		return errors.Join(err, writeErr)
	}
	if summary.Refused > 0 {
		return fmt.Errorf("%w: %d of %d", ErrRefused, summary.Refused, summary.Rows)
	}
	return nil
}

func open(name string) (*os.File, int64, error) {
	if name == "-" {
		return os.Stdin, -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() {
		return file, -1, nil
	}
	return file, info.Size(), nil
}

func mediaType(name, format string) (string, error) {
	if format == "" {
		format = strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
	}
	switch format {
	case "csv":
		return client.CSV, nil
	case "ndjson", "jsonl":
		return client.NDJSON, nil
	}
	return "", fmt.Errorf("%s: the name doesn't end in .csv, .ndjson or .jsonl; say --format csv or --format ndjson", name)
}

// bar shows how much of the file was sent, on a terminal.
func (o Options) bar(size int64) *progressbar.ProgressBar {
	w := io.Discard
	if o.Progress != nil && term.IsTerminal(int(o.Progress.Fd())) {
		w = o.Progress
	}
	return progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("import"), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth(),
	)
}

func (o Options) write(row client.ImportRow) error {
	if o.JSON {
		return json.NewEncoder(o.Out).Encode(row)
	}
	wrong := row.Status
	if p := row.Problem; p != nil {
		wrong = p.Detail
		for i, e := range p.Errors {
			if i == 0 {
				wrong = ""
			} else {
				wrong += "; "
			}
			wrong += e.Field + " " + e.Message
		}
	}
	_, err := fmt.Fprintf(o.Out, "%s:%d: %s%s\n", o.FileName, row.Line, skuOf(row), wrong)
	return err
}

func skuOf(row client.ImportRow) string {
	if row.SKU == "" {
		return ""
	}
	return fmt.Sprintf("SKU %q: ", row.SKU)
}

func (o Options) writeSummary(s client.ImportSummary) error {
	if o.JSON {
		return json.NewEncoder(o.Out).Encode(map[string]any{"summary": s})
	}
	dry, incomplete := "", ""
	if s.DryRun {
		dry = " (dry run: nothing was written)"
	}
	if !s.Complete {
		incomplete = "; the file was not read to its end: send it again"
	}
	_, err := fmt.Fprintf(o.Out, "%d rows: %d created, %d updated, %d unchanged, %d refused%s%s\n",
		s.Rows, s.Created, s.Updated, s.Unchanged, s.Refused, dry, incomplete)
	return err
}
