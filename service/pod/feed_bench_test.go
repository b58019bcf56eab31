package pod_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/client"
	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

// feedPace is the time between one change and the next.
const feedPace = 10 * time.Millisecond

// BenchmarkFeed tells how long a change takes to its readers: over REST and server-sent events, with
// more and more readers, and by LISTEN/NOTIFY of a transaction that writes about as much by itself.
// It is told from the beginning of the transaction, which both ways have, and from sending the
// request, which LISTEN/NOTIFY has none of. And what readers cost in memory. It runs once, whatever
// -benchtime says.
func BenchmarkFeed(b *testing.B) {
	binary := build(b)
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		b.Run(string(kind), func(b *testing.B) {
			db := storetest.Open(b, kind)
			y := openFeedYard(b, binary, db)
			b.ReportMetric(0, "ns/op")
			y.readers(b, 1, "tea-0")
			if kind == devdb.PostgreSQL {
				besideNotify(b, db.URLs[0], y)
			} else {
				b.Logf("%-48s %s", "one reader", y.told(b, 300, 1))
			}
			y.readers(b, 99, "tea-0")
			b.Logf("%-48s %s", "100 readers of every change", y.told(b, 300, 1))
			before := y.memory(b)
			for i := range products {
				y.readers(b, 4900/products, fmt.Sprintf("tea-%d", i))
			}
			b.Logf("%-48s %s", "5,000 readers, 149 of them of every change", y.told(b, 100, 1))
			b.Logf("%-48s %s", "5,000 readers, of changes of 100 SKUs in turn", y.told(b, 300, products))
			b.Logf("4,900 readers took %.1f KiB each", float64(y.memory(b)-before)/4900/1024)
		})
	}
}

// besideNotify takes both ways in turn, for the machine's moods last longer than a round.
func besideNotify(b *testing.B, url string, y *feedYard) {
	b.Helper()
	const rounds, times = 7, 200
	n := openNotify(b, url)
	var plain, ours delays
	var ratios []float64
	for range rounds {
		p, o := n.told(b, times), y.told(b, times, 1)
		ratios = append(ratios, float64(o.begun.at(.99))/float64(p.begun.at(.99)))
		plain, ours = plain.and(p), ours.and(o)
	}
	b.Logf("%-48s %s", "LISTEN/NOTIFY", plain)
	b.Logf("%-48s %s", "one reader", ours)
	b.Logf("p99 of one reader / LISTEN/NOTIFY, from the transaction's beginning: median of %d rounds %.2f (%.2f to %.2f)", rounds, middle(ratios), slices.Min(ratios), slices.Max(ratios))
}

// products is how many SKUs there are.
const products = 100

// feedYard is a pod with readers.
type feedYard struct {
	pod  *process
	api  *client.Client
	keys int

	mu      sync.Mutex
	waiting map[string]*change // by reference
	listen  map[string]int     // readers of each SKU
	conns   []net.Conn
}

// change is on its way to its readers.
type change struct {
	left     int
	done     chan struct{}
	recorded time.Time // by the database, when the transaction began
}

func openFeedYard(b *testing.B, binary string, db *storetest.DB) *feedYard {
	b.Helper()
	y := &feedYard{
		pod: &process{
			region: db.Topology.Primary, address: freeAddress(b), grpc: freeAddress(b), database: db.URLs[0], binary: binary,
			log: filepath.Join(b.TempDir(), "pod.log"), more: []string{"--anonymous", "--watchers", "6000"},
		},
		waiting: map[string]*change{}, listen: map[string]int{},
	}
	if err := y.pod.start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(y.pod.kill)
	b.Cleanup(y.hangUp)
	var err error
	if y.api, err = client.New([]string{y.pod.url()}, client.Options{}); err != nil {
		b.Fatal(err)
	}
	if _, err := y.api.PutLocation(b.Context(), client.Location{Name: "NYC", Title: "NYC", Region: db.Topology.Primary, Kind: "store", Country: "US"}); err != nil {
		b.Fatal(err)
	}
	for i := range products {
		if _, err := y.api.PutProduct(b.Context(), client.Product{SKU: fmt.Sprintf("tea-%d", i), Name: "Tea"}); err != nil {
			b.Fatal(err)
		}
	}
	return y
}

// readers adds readers of a SKU, and waits until each has begun.
func (y *feedYard) readers(b *testing.B, n int, sku string) {
	b.Helper()
	for range n {
		go y.read(y.follow(b, "?sku="+sku))
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.listen[sku] += n
}

// follow opens a stream and gives what comes after its beginning.
func (y *feedYard) follow(b *testing.B, query string) *bufio.Reader {
	b.Helper()
	conn, err := net.Dial("tcp", y.pod.address)
	if err != nil {
		b.Fatal(err)
	}
	y.conns = append(y.conns, conn)
	if _, err := fmt.Fprintf(conn, "GET /v1/events%s HTTP/1.1\r\nHost: pod\r\nAccept: text/event-stream\r\n\r\n", query); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewReaderSize(conn, 1024)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if bytes.HasPrefix(line, []byte("HTTP/1.1 ")) && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			b.Fatalf("a reader is answered %s", line)
		}
		if bytes.HasPrefix(line, []byte("id: ")) {
			return lines
		}
	}
}

