package check

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write k8s/monitoring/prometheusrule.yaml anew")

const monitoring = root + "/k8s/monitoring"

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func alerts(t *testing.T) (rules []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, "alerts.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		rules = append(rules, g.Rules...)
	}
	if len(rules) == 0 {
		t.Fatal("there are none")
	}
	return rules
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAlertsAskForWhatPodsExpose(t *testing.T) {
	metrics := exposed(t)
	for _, r := range alerts(t) {
		query(t, r.Alert, r.Expr, metrics)
	}
}

// Whoever is woken up learns what it is, and where it says what to do.
func TestAlertsSayWhatToDo(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^## (\S+)$`)
	sections := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(read(t, "README.md"), -1) {
		sections["k8s/monitoring/README.md#"+strings.ToLower(h[1])] = true
	}
	for _, r := range alerts(t) {
		if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
			t.Errorf("%s has severity %q", r.Alert, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s says nothing", r.Alert)
		}
		book := r.Annotations["runbook_url"]
		if !sections[book] {
			t.Errorf("%s has the runbook %q, which isn't there", r.Alert, book)
		}
		if !strings.HasSuffix(book, "#"+strings.ToLower(r.Alert)) {
			t.Errorf("%s has another's runbook: %s", r.Alert, book)
		}
		delete(sections, book)
	}
	for left := range sections {
		t.Errorf("%s is about no alert", left)
	}
}

// An alert that can only be had of the primary region's pods names the right one.
func TestAlertsNameThePrimaryRegion(t *testing.T) {
	var topology struct {
		Primary string `json:"primary"`
	}
	text, err := os.ReadFile(root + "/regions/topology.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &topology); err != nil || topology.Primary == "" {
		t.Fatal(topology, err)
	}
	for _, named := range regexp.MustCompile(`region="([^"]*)"`).FindAllStringSubmatch(read(t, "alerts.yml"), -1) {
		if named[1] != topology.Primary {
			t.Errorf("an alert is about %s, and the primary region is %s", named[1], topology.Primary)
		}
	}
}

type unitTests struct {
	Tests []struct {
		AlertRuleTest []struct {
			Alertname string `json:"alertname"`
			ExpAlerts []any  `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	} `json:"tests"`
}

// Each alert is seen to fire, and not to.
func TestAlertsAreTested(t *testing.T) {
	var tests unitTests
	if err := yaml.Unmarshal([]byte(read(t, "alerts_test.yml")), &tests); err != nil {
		t.Fatal(err)
	}
	fires, rests := map[string]bool{}, map[string]bool{}
	for _, test := range tests.Tests {
		for _, a := range test.AlertRuleTest {
			fires[a.Alertname] = fires[a.Alertname] || len(a.ExpAlerts) > 0
			rests[a.Alertname] = rests[a.Alertname] || len(a.ExpAlerts) == 0
		}
	}
	for _, r := range alerts(t) {
		if !fires[r.Alert] || !rests[r.Alert] {
			t.Errorf("%s: seen to fire: %t; seen not to: %t", r.Alert, fires[r.Alert], rests[r.Alert])
		}
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skipf("ALERTS NOT TESTED: %v (Debian's package prometheus has it)", err)
	}
	for _, args := range [][]string{
		{"check", "rules", "alerts.yml"},
		{"test", "rules", "alerts_test.yml"},
		{"check", "config", "--syntax-only", "../compose/prometheus.yml"},
	} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = monitoring
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
}

// The Prometheus operator is given the same rules.
func TestKubernetesHasTheSameAlerts(t *testing.T) {
	_, groups, found := strings.Cut("\n"+read(t, "alerts.yml"), "\ngroups:\n")
	if !found {
		t.Fatal("alerts.yml has no groups")
	}
	want := "# alerts.yml for the Prometheus operator: `go test -run Kubernetes -update` in k8s/check makes it.\n" +
		"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: stockyard\n" +
		"  labels:\n    app.kubernetes.io/name: stockyard\nspec:\n  groups:\n" +
		regexp.MustCompile(`(?m)^(.+)$`).ReplaceAllString(groups, "  $1")
	if *update {
		if err := os.WriteFile(filepath.Join(monitoring, "prometheusrule.yaml"), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, "prometheusrule.yaml") != want {
		t.Error("prometheusrule.yaml isn't what alerts.yml says: `go test -run Kubernetes -update`")
	}
}
