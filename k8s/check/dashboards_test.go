package check

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

type dashboard struct {
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Templating struct {
		List []struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []panelQuery `json:"list"`
	} `json:"annotations"`
	Panels []struct {
		ID         int    `json:"id"`
		Title      string `json:"title"`
		Type       string `json:"type"`
		Datasource source `json:"datasource"`
		GridPos    struct{ X, Y, W, H int }
		Targets    []panelQuery `json:"targets"`
	} `json:"panels"`
}

type source struct {
	UID string `json:"uid"`
}

type panelQuery struct {
	RefID      string `json:"refId"`
	Datasource source `json:"datasource"`
	Expr       string `json:"expr"`
}

func TestDashboardsAskForWhatPodsExpose(t *testing.T) {
	files, err := filepath.Glob(monitoring + "/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	metrics, taken := exposed(t), map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		var d dashboard
		if err := json.Unmarshal([]byte(read(t, "dashboards/"+name)), &d); err != nil {
			t.Fatal(name, err)
		}
		if d.UID+".json" != name || d.Title == "" || taken[d.Title] != "" {
			t.Errorf("%s has uid %q and title %q, as has %q", name, d.UID, d.Title, taken[d.Title])
		}
		taken[d.Title] = name
		d.check(t, metrics)
	}
}

// check is what makes a dashboard work in anybody's Grafana.
func (d dashboard) check(t *testing.T, metrics map[string]metric) {
	t.Helper()
	variables := map[string]string{}
	for _, v := range d.Templating.List {
		variables[v.Name] = v.Type
	}
	if variables["datasource"] != "datasource" || variables["region"] != "query" {
		t.Errorf("%s can't be told which Prometheus and region: %v", d.UID, variables)
	}
	ask := func(where string, q panelQuery) {
		if q.Datasource.UID != "${datasource}" {
			t.Errorf("%s asks %q", where, q.Datasource.UID)
		}
		query(t, where, q.Expr, metrics)
	}
	for _, a := range d.Annotations.List {
		ask(d.UID+", annotation", a)
	}
	ids, titles := map[int]bool{}, map[string]bool{}
	for _, p := range d.Panels {
		where := d.UID + ", " + p.Title
		if p.Title == "" || ids[p.ID] || titles[p.Title] {
			t.Errorf("%s: panel %d has no title or id of its own", where, p.ID)
		}
		ids[p.ID], titles[p.Title] = true, true
		if p.GridPos.W < 1 || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.H < 1 {
			t.Errorf("%s: is at %v", where, p.GridPos)
		}
		if p.Type != "row" && (len(p.Targets) == 0 || p.Datasource.UID != "${datasource}") {
			t.Errorf("%s: asks nothing, or %q", where, p.Datasource.UID)
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if q.RefID == "" || refs[q.RefID] {
				t.Errorf("%s: query %q has no name of its own", where, q.RefID)
			}
			refs[q.RefID] = true
			ask(where, q)
		}
	}
}

// Kubernetes gets every dashboard, and pods are looked for where they are.
func TestMonitoringIsWhole(t *testing.T) {
	objects := build(t, monitoring)
	files, err := filepath.Glob(monitoring + "/dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	given := find(objects, "ConfigMap", "stockyard-dashboards").Data
	if len(given) != len(files) {
		t.Errorf("Grafana gets %v of %v", slices.Sorted(maps.Keys(given)), files)
	}
	var monitor struct {
		Spec struct {
			JobLabel            string   `json:"jobLabel"`
			Selector            Selector `json:"selector"`
			PodMetricsEndpoints []struct {
				Port string `json:"port"`
			} `json:"podMetricsEndpoints"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "podmonitor.yaml")), &monitor); err != nil {
		t.Fatal(err)
	}
	pods := find(build(t, root+"/k8s/overlays/us-east1"), "Deployment", "stockyard").Spec.Template
	if !within(monitor.Spec.Selector.MatchLabels, pods.Metadata.Labels) || pods.Metadata.Labels[monitor.Spec.JobLabel] != "stockyard" {
		t.Errorf("%v with the job by %s finds no pods: %v", monitor.Spec.Selector, monitor.Spec.JobLabel, pods.Metadata.Labels)
	}
	for _, e := range monitor.Spec.PodMetricsEndpoints {
		if !slices.ContainsFunc(pods.Spec.Containers[0].Ports, func(p struct {
			Name string `json:"name"`
		},
		) bool {
			return p.Name == e.Port
		}) {
			t.Errorf("pods have no port %s", e.Port)
		}
	}
}
