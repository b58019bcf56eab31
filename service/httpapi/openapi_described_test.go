package httpapi

import (
	"bytes"
	"maps"
	"strings"
	"testing"
)

func documented(t testing.TB) []byte {
	t.Helper()
	raw, err := document((&api{}).routes())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A route without a description, or a description without a route, is no document at all.
func TestEveryRouteIsDescribedOnce(t *testing.T) {
	first, again := documented(t), documented(t)
	if !bytes.Equal(first, again) {
		t.Error("the document is another one each time")
	}
	routes := (&api{}).routes()
	if _, err := document(append(routes, route{"GET", "/v1/moons", "list_moons", 0, nil})); err == nil || !strings.Contains(err.Error(), "list_moons") {
		t.Errorf("a route without description: %v", err)
	}
	if _, err := document(routes[1:]); err == nil {
		t.Error("a description without route was taken")
	}
}

// What is explained must be there: an explanation that nothing uses is of something that is gone.
func TestEveryWordIsUsed(t *testing.T) {
	whole := documented(t)
	for i := range areas {
		all := areas[i].words
		for name := range all {
			rest := maps.Clone(all)
			delete(rest, name)
			areas[i].words = rest
			if without, err := document((&api{}).routes()); err == nil && bytes.Equal(without, whole) {
				t.Errorf("area %s explains %q, which the document doesn't use", areas[i].name, name)
			}
		}
		areas[i].words = all
	}
}

// BenchmarkDocument is what the first reader of the document waits for.
func BenchmarkDocument(b *testing.B) {
	for b.Loop() {
		documented(b)
	}
}
