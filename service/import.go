package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// MaxImports is how many files a pod takes in at once.
const MaxImports = 4

// ImportRow is a row of a file of products.
type ImportRow struct {
	Line    int64 // of the file, from 1, where the row begins
	Size    int   // bytes of the file
	Product inventory.Product
	Wrong   *inventory.Refusal // why the row could not be read; nil where it could
}

// ImportSource reads a file row by row. It ends soon after its context does. An error is the last
// thing it gives: there may be more rows, but nobody can have them.
type ImportSource func(context.Context) iter.Seq2[ImportRow, error]

// ImportStatus is what became of a row.
type ImportStatus string

// The statuses. An archived product that comes back is created.
const (
	ImportCreated   ImportStatus = "created"
	ImportUpdated   ImportStatus = "updated"
	ImportUnchanged ImportStatus = "unchanged"
	ImportRefused   ImportStatus = "refused"
)

// ImportResult is what became of one row.
type ImportResult struct {
	Row, Line int64 // both from 1
	SKU       string
	Status    ImportStatus
	Err       error // why it was refused
}

// ImportSummary counts what became of the rows that were reported. Complete says that these are
// all rows of the file.
type ImportSummary struct {
	Rows      int64 `json:"rows"`
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Refused   int64 `json:"refused"`
	Complete  bool  `json:"complete"`
	DryRun    bool  `json:"dry_run,omitzero"`
}

func (s *ImportSummary) count(status ImportStatus) {
	s.Rows++
	switch status {
	case ImportCreated:
		s.Created++
	case ImportUpdated:
		s.Updated++
	case ImportUnchanged:
		s.Unchanged++
	case ImportRefused:
		s.Refused++
	}
}

// ImportProducts puts the products of a file, each as PutProduct does without a precondition,
// except that a product that is there as it is given stays at its version. Rows of one SKU take
// effect in their order; a refused row stops no other.
//
// report is given the results in the order of the rows, after the commit. An error of the import
// says why the file was not read to its end: what was reported is stored all the same, and the file
// may be sent again. A dry run writes nothing and compares each row with the catalogue of now.
// Errors: *auth.Denied, those of the source and of report, ErrOverloaded (nothing was read), ErrUnavailable, the
// context's cause.
func (s *Service) ImportProducts(ctx context.Context, caller Caller, rows ImportSource, report func([]ImportResult) error) (ImportSummary, error) {
	summary := ImportSummary{DryRun: caller.DryRun}
	if err := s.may(caller, auth.ImportProducts); err != nil {
		return summary, err
	}
	if !s.imports.enter() {
		return summary, ErrOverloaded
	}
	defer s.imports.leave()
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	i := &importing{service: s, ctx: reading, caller: caller, read: make(chan ImportRow, 64), batches: make(chan *importBatch, cap(s.imports.turns))}
	var running sync.WaitGroup
	var readErr error
	running.Go(func() {
		defer close(i.read)
		readErr = survive(func() error { return i.readRows(rows) })
	})
	running.Go(func() {
		defer close(i.batches)
		i.cutBatches()
	})
	var failed error
	for b := range i.batches {
		<-b.done
		if b.err == nil {
			for _, r := range b.results {
				summary.count(r.Status)
			}
			b.err = report(b.results)
		}
		if b.err != nil && failed == nil {
			failed = b.err
			stop(failed)
		}
	}
	running.Wait()
	return summary, i.end(&summary, cmp.Or(failed, readErr))
}

// end completes the summary and puts it into the audit log: one entry a file, also where nothing
// changed. One that can't be written leaves the import incomplete.
func (i *importing) end(summary *ImportSummary, failed error) error {
	summary.Complete = failed == nil
	if i.caller.DryRun || summary.Rows == 0 {
		return failed
	}
	entry := i.service.setting(i.caller, auth.ImportProducts, "product", "", summary)
	err := i.insist(func(ctx context.Context) error {
		return i.service.store.WriteAudit(ctx, []store.AuditEntry{entry})
	})
	if err != nil {
		summary.Complete = false
	}
	return cmp.Or(failed, err)
}

// readRows hands rows on until the file or the import ends.
func (i *importing) readRows(rows ImportSource) error {
	for row, err := range rows(i.ctx) {
		if i.ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		select {
		case i.read <- row:
		case <-i.ctx.Done():
		}
	}
	return context.Cause(i.ctx)
}

// survive turns a panic, which in a goroutine would end the whole pod, into an error.
func survive(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(ErrInternal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return do()
}

// imports bounds what files take of a pod: so many at once, and so many transactions of all of
// them together, which leaves stock commands the most of the connections.
type imports struct {
	files, turns chan struct{}
}

func newImports(transactions int) imports {
	return imports{files: make(chan struct{}, MaxImports), turns: make(chan struct{}, transactions)}
}

func (i *imports) enter() bool {
	select {
	case i.files <- struct{}{}:
		return true
	default:
		return false
	}
}

func (i *imports) leave() { <-i.files }
