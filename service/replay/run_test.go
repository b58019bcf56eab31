package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"stockyard/service/replay"
)

// script is a server that answers as it is told and knows no rules of stock: commands by key,
// refused or done; levels and the verdict of verify as given.
type script struct {
	region  string
	refused map[string]int    // key -> status
	levels  map[string]string // location -> items, as JSON
	clean   bool

	mu   sync.Mutex
	keys []string
}

var problems = map[int]string{409: "insufficient-stock", 422: "idempotency-key-reused"}

func (s *script) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	key := q.Header.Get("Idempotency-Key")
	switch {
	case q.URL.Path == "/v1/regions":
		fmt.Fprintf(w, `{"answered_by": %q}`, s.region)
	case q.URL.Path == "/v1/verify":
		fmt.Fprintf(w, `{"clean": %t, "checks": [{"name": "sums", "checked": 2, "violations": []}]}`, s.clean)
	case q.URL.Path == "/v1/stock":
		fmt.Fprintf(w, `{"items": [%s]}`, s.levels[q.URL.Query().Get("location")])
	case q.Method == http.MethodPut:
		fmt.Fprint(w, `{}`)
	default:
		s.mu.Lock()
		s.keys = append(s.keys, key)
		s.mu.Unlock()
		if status := s.refused[key]; status != 0 {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"type": "/problems/%s", "status": %d}`, problems[status], status)
			return
		}
		fmt.Fprintf(w, `{"id": %q}`, "id of "+key)
	}
}

// seen are the keys in the order they came, of one worker a region.
func (s *script) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys)
}

func run(t *testing.T, file string, servers ...*script) (*replay.Summary, error) {
	t.Helper()
	o := replay.Options{File: strings.NewReader(file), FileName: "sales.csv", OpeningPercent: 100, Workers: 1, Progress: t.Output()}
	for _, s := range servers {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		o.Targets = append(o.Targets, server.URL)
	}
	return replay.Run(t.Context(), o)
}

const tail = ",2010-12-01 08:26:00,2.55,,"

func TestABadFileSendsNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { t.Errorf("%s %s", q.Method, q.URL) }))
	defer server.Close()
	_, err := replay.Run(t.Context(), replay.Options{
		File: strings.NewReader(header + "1,A,x,6" + tail + "France\n1,A,x,six" + tail + "France\n"), FileName: "sales.csv", Targets: []string{server.URL},
	})
	var file *replay.FileError
	if !errors.As(err, &file) {
		t.Error(err)
	}
	for _, percent := range []int{-1, 1001} {
		if _, err := replay.Run(t.Context(), replay.Options{OpeningPercent: percent, Targets: []string{server.URL}}); err == nil {
			t.Errorf("%d percent were accepted", percent)
		}
	}
}

func TestCommandsInOrderAtTheirRegion(t *testing.T) {
	t.Parallel()
	europe := &script{region: "europe-west1", clean: true, levels: map[string]string{
		"LON": `{"sku": "A", "on_hand": 4}, {"sku": "B"}, {"sku": "not ours", "on_hand": 3}`,
	}}
	america := &script{region: "us-east1", clean: true, refused: map[string]int{"replay-3-NYC-adjust-2": 409}, levels: map[string]string{
		"NYC": `{"sku": "A", "on_hand": 2}`,
	}}
	s, err := run(t, header+"1,A,x,6"+tail+"France\n3,A,x,1"+tail+"USA\n3,A,x,-2"+tail+"USA\nC2,A,x,-4"+tail+"France\n1,B,,0"+tail+"France\n", europe, america)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := europe.seen(), []string{
		"replay-opening-LON-1", "replay-1-LON-reserve", "replay-1-LON-confirm", "replay-1-LON-fulfil", "replay-C2-LON-return",
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("Europe got %v, want %v", got, want)
	}
	if got, want := america.seen(), []string{
		"replay-opening-NYC-1", "replay-3-NYC-reserve", "replay-3-NYC-confirm", "replay-3-NYC-fulfil", "replay-3-NYC-adjust-2",
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("America got %v, want %v", got, want)
	}
	total := s.Total
	if total.Rows != 5 || total.ZeroRows != 1 || total.Invoices != 3 || total.Commands != 15 || total.RefusedWriteOffs != 1 || total.RefusedReservations != 0 {
		t.Errorf("%+v", total)
	}
	if !s.Proof.Holds() || s.Proof.Compared != 3 || s.Proof.Others != 1 {
		t.Errorf("%+v", s.Proof)
	}
	var text bytes.Buffer
	if err := s.Write(&text); err != nil || !strings.Contains(text.String(), "proof: 3 stock levels compared, 0 differences, verify is clean") {
		t.Errorf("%v\n%s", err, &text)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
}

func TestAnInvoiceOfSeveralPartsIsSoldAsAWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	server := &script{clean: true, refused: map[string]int{"replay-1-LON-reserve-3": 409}, levels: map[string]string{"LON": `{"sku": "A", "on_hand": 2500}`}}
	s, err := run(t, header+strings.Repeat("1,A,x,1"+tail+"France\n", 2500), server)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"replay-opening-LON-1", "replay-1-LON-reserve", "replay-1-LON-reserve-2", "replay-1-LON-reserve-3", "replay-1-LON-release", "replay-1-LON-release-2",
	}
	if got := server.seen(); !reflect.DeepEqual(got, want) || s.Total.RefusedReservations != 1 {
		t.Errorf("got %v, %d refused", got, s.Total.RefusedReservations)
	}
}

func TestAnotherOpeningIsRefusedBeforeAnyInvoice(t *testing.T) {
	t.Parallel()
	server := &script{refused: map[string]int{"replay-opening-LON-1": 422}}
	s, err := run(t, header+"1,A,x,6"+tail+"France\n2,A,x,6"+tail+"USA\n", server)
	if !errors.Is(err, replay.ErrOtherOpening) || len(server.seen()) != 1 || s == nil || s.Proof != nil {
		t.Errorf("%v after %v", err, server.seen())
	}
}

func TestTheProofFails(t *testing.T) {
	t.Parallel()
	const file = header + "1,A,x,6" + tail + "France\n1,B,x,6" + tail + "USA\n"
	for name, c := range map[string]struct {
		server *script
		want   []replay.Difference
	}{
		"books differ": {
			&script{clean: true, levels: map[string]string{"LON": `{"sku": "A", "on_hand": 2, "held": 1, "shortfall": 3}`, "SIN": `{"sku": "B", "on_hand": 5, "allocated": 5}`}},
			[]replay.Difference{{"LON", "A", "held", 0, 1}, {"LON", "A", "on_hand", 0, 2}, {"LON", "A", "shortfall", 0, 3}, {"SIN", "B", "allocated", 0, 5}, {"SIN", "B", "on_hand", 0, 5}},
		},
		"verify": {&script{clean: false}, []replay.Difference{}},
	} {
		s, err := run(t, file, c.server)
		if !errors.Is(err, replay.ErrProof) || !reflect.DeepEqual(s.Proof.Differences, c.want) {
			t.Errorf("%s: %v, %+v", name, err, s.Proof)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	rules := &script{clean: true}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/confirm") {
			cancel()
		}
		rules.ServeHTTP(w, q)
	}))
	defer server.Close()
	s, err := replay.Run(ctx, replay.Options{File: strings.NewReader(header + "1,A,x,6" + tail + "France\n"), Targets: []string{server.URL}, OpeningPercent: 100})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run it again") || s.Total.Invoices != 0 {
		t.Errorf("%v, %+v", err, s)
	}
}
