package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// chapter is what was known of two shelves after a step of a story.
type chapter struct{ at, from, to string }

// told gives the state of a shelf, now or at a time.
func (p *pod) told(t *testing.T, s shelf, query string) string {
	t.Helper()
	l := p.get(t, s.path()+query).is(t, 200)
	return fmt.Sprintf("on_hand %d held %d allocated %d incoming %d available %d version %d",
		l.int(t, "on_hand"), l.int(t, "held"), l.int(t, "allocated"), l.int(t, "incoming"), l.int(t, "available"), l.int(t, "version"))
}

// One story from the catalogue to the count, over two regions: what the stock was after each step can
// be had again at the end, for either shelf, by the time of the step.
func TestStoryOfTwoShelvesAndTheirHistory(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		from := shelf{p.location(t, america), p.product(t)}
		to := shelf{p.location(t, europe), from.sku}
		var story []chapter
		next := func(a answer, time string) {
			t.Helper()
			story = append(story, chapter{a.text(t, time), p.told(t, from, ""), p.told(t, to, "")})
		}
		next(p.post(t, "/v1/movements", from.movement("receive", 20)).is(t, 201), "recorded_at")
		order := p.post(t, "/v1/reservations", from.reservation(6)).is(t, 201)
		next(order, "updated_at")
		path := "/v1/reservations/" + order.text(t, "id")
		next(p.post(t, path+"/confirm", "").is(t, 200), "updated_at")
		next(p.post(t, path+"/fulfil", `{"lines": [{"line": 1, "quantity": 4}]}`).is(t, 200), "updated_at")
		lorry := p.transfer(t, from, to, 5)
		next(p.post(t, lorry+"/ship", "").is(t, 200), "updated_at")
		next(p.post(t, lorry+"/receive", to.arrival(3)).is(t, 200), "updated_at")
		next(p.post(t, lorry+"/close", `{"disposition": "lost"}`).is(t, 200), "updated_at")
		next(p.post(t, "/v1/movements", from.movement("count", 10)).is(t, 201), "recorded_at")

		if end := story[len(story)-1]; end.from != "on_hand 10 held 0 allocated 2 incoming 0 available 8 version 6" ||
			end.to != "on_hand 3 held 0 allocated 0 incoming 0 available 3 version 3" {
			t.Errorf("in the end: %+v", end)
		}
		for i, c := range story {
			for _, axis := range []string{"recorded", "effective"} {
				query := "?as_of=" + url.QueryEscape(c.at) + "&axis=" + axis
				if got := p.told(t, from, query); got != c.from {
					t.Errorf("step %d, %s: the origin had %s, and now %s", i, axis, c.from, got)
				}
				if got := p.told(t, to, query); got != c.to {
					t.Errorf("step %d, %s: the destination had %s, and now %s", i, axis, c.to, got)
				}
			}
		}
		for query, wrong := range map[string]string{
			"?as_of=yesterday":                          "as_of",
			"?as_of=2026-01-01T0:00:00Z":                "as_of",
			"?as_of=2026-01-01T00:00:00,5Z":             "as_of",
			"?as_of=2026-01-01T00:00:00%2B24:00":        "as_of",
			"?as_of=2999-01-01T00:00:00Z":               "as_of",
			"?axis=recorded":                            "axis",
			"?as_of=2026-01-01T00:00:00Z&axis=weekly":   "axis",
			"?as_of=2026-01-01T00:00:00Z&min_version=1": "as_of",
		} {
			if a := p.get(t, from.path()+query).is(t, 400); !strings.Contains(a.raw, `"field":"`+wrong+`"`) {
				t.Errorf("%s names %s", query, a.raw)
			}
		}
	})
}

// The same story by a client that knows nothing but the document: a generator makes it from there,
// in a module of its own, and it tells the story to a pod.
func TestStoryByAClientGeneratedFromTheDocument(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/story")); err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(published())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "openapi.json"), document, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, command ...string) error {
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
		return nil
	}
	if err := run(t, "go", "mod", "download"); err != nil {
		t.Skipf("NOT TESTED WITH A GENERATED CLIENT: its generator can't be had: %v", err)
	}
	for _, step := range [][]string{
		{"go", "tool", "oapi-codegen", "-generate", "types,client", "-package", "main", "-o", "client.gen.go", "openapi.json"},
		{"go", "vet", "."},
		{"go", "build", "-o", "story", "."},
	} {
		if err := run(t, step...); err != nil {
			t.Fatal(err)
		}
	}
	alone(t, func(t *testing.T, p *pod) {
		if err := run(t, "./story", p.url); err != nil {
			t.Error(err)
		}
	})
}
