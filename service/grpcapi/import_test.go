package grpcapi_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"stockyard/service"
	"stockyard/service/grpcapi"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
)

// importing sends messages and gives what comes back: results, the summary, and how it ended.
func (p *pod) importing(t *testing.T, messages ...*pb.ImportProductsRequest) (results []*pb.ImportResult, summary *pb.ImportSummary, err error) {
	t.Helper()
	stream, err := p.catalogue.ImportProducts(with(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return results, summary, nil
		}
		if err != nil {
			return results, summary, err
		}
		results, summary = append(results, m.GetResults()...), m.GetSummary()
	}
}

func row(sku, called string) *pb.ImportRow {
	return &pb.ImportRow{Sku: sku, Input: &pb.ProductInput{Name: called}}
}

func TestImport(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b := name("import"), name("import")
		first := &pb.ImportProductsRequest{Rows: []*pb.ImportRow{row(a, "Tea"), row(" ", ""), row(b, "Coffee")}}
		second := &pb.ImportProductsRequest{Rows: []*pb.ImportRow{row(a, "Green tea"), row(b, "Coffee")}}
		dry := &pb.ImportProductsRequest{Options: &pb.ImportOptions{DryRun: true, ErrorsOnly: true}, Rows: first.GetRows()}
		results, summary, err := p.importing(t, dry)
		if err != nil || len(results) != 1 || !summary.GetDryRun() || summary.GetCreated() != 2 {
			t.Errorf("dry: %v, %v, %v", results, summary, err)
		}
		results, summary, err = p.importing(t, first, second)
		if err != nil || len(results) != 5 || !summary.GetComplete() {
			t.Fatalf("%v, %v, %v", results, summary, err)
		}
		for i, want := range []string{"created", "refused", "created", "updated", "unchanged"} {
			if results[i].GetRow() != int64(i+1) || results[i].GetStatus() != want {
				t.Errorf("row %d: %v, want %s", i+1, results[i], want)
			}
		}
		if got := strings.Join(wrong(t, statusOf(results[1].GetError())), " "); got != "sku name" {
			t.Errorf("wrong are %s", got)
		}
		if got := ok(p.catalogue.GetProduct(with(t), &pb.GetProductRequest{Sku: a}))(t).GetProduct(); got.GetName() != "Green tea" || got.GetVersion() != 2 {
			t.Errorf("it is %v", got)
		}
		if results, summary, err := p.importing(t); err != nil || len(results) != 0 || !summary.GetComplete() {
			t.Errorf("nothing: %v, %v, %v", results, summary, err)
		}
		// Many, in many messages, with results that come in many.
		var many []*pb.ImportProductsRequest
		for range 25 {
			m := &pb.ImportProductsRequest{}
			for range 50 {
				m.Rows = append(m.Rows, row(name("import"), "One of many"))
			}
			many = append(many, m)
		}
		if results, summary, err = p.importing(t, many...); err != nil || len(results) != 1250 || summary.GetCreated() != 1250 {
			t.Errorf("%d results, %v, %v", len(results), summary, err)
		}
	})
}

// What ends an import early leaves what was reported, and says so.
func TestAnImportThatEndsEarly(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := start(t, db, america, func(_ *service.Options, o *grpcapi.Options) { o.Patience = 400 * time.Millisecond })
		sku := name("import")
		late := &pb.ImportProductsRequest{Options: &pb.ImportOptions{DryRun: true}}
		results, summary, err := p.importing(t, &pb.ImportProductsRequest{Rows: []*pb.ImportRow{row(sku, "Tea")}}, late)
		st := fails(results, err)(t, codes.InvalidArgument, "invalid-request")
		if fields := wrong(t, st); fields[0] != "options" || summary.GetComplete() {
			t.Errorf("wrong are %v, %v", fields, summary)
		}
		// One that stalls.
		stream, err := p.catalogue.ImportProducts(with(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&pb.ImportProductsRequest{Rows: []*pb.ImportRow{row(sku, "Tea")}}); err != nil {
			t.Fatal(err)
		}
		got, err := stream.Recv()
		for ; err == nil; got, err = stream.Recv() {
			if s := got.GetSummary(); s != nil && (s.GetRows() != 1 || s.GetComplete()) {
				t.Errorf("it counts %v", s)
			}
		}
		if st := fails(got, err)(t, codes.DeadlineExceeded, "deadline-exceeded"); !strings.Contains(st.Message(), "may be sent again") {
			t.Errorf("it says %q", st.Message())
		}
		// One that is under way when the pod goes.
		stream, err = p.catalogue.ImportProducts(with(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&pb.ImportProductsRequest{Rows: []*pb.ImportRow{row(sku, "Tea")}}); err != nil {
			t.Fatal(err)
		}
		if got, err := stream.Recv(); err != nil || got.GetResults()[0].GetStatus() != "unchanged" {
			t.Fatalf("%v, %v", got, err)
		}
		if err := p.server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		for err = nil; err == nil; _, err = stream.Recv() {
		}
		fails(got, err)(t, codes.Unavailable, "unavailable")
	})
}

// A client that takes nothing of what it is sent does not keep its place. What was sent before, and
// why it ended, is there for it when it comes to read.
func TestAnImportWhoseClientDoesNotRead(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		ended := make(chan string, 1)
		p := start(t, db, america, func(_ *service.Options, o *grpcapi.Options) {
			o.Patience = 400 * time.Millisecond
			o.Observe = func(operation, code string, _ time.Duration) { ended <- operation + " " + code }
		})
		stream, err := p.catalogue.ImportProducts(with(t))
		if err != nil {
			t.Fatal(err)
		}
		refused := &pb.ImportProductsRequest{}
		for range 1000 {
			refused.Rows = append(refused.Rows, row("", ""))
		}
		go func() {
			for stream.Send(refused) == nil {
			}
		}()
		select {
		case how := <-ended:
			if how != "import_products DeadlineExceeded" {
				t.Errorf("it ended as %s", how)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it goes on")
		}
		rows := 0
		var m *pb.ImportProductsResponse
		for ; err == nil; m, err = stream.Recv() {
			rows += len(m.GetResults())
		}
		fails(m, err)(t, codes.DeadlineExceeded, "deadline-exceeded")
		if rows == 0 {
			t.Error("nothing was reported")
		}
	})
}
