package pod_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/config"
	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/pod"
	"stockyard/service/store/storetest"
)

const (
	readClients = 64
	readRounds  = 5
	readFor     = 3 * time.Second
)

// BenchmarkReads has a pod, with API keys, metrics and the feed on, answer what is available of a SKU
// from its memory and strongly, beside a gin handler that answers the same bytes and pgbench that
// selects the row, in interleaved rounds. It runs once, whatever -benchtime says, and tells medians.
func BenchmarkReads(b *testing.B) {
	db := storetest.Open(b, devdb.PostgreSQL)
	host, key := readPod(b, db)
	request := func(path, host string) []byte {
		return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, host, key)
	}
	cached := request("/v1/availability?sku=tea&consistency=cached", host)
	strongly := request("/v1/availability?sku=tea", host)
	level := request("/v1/stock/NYC/tea", host)
	constant := strings.TrimPrefix(constantServer(b, answerOf(b, host, cached)), "http://")
	ways := []struct {
		name string
		run  func() float64
	}{
		{"gin, a constant", func() float64 { return throughput(b, constant, request("/", constant)) }},
		{"cached availability", func() float64 { return throughput(b, host, cached) }},
		{"strong availability", func() float64 { return throughput(b, host, strongly) }},
		{"strong level", func() float64 { return throughput(b, host, level) }},
		{"pgbench, the row", func() float64 { return pgbenchSelects(b, db.URLs[0]) }},
	}
	rates := make([][]float64, len(ways))
	for range readRounds {
		for i, w := range ways {
			rates[i] = append(rates[i], w.run())
		}
	}
	medians := make([]float64, len(ways))
	for i, w := range ways {
		slices.Sort(rates[i])
		medians[i] = rates[i][readRounds/2]
		b.Logf("%-20s %8.0f/s", w.name, medians[i])
	}
	b.ReportMetric(medians[1]/medians[0], "cached/gin")
	b.ReportMetric(medians[2]/medians[4], "availability/pgbench")
	b.ReportMetric(medians[3]/medians[4], "level/pgbench")
	b.ReportMetric(0, "ns/op")
}

// readPod starts a pod with stock, and gives its address and a key.
func readPod(b *testing.B, db *storetest.DB) (host, key string) {
	b.Helper()
	ctx := b.Context()
	settings := config.Settings{
		Region: db.Topology.Primary, Listen: freePort(b), GRPCListen: freePort(b), OpsListen: freePort(b),
		AllowPostgres: true, BatchSize: 256, QueueSize: 1024, MaxConns: 24, InFlight: 4096, Watchers: 1000, FeedBuffer: 16384, CacheSKUs: 1000,
		RequestTimeout: 15 * time.Second, TxTimeout: 15 * time.Second, ExpiryEvery: time.Second,
		Access:   config.Access{AllowUnverifiedDatabase: true},
		Database: config.Database{DatabaseURL: db.URLs[0]},
	}
	p, err := pod.New(ctx, settings, db.Topology, pod.Build{Version: "bench"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	storetest.Background(b, func(ctx context.Context) { _ = p.Run(ctx) })

	s := service.New(db.Store, service.Options{Region: db.Topology.Primary, Topology: db.Topology})
	b.Cleanup(s.Close)
	who, units := service.Caller{Principal: auth.System("bench"), Key: "bench"}, int64(100)
	made, err := s.CreateKey(ctx, who, service.KeyInput{Name: "bench", Grants: []string{"viewer"}})
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := s.PutLocation(ctx, who, inventory.Location{Name: "NYC", Title: "NYC", Region: db.Topology.Primary, Kind: "warehouse", Country: "US"}, service.Precondition{}); err != nil {
		b.Fatal(err)
	}
	if _, _, err := s.PutProduct(ctx, who, inventory.Product{SKU: "tea", Name: "Tea"}, service.Precondition{}); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Move(ctx, who, service.MovementInput{Kind: "receive", Lines: []service.MovementLineInput{{Location: "NYC", SKU: "tea", Quantity: &units}}}); err != nil {
		b.Fatal(err)
	}
	return settings.Listen, made.Text
}

func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// answerOf asks once the pod is there, until it answers.
func answerOf(b *testing.B, host string, request []byte) []byte {
	b.Helper()
	for tick, deadline := time.Tick(20*time.Millisecond), time.Now().Add(30*time.Second); time.Now().Before(deadline); <-tick {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			continue
		}
		_, _ = conn.Write(request)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && answer.StatusCode == http.StatusOK {
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			_ = conn.Close()
			return body
		}
		_ = conn.Close()
	}
	b.Fatal("the pod doesn't answer")
	return nil
}

// constantServer answers the same bytes to all.
func constantServer(b *testing.B, body []byte) string {
	b.Helper()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", body) })
	server := httptest.NewServer(engine)
	b.Cleanup(server.Close)
	return server.URL
}

// throughput has clients repeat a request, each on a connection of its own. They do as little as they
// can: they run on the machine that is measured.
func throughput(b *testing.B, host string, request []byte) float64 {
	b.Helper()
	var answers atomic.Int64
	var clients sync.WaitGroup
	began := time.Now()
	for range readClients {
		clients.Go(func() {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for time.Since(began) < readFor {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := skipAnswer(r); err != nil {
					b.Error(err)
					return
				}
				answers.Add(1)
			}
		})
	}
	clients.Wait()
	return float64(answers.Load()) / time.Since(began).Seconds()
}

func skipAnswer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.Contains(status, []byte(" 200 ")) {
		return fmt.Errorf("answered %s", status)
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			_, err = r.Discard(length)
			return err
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// pgbenchSelects selects the row by its key, prepared, from as many clients.
func pgbenchSelects(b *testing.B, database string) float64 {
	b.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	program, err := exec.LookPath("pgbench")
	switch {
	case err == nil:
	case len(found) > 0:
		program = found[len(found)-1]
	default:
		b.Skip("there is no pgbench")
	}
	script := filepath.Join(b.TempDir(), "select.sql")
	sql := "SELECT region, sku, location, on_hand, held, allocated, quarantined, incoming, shortfall, version, updated_at FROM stock_levels WHERE region = 'us-east1' AND sku = 'tea' AND location = 'NYC';\n"
	if err := os.WriteFile(script, []byte(sql), 0o600); err != nil {
		b.Fatal(err)
	}
	u, err := url.Parse(database)
	if err != nil {
		b.Fatal(err)
	}
	out, err := exec.CommandContext(b.Context(), program, "-n", "-M", "prepared", "-c", strconv.Itoa(readClients), "-j", "2",
		"-T", strconv.Itoa(int(readFor.Seconds())), "-f", script, u.String()).CombinedOutput()
	if err != nil {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	said := tps.FindSubmatch(out)
	if said == nil {
		b.Fatalf("pgbench gave no rate:\n%s", out)
	}
	rate, err := strconv.ParseFloat(string(said[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}
