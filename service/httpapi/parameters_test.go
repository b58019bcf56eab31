package httpapi_test

import (
	"slices"
	"strings"
	"testing"
)

// A request with a parameter that nothing has is told which ones there are: they are the document's.
func TestParametersAreThoseOfTheDocument(t *testing.T) {
	shared(t, func(t *testing.T, p *pod) {
		s := p.shelf(t, 1)
		paths := strings.NewReplacer("{location}", s.location, "{sku}", s.sku, "{channel}", "web", "{webhook}", "shop", "{id}", "us-east1.00000000000000000000000000")
		for _, op := range operations() {
			var documented []string
			for _, q := range op.parameters("query") {
				documented = append(documented, q.text("name"))
			}
			a := p.do(t, op.method, paths.Replace(op.path)+"?no_such=1", "{}").is(t, 400)
			for i := range a.list(t, "errors") {
				if a.text(t, "errors", i, "field") != "no_such" {
					continue
				}
				_, taken, _ := strings.Cut(a.text(t, "errors", i, "message"), "it takes ")
				got := strings.Split(strings.Replace(taken, "none", "", 1), ", ")
				got = slices.DeleteFunc(got, func(name string) bool { return name == "" })
				slices.Sort(got)
				slices.Sort(documented)
				if !slices.Equal(got, documented) {
					t.Errorf("%s takes %v, and the document says %v", op.id, got, documented)
				}
			}
		}
	})
}
