package pod_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

// alertRules are those that production has.
const alertRules = "../../k8s/monitoring/alerts.yml"

// prometheus is a running one.
type prometheus struct{ url string }

// startPrometheus starts one that looks at a pod every second, with the rules.
func startPrometheus(t *testing.T, pod string) *prometheus {
	t.Helper()
	program, err := devdb.FindOrInstall(t.Context(), "prometheus", t.Logf)
	if err != nil {
		t.Skipf("NOT TESTED WITH PROMETHEUS: %v", err)
	}
	rules, err := filepath.Abs(alertRules)
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), freeAddress(t)
	settings := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\n"+
		"scrape_configs:\n- {job_name: stockyard, static_configs: [{targets: [%q]}]}\n- {job_name: itself, static_configs: [{targets: [%q]}]}\n",
		rules, pod, address)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "--config.file", settings,
		"--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	log, err := os.Create(filepath.Join(dir, "prometheus.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if said, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("Prometheus said:\n%s", said)
		}
	})
	return &prometheus{"http://" + address}
}

// ask gives the series that a query finds, by their labels.
func (p *prometheus) ask(ctx context.Context, query string) (found []map[string]string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/query?query="+url.QueryEscape(query), http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var body struct {
		Status, Error string
		Data          struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, err
	}
	if body.Status != "success" {
		return nil, fmt.Errorf("%s: %s", query, body.Error)
	}
	for _, r := range body.Data.Result {
		found = append(found, r.Metric)
	}
	return found, nil
}

// wait waits until a query finds something, or, for none, nothing any more.
func (p *prometheus) wait(t *testing.T, query string, none bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		found, err := p.ask(ctx, query)
		if err == nil && (len(found) == 0) == none {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after a minute %s finds %v, %v", query, found, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

const driftFires = `ALERTS{alertname="StockyardDrift", alertstate="firing"}`

// Somebody changes a stock level behind Stockyard's back: within a minute Prometheus calls for help.
func TestDriftIsAlertedWithinAMinute(t *testing.T) {
	binary := build(t)
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		p := &process{
			region: db.Topology.Primary, address: freeAddress(t), grpc: freeAddress(t), database: db.URLs[0],
			binary: binary, log: filepath.Join(t.TempDir(), "pod.log"), more: []string{"--anonymous", "--verify-every", "1s"},
		}
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		s := openShop(t, p.region, []string{p.url()}, 5)
		prom := startPrometheus(t, p.address)

		// The books with the goods in them were verified, by figures that Prometheus has, and the rules
		// were gone through since.
		booked := time.Now().Unix()
		prom.wait(t, fmt.Sprintf("stockyard_verify_last_success_timestamp_seconds > %d and stockyard_drift_violations == 0", booked), false)
		seen := time.Now().Unix()
		prom.wait(t, fmt.Sprintf(`prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group=~".*;stockyard-stock"} > %d`, seen), false)
		if failed, err := prom.ask(t.Context(), "prometheus_rule_evaluation_failures_total > 0"); err != nil || len(failed) > 0 {
			t.Errorf("rules can't be worked out: %v, %v", failed, err)
		}
		if found, err := prom.ask(t.Context(), `ALERTS{alertstate="firing"}`); err != nil || len(found) > 0 {
			t.Fatalf("all is well, and %v fires, %v", found, err)
		}

		db.Exec(t, "UPDATE stock_levels SET on_hand = on_hand + 1 WHERE sku = '"+s.sku+"'")
		began := time.Now()
		prom.wait(t, driftFires, false)
		t.Logf("it fired after %s", time.Since(began).Round(100*time.Millisecond))
		found, err := prom.ask(t.Context(), driftFires)
		if err != nil || len(found) != 1 || found[0]["instance"] != p.address || found[0]["severity"] != "critical" {
			t.Errorf("fires %v, %v", found, err)
		}

		db.Exec(t, "UPDATE stock_levels SET on_hand = on_hand - 1 WHERE sku = '"+s.sku+"'")
		prom.wait(t, driftFires, true)
	})
}
