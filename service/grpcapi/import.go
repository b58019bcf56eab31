package grpcapi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

var (
	errStalled = errors.New("the client of a stream stalls")
	errLeaving = errors.New("the pod is going away")
)

// importEnded is an import of which only some rows were taken in.
type importEnded struct{ err error }

func (e *importEnded) Error() string { return "import ended early: " + e.err.Error() }
func (e *importEnded) Unwrap() error { return e.err }

type importStream = grpc.BidiStreamingServer[pb.ImportProductsRequest, pb.ImportProductsResponse]

func (c *catalogue) ImportProducts(stream importStream) error {
	caller := callerOf(stream.Context())
	i := &importing{catalogue: c, stream: stream, requestID: caller.RequestID, messages: make(chan importMessage)}
	go i.receive()
	first, err := i.next(stream.Context())
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	caller.DryRun, i.errorsOnly = first.GetOptions().GetDryRun(), first.GetOptions().GetErrorsOnly()
	summary, err := c.service.ImportProducts(stream.Context(), caller, i.source(first), i.report)
	if err != nil && summary.Rows == 0 {
		return err
	}
	if !i.untaken {
		last := i.send(&pb.ImportProductsResponse{Summary: importSummaryOf(summary)})
		err = cmp.Or(err, last)
	}
	if err != nil {
		return &importEnded{err}
	}
	return nil
}

// importing is one import on its way.
type importing struct {
	*catalogue
	stream     importStream
	requestID  string
	errorsOnly bool
	messages   chan importMessage
	rows       int64
	untaken    bool // a message still waits for the client to take it
}

type importMessage struct {
	*pb.ImportProductsRequest
	err error
}

// receive hands messages on until the stream ends; at the latest that is when the handler returns.
func (i *importing) receive() {
	for {
		m, err := i.stream.Recv()
		select {
		case i.messages <- importMessage{m, err}:
		case <-i.stream.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// next waits for a message, as long as the client is worth waiting for. io.EOF: that was all.
func (i *importing) next(ctx context.Context) (*pb.ImportProductsRequest, error) {
	stalled := time.NewTimer(i.patience)
	defer stalled.Stop()
	select {
	case m := <-i.messages:
		return m.ImportProductsRequest, m.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-i.stopping.Done():
		return nil, errLeaving
	case <-stalled.C:
		return nil, errStalled
	}
}

// source gives the rows of the messages.
func (i *importing) source(first *pb.ImportProductsRequest) service.ImportSource {
	return func(ctx context.Context) iter.Seq2[service.ImportRow, error] {
		return func(yield func(service.ImportRow, error) bool) {
			for m := first; m != nil; {
				for _, row := range m.GetRows() {
					if !yield(i.row(row), nil) {
						return
					}
				}
				var err error
				if m, err = i.next(ctx); err == nil && m.GetOptions() != nil {
					err = service.Invalid(inventory.FieldError{Field: "options", Message: "are for the first message"})
				}
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					yield(service.ImportRow{}, err)
					return
				}
			}
		}
	}
}

func (i *importing) row(r *pb.ImportRow) service.ImportRow {
	i.rows++
	return service.ImportRow{Line: i.rows, Size: proto.Size(r), Product: applyProduct(inventory.Product{SKU: r.GetSku()}, r.GetInput())}
}

// report sends results, few in a message: clients take messages of some MiB only.
func (i *importing) report(results []service.ImportResult) error {
	const most = 100
	var part []*pb.ImportResult
	for n, r := range results {
		if r.Err != nil || !i.errorsOnly {
			part = append(part, i.result(r))
		}
		if len(part) == most || n == len(results)-1 && len(part) > 0 {
			if err := i.send(&pb.ImportProductsResponse{Results: part}); err != nil {
				return err
			}
			part = nil
		}
	}
	return nil
}

func (i *importing) result(r service.ImportResult) *pb.ImportResult {
	result := &pb.ImportResult{Row: r.Row, Status: string(r.Status)}
	if inventory.CheckSKU(r.SKU) == "" {
		result.Sku = r.SKU
	}
	if r.Err != nil {
		result.Error = commandError(r.Err, i.requestID)
	}
	return result
}

// send waits for the client to take a message, as long as it is worth waiting for. One that it gives
// up on ends with the stream.
func (i *importing) send(m *pb.ImportProductsResponse) error {
	sent := make(chan error, 1)
	go func() { sent <- i.stream.Send(m) }()
	stalled := time.NewTimer(i.patience)
	defer stalled.Stop()
	select {
	case err := <-sent:
		return err
	case <-stalled.C:
		i.untaken = true
		return errStalled
	}
}

func importSummaryOf(s service.ImportSummary) *pb.ImportSummary {
	return &pb.ImportSummary{
		Rows: s.Rows, Created: s.Created, Updated: s.Updated, Unchanged: s.Unchanged, Refused: s.Refused,
		Complete: s.Complete, DryRun: s.DryRun,
	}
}
