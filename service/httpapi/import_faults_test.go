package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/httpapi"
	"stockyard/service/store/storetest"
)

// sending is an import whose file is still being sent.
type sending struct {
	*io.PipeWriter
	answer *json.Decoder
}

// sends begins an import with the first rows of a file.
func (p *pod) sends(t *testing.T, first, query string) *sending {
	t.Helper()
	body, file := io.Pipe()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/products/import"+query, body)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", asJSON)
	go func() { _, _ = io.WriteString(file, first) }()
	r, err := p.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = file.Close()
		_ = r.Body.Close()
	})
	if r.StatusCode != http.StatusOK {
		t.Fatal(r.Status)
	}
	return &sending{file, json.NewDecoder(r.Body)}
}

// next waits for the results of so many rows.
func (s *sending) next(t *testing.T, rows int) (got []importedRow) {
	t.Helper()
	for range rows {
		var row importedRow
		if err := s.answer.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if row.Status == "" || row.Status == "refused" {
			t.Fatalf("row became %+v", row)
		}
		got = append(got, row)
	}
	return got
}

// products is a file of products from one number to another.
func products(prefix string, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"sku":"%s-%d","name":"Product %d","category":%q}`+"\n", prefix, i, i, prefix)
	}
	return b.String()
}

// stored gives the versions of the products of a prefix by name.
func (p *pod) stored(t *testing.T, prefix string) map[string]int64 {
	t.Helper()
	found, token := map[string]int64{}, ""
	for {
		page := p.get(t, "/v1/products?page_size=1000&category="+prefix+token).is(t, 200)
		for i := range page.list(t, "items") {
			sku := page.text(t, "items", i, "sku")
			if "Product "+strings.TrimPrefix(sku, prefix+"-") != page.text(t, "items", i, "name") {
				t.Errorf("a product is not what the file says: %s", sku)
			}
			found[sku] = page.int(t, "items", i, "version")
		}
		if !page.has("next_page_token") || page.text(t, "next_page_token") == "" {
			return found
		}
		token = "&page_token=" + page.text(t, "next_page_token")
	}
}

// dial sends a request head and gives the bare connection.
func (p *pod) dial(t *testing.T, headers ...string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	head := append([]string{"POST /v1/products/import HTTP/1.1", "Host: stockyard", "Content-Type: " + asJSON}, headers...)
	if _, err := io.WriteString(conn, strings.Join(head, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func readAnswer(t *testing.T, conn net.Conn) imported {
	t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	return readImported(t, json.NewDecoder(r.Body))
}

func TestImportOfAFileThatIsCutOff(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		for _, chunked := range []bool{false, true} {
			prefix := name("cut")
			file := products(prefix, 0, 3) + fmt.Sprintf(`{"sku":"%s-3","name":"Product 3"}`, prefix)
			var conn net.Conn
			if chunked {
				conn = p.dial(t, "Transfer-Encoding: chunked")
				file = fmt.Sprintf("%x\r\n%s\r\n", len(file), file)
			} else {
				conn = p.dial(t, fmt.Sprintf("Content-Length: %d", len(file)+1))
			}
			if _, err := io.WriteString(conn, file); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got := readAnswer(t, conn)
			if got.summary.Complete || got.summary.Created != 3 || len(got.rows) != 3 || got.problem.Type != "/problems/invalid-request" {
				t.Errorf("chunked %t: %s", chunked, got.raw)
			}
			if len(p.stored(t, prefix)) != 3 || p.version(t, prefix+"-3") != 0 {
				t.Error("a row that was cut off was taken for a whole one")
			}
		}
	})
}

func TestImportFromAClientThatGoesAway(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		ended := make(chan struct{})
		p := start(t, db, america, func(_ *service.Options, o *httpapi.Options) {
			o.Observe = func(operation string, _ int, _ time.Duration) {
				if operation == "import_products" {
					close(ended)
				}
			}
		})
		prefix := name("gone")
		conn := p.dial(t, "Transfer-Encoding: chunked")
		file := products(prefix, 0, 5000)
		go func() { _, _ = fmt.Fprintf(conn, "%x\r\n%s", 2*len(file), file) }()
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		reported := (&sending{nil, json.NewDecoder(r.Body)}).next(t, 700)
		_ = conn.Close()
		<-ended
		stored := p.stored(t, prefix)
		for _, row := range reported {
			if stored[row.SKU] != 1 {
				t.Errorf("row %d was reported, and has version %d", row.Row, stored[row.SKU])
			}
		}
	})
}

// through is a pod that reaches its database by way of a proxy.
func through(t *testing.T, db *storetest.DB, change ...func(*service.Options, *httpapi.Options)) (*pod, *storetest.Proxy) {
	t.Helper()
	proxy := storetest.NewProxy(t, db.URLs[0])
	by := *db
	by.URLs = []string{proxy.URL, proxy.URL, proxy.URL}
	return start(t, &by, america, change...), proxy
}

func TestImportWhileTheDatabaseIsCutOff(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p, proxy := through(t, db)
		prefix := name("away")
		s := p.sends(t, products(prefix, 0, 1500), "")
		s.next(t, 1500)
		proxy.Cut()
		proxy.Refuse(true)
		if _, err := io.WriteString(s, products(prefix, 1500, 3000)); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(300*time.Millisecond, func() { proxy.Refuse(false) })
		s.next(t, 1500)
		// Commits get lost, or their answers do, every other time.
		var commits atomic.Int64
		proxy.OnCommit(func() storetest.Fate { return storetest.Fate(commits.Add(1) % 3) })
		if _, err := io.WriteString(s, products(prefix, 3000, 10000)); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		end := readImported(t, s.answer)
		stored := p.stored(t, prefix)
		if !end.summary.Complete || end.summary.Rows != 10000 || end.summary.Refused != 0 || len(stored) != 10000 {
			t.Errorf("%d products, %+v", len(stored), end.summary)
		}
		for sku, version := range stored {
			if version != 1 {
				t.Errorf("%s was written %d times", sku, version)
			}
		}
	})
}

func TestImportWhenTheDatabaseStaysAway(t *testing.T) {
	t.Parallel()
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p, proxy := through(t, db, func(o *service.Options, _ *httpapi.Options) { o.TxTimeout = 300 * time.Millisecond })
		prefix := name("lost")
		s := p.sends(t, products(prefix, 0, 10), "")
		s.next(t, 10)
		proxy.Refuse(true)
		proxy.Cut()
		if _, err := io.WriteString(s, products(prefix, 10, 20)); err != nil {
			t.Fatal(err)
		}
		// The file isn't at its end: the answer comes all the same.
		got := readImported(t, s.answer)
		if got.summary.Complete || got.summary.Rows != 10 || len(got.rows) != 0 || got.problem.Type != "/problems/unavailable" ||
			got.problem.Instance == "" || strings.Contains(got.problem.Detail, "Idempotency") {
			t.Errorf("answer ends with %s", got.raw)
		}
		proxy.Refuse(false)
		again := p.imports(t, asJSON, products(prefix, 0, 20), "")
		if !again.summary.Complete || again.summary.Unchanged != 10 || again.summary.Created != 10 {
			t.Errorf("sent again: %+v", again.summary)
		}
	})
}

func TestImportEndsWhenItsPodGoesAway(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		draining := make(chan struct{})
		p = start(t, p.DB, america, func(_ *service.Options, o *httpapi.Options) { o.Draining = draining })
		s := p.sends(t, products(name("drained"), 0, 10), "")
		s.next(t, 10)
		close(draining)
		got := readImported(t, s.answer)
		if got.summary.Complete || got.summary.Rows != 10 || got.problem.Type != "/problems/unavailable" {
			t.Errorf("answer ends with %s", got.raw)
		}
	})
}

func TestImportKeepsToTheDeadlineOfItsCaller(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		conn := p.dial(t, "Transfer-Encoding: chunked", "Request-Timeout: 300ms")
		file := products(name("late"), 0, 2)
		if _, err := fmt.Fprintf(conn, "%x\r\n%s\r\n", len(file), file); err != nil {
			t.Fatal(err)
		}
		if got := readAnswer(t, conn); got.summary.Complete || got.problem.Type != "/problems/deadline-exceeded" {
			t.Errorf("answer ends with %s", got.raw)
		}
	})
}

func TestImportFromAClientThatStalls(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		p = start(t, p.DB, america, func(_ *service.Options, o *httpapi.Options) { o.StallTimeout = 300 * time.Millisecond })
		s := p.sends(t, products(name("stalled"), 0, 2), "")
		s.next(t, 2)
		if got := readImported(t, s.answer); got.summary.Complete || !strings.Contains(got.problem.Detail, "stopped coming") {
			t.Errorf("answer ends with %s", got.raw)
		}
	})
}

// Many clients send all of a file before they read the first result.
func TestImportFromAClientThatReadsLast(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		const rows = 40_000
		file := strings.Repeat(fmt.Sprintf("{%600s}\n", ""), rows) // more than all buffers on the way hold
		conn := p.dial(t, fmt.Sprintf("Content-Length: %d", len(file)))
		if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, file); err != nil {
			t.Fatal(err)
		}
		got := readAnswer(t, conn)
		if len(got.rows) != rows || got.summary.Refused != rows || !got.summary.Complete || got.rows[rows-1].Row != rows {
			t.Errorf("%d rows, %+v", len(got.rows), got.summary)
		}
	})
}

func TestImportOfHugeRows(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		a, b, c := name("huge"), name("huge"), name("huge")
		huge := strings.Repeat("x", 3<<20)
		row := func(sku, text string) string {
			return fmt.Sprintf(`{"sku":%q,"name":"x","attributes":{"a":[%s]}}`+"\n", sku, text)
		}
		long := `"` + strings.Repeat("y", 4000) + `"`
		big := long + strings.Repeat(","+long, 250) // a row of nearly 1 MiB is a row
		got := p.imports(t, asJSON, row(a, `"`+huge+`"`)+row(b, big)+huge+"\n"+row(c, "1"), "")
		got.is(t, "refused row", "created", "refused row", "created")
		if got.rows[3].Line != 4 {
			t.Errorf("the last row is at line %d", got.rows[3].Line)
		}
		a, b, c = name("huge"), name("huge"), name("huge")
		csv := "sku,name,description\n" + a + ",\"" + huge + "\n\",x\n" + b + ",x,\"" + strings.Repeat("long\n", 1<<18) + "\"\n" + c + ",x,\n"
		got = p.imports(t, asCSV, csv, "").is(t, "refused row", "refused row", "created")
		if !strings.Contains(got.raw, "lines 2 to 3 of") || got.rows[2].Line != 5+1<<18 {
			t.Errorf("lines: %s", got.raw)
		}
		p.imports(t, asCSV, "sku,name\n"+a+",\"never closed\n"+strings.Repeat("more\n", 1<<19), "").is(t, "refused row")
		if !bytes.Contains([]byte(p.post(t, "/v1/products/import", huge, "Content-Type", asCSV).problem(t, 400, "invalid-request", "header").raw), []byte("1048576")) {
			t.Error("the limit of a row isn't named")
		}
	})
}