// hangUp ends all readers.
func (y *feedYard) hangUp() {
	for _, conn := range y.conns {
		_ = conn.Close()
	}
	y.conns = nil
}

func (y *feedYard) read(lines *bufio.Reader) {
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		data, is := bytes.CutPrefix(line, []byte("data: "))
		if !is {
			continue
		}
		var event struct {
			Reference  string    `json:"reference"`
			RecordedAt time.Time `json:"recorded_at"`
		}
		if json.Unmarshal(data, &event) == nil {
			y.heard(event.Reference, event.RecordedAt)
		}
	}
}

func (y *feedYard) heard(reference string, recorded time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if t := y.waiting[reference]; t != nil {
		if t.left--; t.left == 0 {
			t.recorded = recorded
			close(t.done)
			delete(y.waiting, reference)
		}
	}
}

// told changes stock of SKUs in turn, so many times, and gives how long it took until the last of a
// change's readers had heard of it.
func (y *feedYard) told(b *testing.B, times, skus int) delays {
	b.Helper()
	return paced(b, times, func(i int) (time.Time, error) {
		sku := fmt.Sprintf("tea-%d", i%skus)
		y.mu.Lock()
		y.keys++
		reference := strconv.Itoa(y.keys)
		t := &change{left: y.listen[sku], done: make(chan struct{})}
		y.waiting[reference] = t
		y.mu.Unlock()
		line := client.MovementLine{Location: "NYC", SKU: sku, Quantity: 1}
		_, _, err := y.api.Move(b.Context(), reference, client.MovementRequest{Kind: "receive", Reference: reference, Lines: []client.MovementLine{line}})
		if err == nil {
			<-t.done
		}
		return t.recorded, err
	})
}

// memory is what the pod's process has in memory, in bytes.
func (y *feedYard) memory(b *testing.B) int64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", y.pod.cmd.Process.Pid))
	if err != nil {
		b.Skip(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(raw)[1]), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// notify is the plain way: a transaction that writes a row and notifies.
type notify struct {
	writer, listener *pgx.Conn
	written          int
}

func openNotify(b *testing.B, url string) *notify {
	b.Helper()
	connect := func(first string) *pgx.Conn {
		conn, err := pgx.Connect(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(context.WithoutCancel(b.Context())) })
		if _, err := conn.Exec(b.Context(), first); err != nil {
			b.Fatal(err)
		}
		return conn
	}
	return &notify{
		writer:   connect("CREATE TABLE plain_events (id BIGINT PRIMARY KEY, body TEXT)"),
		listener: connect("LISTEN plain_events"),
	}
}

// told writes so many rows, and gives how long it took until the listener heard of each.
func (n *notify) told(b *testing.B, times int) delays {
	b.Helper()
	ctx := b.Context()
	return paced(b, times, func(int) (begun time.Time, err error) {
		n.written++
		batch := &pgx.Batch{}
		batch.Queue("INSERT INTO plain_events VALUES ($1, repeat('x', 400)) RETURNING now()", n.written).QueryRow(func(r pgx.Row) error { return r.Scan(&begun) })
		batch.Queue("SELECT pg_notify('plain_events', repeat('x', 400))")
		if err := n.writer.SendBatch(ctx, batch).Close(); err != nil {
			return begun, err
		}
		_, err = n.listener.WaitForNotification(ctx)
		return begun, err
	})
}

// delays of changes, from when their transactions began and from when they were sent.
type delays struct{ begun, sent latencies }

func (d delays) and(o delays) delays {
	return delays{append(slices.Clone(d.begun), o.begun...), append(slices.Clone(d.sent), o.sent...)}
}

func (d delays) String() string {
	return fmt.Sprintf("from the transaction's beginning %s, from sending %s", d.begun, d.sent)
}

type latencies []time.Duration

func (l latencies) at(share float64) time.Duration {
	return slices.Sorted(slices.Values(l))[int(share*float64(len(l)-1))]
}

func (l latencies) String() string {
	return fmt.Sprintf("median %7v p99 %7v", l.at(.5).Round(10*time.Microsecond), l.at(.99).Round(10*time.Microsecond))
}

// paced does something again and again, and times it.
func paced(b *testing.B, times int, do func(i int) (begun time.Time, err error)) (d delays) {
	b.Helper()
	pace := time.NewTicker(feedPace)
	defer pace.Stop()
	for i := range times {
		<-pace.C
		sent := time.Now()
		begun, err := do(i)
		heard := time.Now()
		if err != nil {
			b.Fatal(err)
		}
		d.begun, d.sent = append(d.begun, heard.Sub(begun)), append(d.sent, heard.Sub(sent))
	}
	return d
}
