package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"stockyard/service/httpapi"
)

// open gets something that is there without a service, a database or a credential.
func open(t *testing.T, server *httptest.Server, path string, headers ...string) (status int, header http.Header, raw string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	r, err := server.Client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, string(body)
}

func TestDocumentIsServedOnce(t *testing.T) {
	server := httptest.NewServer(httpapi.New(nil, httpapi.Options{}))
	defer server.Close()
	status, header, raw := open(t, server, "/openapi.json")
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(raw), &doc); err != nil || status != 200 || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v: %v", status, header, err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Paths["/v1/stock/{location}/{sku}"]["get"] == nil {
		t.Errorf("OpenAPI %s, paths %v", doc.OpenAPI, doc.Paths)
	}
	etag := header.Get("ETag")
	if status, _, raw := open(t, server, "/openapi.json", "If-None-Match", etag); status != http.StatusNotModified || raw != "" || etag == "" {
		t.Errorf("asked again with ETag %s: %d, %d bytes", etag, status, len(raw))
	}
}

var (
	loaded = regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	inline = regexp.MustCompile(`<script>|<script [^>]*>[^<]|<style|style=| on[a-z]+=`)
	styled = regexp.MustCompile(`url\(["']?([^"')]*)|@import`)
)

// Nothing of the pages leaves the host, and the browser is told so.
func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	server := httptest.NewServer(httpapi.New(nil, httpapi.Options{}))
	defer server.Close()
	status, header, page := open(t, server, "/docs")
	policy := header.Get("Content-Security-Policy")
	if status != 200 || !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Fatalf("%d, policy %q", status, policy)
	}
	if found := inline.FindString(page); found != "" {
		t.Errorf("the page has %q, which the policy forbids", found)
	}
	files := loaded.FindAllStringSubmatch(page, -1)
	if len(files) < 4 {
		t.Errorf("the page loads %v", files)
	}
	for _, file := range files {
		if !strings.HasPrefix(file[1], "/") || strings.HasPrefix(file[1], "//") {
			t.Errorf("the page loads %s", file[1])
			continue
		}
		status, _, raw := open(t, server, file[1])
		if status != 200 || len(raw) < 100 {
			t.Errorf("%s: %d, %d bytes", file[1], status, len(raw))
		}
		if strings.HasSuffix(file[1], ".css") {
			for _, url := range styled.FindAllStringSubmatch(raw, -1) {
				if !strings.HasPrefix(url[1], "data:") {
					t.Errorf("%s loads %q", file[1], url[0])
				}
			}
		}
	}
	if status, _, script := open(t, server, "/docs/start.js"); status != 200 || !strings.Contains(script, `"/openapi.json"`) || strings.Contains(script, "//") {
		t.Errorf("%d %s", status, script)
	}
}
