package check

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// metric is one that pods expose: its labels, and whether it has buckets, a sum and a count.
type metric struct {
	labels    []string
	histogram bool
}

// exposed reads the metrics of pods from the code that makes them.
func exposed(t *testing.T) map[string]metric {
	t.Helper()
	files, err := filepath.Glob(root + "/service/telemetry/*.go")
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string]metric{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := goparser.ParseFile(token.NewFileSet(), file, nil, goparser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if call, is := n.(*ast.CallExpr); is {
				collect(call, metrics)
			}
			return true
		})
	}
	if len(metrics) < 20 {
		t.Fatalf("found only %v in %v", metrics, files)
	}
	return metrics
}

// collect takes a call that makes one metric. Every string in it that isn't the name may be a label.
func collect(call *ast.CallExpr, metrics map[string]metric) {
	var names, others []string
	ast.Inspect(call, func(n ast.Node) bool {
		if text, is := n.(*ast.BasicLit); is && text.Kind == token.STRING {
			if s, err := strconv.Unquote(text.Value); err == nil && strings.HasPrefix(s, "stockyard_") {
				names = append(names, s)
			} else if err == nil {
				others = append(others, s)
			}
		}
		return true
	})
	if len(names) != 1 {
		return
	}
	m := metrics[names[0]]
	m.labels = append(m.labels, others...)
	if made, is := call.Fun.(*ast.SelectorExpr); is {
		m.histogram = m.histogram || strings.HasPrefix(made.Sel.Name, "NewHistogram")
	}
	metrics[names[0]] = m
}

// suffixes are those of what a histogram is made of.
var suffixes = []string{"_bucket", "_sum", "_count"}

// lookUp finds the metric of a series' name.
func lookUp(name string, metrics map[string]metric) (metric, bool) {
	if m, there := metrics[name]; there {
		return m, !m.histogram
	}
	for _, suffix := range suffixes {
		if m, there := metrics[strings.TrimSuffix(name, suffix)]; there && m.histogram && strings.HasSuffix(name, suffix) {
			return m, true
		}
	}
	return metric{}, false
}

// others are series that aren't a pod's own: of its process, and what Prometheus makes itself.
var others = []string{"up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes"}

// everywhere are labels that every series may have: Prometheus gives them.
var everywhere = []string{"__name__", "job", "instance", "le", "alertname", "alertstate"}

// query checks an expression: it parses, and asks for what pods expose.
func query(t *testing.T, where, text string, metrics map[string]metric) {
	t.Helper()
	text = strings.NewReplacer("$__rate_interval", "5m", "$region", ".*").Replace(text)
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		selector, is := n.(*parser.VectorSelector)
		if !is || slices.Contains(others, selector.Name) {
			return nil
		}
		m, there := lookUp(selector.Name, metrics)
		if !there {
			t.Errorf("%s: no pod exposes %s", where, selector.Name)
		}
		for _, matcher := range selector.LabelMatchers {
			if !slices.Contains(m.labels, matcher.Name) && !slices.Contains(everywhere, matcher.Name) {
				t.Errorf("%s: %s has no label %s", where, selector.Name, matcher.Name)
			}
		}
		return nil
	})
}
