package pod_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/store/storetest"
)

// certificate writes a certificate for 127.0.0.1 and its key, and gives a client that trusts it.
func certificate(t *testing.T) (cert, key string, client *http.Client) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	der, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: server.Certificate().Raw}, key: {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key, server.Client()
}

func ask(t *testing.T, c *http.Client, url, credential string) (status int, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", credential)
	got, err := c.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	return got.StatusCode, string(raw), err
}

// calls makes gRPC calls over TLS.
func calls(t *testing.T, p *process, trusted *x509.CertPool, key string) {
	t.Helper()
	conn, err := grpc.NewClient(p.grpc, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(trusted, "")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client := pb.NewCatalogueServiceClient(conn)
	for authorization, want := range map[string]codes.Code{"": codes.Unauthenticated, "Bearer nobody": codes.Unauthenticated, "Bearer " + key: codes.OK} {
		_, err := client.ListRegions(metadata.AppendToOutgoingContext(t.Context(), "authorization", authorization), &pb.ListRegionsRequest{})
		if status.Code(err) != want {
			t.Errorf("gRPC with %.10q: %v", authorization, err)
		}
	}
}

// With a certificate the API takes TLS alone and credentials all the same; probes and scrapers find
// their port as ever, and on it when the certificate expires.
func TestServeOverTLS(t *testing.T) {
	binary := build(t)
	cert, key, client := certificate(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		p := &process{
			region: db.Topology.Regions[0].Name, address: freeAddress(t), grpc: freeAddress(t), ops: freeAddress(t), database: db.URLs[0],
			binary: binary, log: filepath.Join(t.TempDir(), "log"), more: []string{"--tls-cert", cert, "--tls-key", key},
		}
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		viewer := p.stockyard(t, "key", "create", "--name", "tls", "--grant", "viewer", "--expires-in", "1h")
		url := "https://" + p.address + regionsPath
		for credential, want := range map[string]int{"": 401, "Bearer nobody": 401, "Bearer " + viewer: 200} {
			if status, body, err := ask(t, client, url, credential); err != nil || status != want {
				t.Errorf("%.10s: %d, %v, %s", credential, status, err, body)
			}
		}
		calls(t, p, client.Transport.(*http.Transport).TLSClientConfig.RootCAs, viewer)
		if status, body, err := ask(t, client, p.url()+regionsPath, "Bearer "+viewer); err == nil && status != http.StatusBadRequest {
			t.Errorf("without TLS: %d, %s", status, body)
		}
		_, metrics, err := ask(t, client, "http://"+p.ops+"/metrics", "")
		if err != nil || !strings.Contains(metrics, "stockyard_tls_certificate_expiry_timestamp_seconds") || !strings.Contains(metrics, `stockyard_authentications_total{kind="key",result="accepted"} 2`) {
			t.Errorf("%v; the metrics lack the certificate, or the two good calls", err)
		}
		secret, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile(p.log)
		if err != nil || bytes.Contains(said, secret[40:80]) || strings.Contains(metrics, viewer[20:]) {
			t.Errorf("a secret is told: %v", err)
		}
	})
}
