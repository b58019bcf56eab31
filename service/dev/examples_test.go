package dev_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// described is an operation of the document, as far as its examples go.
type described struct {
	method, path string
	OperationID  string `json:"operationId"`
	RequestBody  struct {
		Content map[string]struct {
			Examples map[string]struct {
				Value json.RawMessage `json:"value"`
			} `json:"examples"`
		} `json:"content"`
	} `json:"requestBody"`
}

// Operations on something that must be made first, and brought to where they can be run.
var before = map[string][]string{
	"confirm": {"reserve"}, "extend": {"reserve"}, "release": {"reserve"}, "fulfil": {"reserve", "confirm"},
	"ship_transfer": {"create_transfer"}, "cancel_transfer": {"create_transfer"},
	"receive_transfer": {"create_transfer", "ship_transfer"}, "close_transfer": {"create_transfer", "ship_transfer"},
}

// tryExamples sends each example of the document to the demo that it speaks of.
func tryExamples(t *testing.T, port int) {
	t.Helper()
	host := fmt.Sprintf("http://127.0.0.1:%d", port)
	_, raw := ask(t, http.MethodGet, host+"/openapi.json", "", "")
	var doc struct {
		Paths map[string]map[string]described `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]described{}
	for path, item := range doc.Paths {
		for method, d := range item {
			d.method, d.path = strings.ToUpper(method), host+strings.NewReplacer("{sku}", "hoodie-black", "{location}", "new-york", "{channel}", "web", "{webhook}", "shop", "{name}", "low").Replace(path)
			all[d.OperationID] = d
		}
	}
	tried := 0
	for _, method := range []string{"PUT", "POST", "PATCH"} {
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if all[id].method == method {
				tried += all[id].try(t, all)
			}
		}
	}
	if tried < 30 {
		t.Errorf("only %d examples were found", tried)
	}
}

func (d described) try(t *testing.T, all map[string]described) (tried int) {
	t.Helper()
	for media, content := range d.RequestBody.Content {
		for _, name := range slices.Sorted(maps.Keys(content.Examples)) {
			id := ""
			for _, step := range before[d.OperationID] {
				id = all[step].send(t, "application/json", all[step].some(), id)
			}
			d.send(t, media, content.Examples[name].Value, id)
			tried++
		}
	}
	return tried
}

// some gives an example of a body: one that can be had again and again.
func (d described) some() json.RawMessage {
	examples := d.RequestBody.Content["application/json"].Examples
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		if name != "partial" { // takes all there is
			return examples[name].Value
		}
	}
	return nil
}

// send sends an example, which must be accepted, and gives the id of what it made.
func (d described) send(t *testing.T, media string, example json.RawMessage, id string) string {
	t.Helper()
	var file string
	if json.Unmarshal(example, &file) == nil {
		example = json.RawMessage(file)
	}
	status, raw := ask(t, d.method, strings.Replace(d.path, "{id}", id, 1), media, string(example))
	if status >= 300 || strings.Contains(string(raw), "/problems/") {
		t.Errorf("example of %s: %s\n%d %s", d.OperationID, example, status, raw)
	}
	var made struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(raw, &made) // a file's answer is many lines
	return made.ID
}

var asked int

func ask(t *testing.T, method, url, media, body string) (int, []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	asked++
	q.Header.Set("Content-Type", media)
	q.Header.Set("Idempotency-Key", fmt.Sprint("example ", asked))
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, raw
}
