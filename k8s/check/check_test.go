package check

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const root = "../.."

// kustomizations are all folders that `kubectl apply -k` is for.
func kustomizations(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(root+"/k8s", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "kustomization.yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), "kind: Kustomization") {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	})
	if err != nil || len(dirs) < 10 {
		t.Fatalf("found %v, %v", dirs, err)
	}
	return dirs
}

// onCloud is a folder with another cloud's component on top of it.
func onCloud(t *testing.T, dir, cloud string) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	rel := func(path string) string {
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(top, abs)
		if err != nil {
			t.Fatal(err)
		}
		return rel
	}
	text := "kind: Kustomization\nresources: [" + rel(dir) + "]\ncomponents: [" + rel(root+"/k8s/clouds/"+cloud) + "]\n"
	if err := os.WriteFile(filepath.Join(top, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return top
}

func build(t *testing.T, dir string) []*Object {
	t.Helper()
	objects, err := Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestEveryManifestIsOneThatKubernetesTakes(t *testing.T) {
	validator, err := NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, dir string) {
		objects := build(t, dir)
		for _, o := range objects {
			if err := validator.Validate(o); err != nil {
				t.Error(err)
			}
		}
		for _, broken := range Rules(objects) {
			t.Error(broken)
		}
	}
	for _, dir := range kustomizations(t) {
		t.Run(strings.TrimPrefix(dir, root+"/"), func(t *testing.T) { check(t, dir) })
	}
	clouds, err := os.ReadDir(root + "/k8s/clouds")
	if err != nil {
		t.Fatal(err)
	}
	for _, cloud := range clouds {
		for _, dir := range []string{"overlays/us-east1", "cockroachdb/overlays/us-east1"} {
			t.Run(dir+" on "+cloud.Name(), func(t *testing.T) { check(t, onCloud(t, root+"/k8s/"+dir, cloud.Name())) })
		}
	}
}

// What is wrong is found: by the schemas, or by the rules.
func TestWhatIsWrongIsFound(t *testing.T) {
	validator, err := NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ kind, from, to, says string }{
		"a misspelt field":       {"Deployment", `"securityContext":`, `"securityContexts":`, "securityContexts"},
		"a wrong type":           {"Deployment", `"maxUnavailable":0`, `"maxUnavailable":[]`, "maxUnavailable"},
		"a word that isn't one":  {"Certificate", `"rotationPolicy":"Always"`, `"rotationPolicy":"Sometimes"`, "rotationPolicy"},
		"a resource of others":   {"Certificate", `"secretName":"stockyard-tls"`, `"secret":"stockyard-tls"`, "secretName"},
		"no probe":               {"Deployment", `"readinessProbe":`, `"x":`, "no readiness probe"},
		"a probe of no port":     {"Deployment", `"port":"ops"`, `"port":"opps"`, "no such name"},
		"no limit":               {"Deployment", `"limits":{"memory":"1Gi"}`, `"limits":{}`, "a limit of memory"},
		"privileges":             {"Deployment", `"allowPrivilegeEscalation":false`, `"allowPrivilegeEscalation":true`, "privilege"},
		"root":                   {"Deployment", `"runAsNonRoot":true`, `"runAsNonRoot":false`, "runAsNonRoot"},
		"no version":             {"Deployment", `:0.1.0"`, `:latest"`, "want a version"},
		"killed while it drains": {"Deployment", `"terminationGracePeriodSeconds":50`, `"terminationGracePeriodSeconds":30`, "needs up to 43s"},
		"one zone":               {"Deployment", `topology.kubernetes.io/zone`, `topology.kubernetes.io/region`, "zones"},
		"budget of others":       {"PodDisruptionBudget", `"app.kubernetes.io/component":"api"`, `"app.kubernetes.io/component":"web"`, "selects nothing"},
		"scales what isn't":      {"HorizontalPodAutoscaler", `"kind":"Deployment","name":"stockyard"`, `"kind":"Deployment","name":"stock"`, "isn't there"},
		"settings that aren't":   {"Deployment", `"configMapRef":{"name":"stockyard-settings`, `"configMapRef":{"name":"settings`, "isn't there"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := build(t, root+"/k8s/overlays/us-east1")
			i := slices.IndexFunc(objects, func(o *Object) bool { return o.Kind == c.kind })
			text, err := json.Marshal(objects[i].raw)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), c.from) {
				t.Fatalf("%s has no %s: %s", objects[i], c.from, text)
			}
			if objects[i], err = parse([]byte(strings.ReplaceAll(string(text), c.from, c.to))); err != nil {
				t.Fatal(err)
			}
			found := Rules(objects)
			if err := validator.Validate(objects[i]); err != nil {
				found = append(found, err.Error())
			}
			if len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), c.says) {
				t.Errorf("found %q", found)
			}
		})
	}
}

type topology struct {
	Regions []struct {
		Name  string
		Zones []string
	}
}

func readTopology(t *testing.T) (t2 topology) {
	t.Helper()
	text, err := os.ReadFile(root + "/regions/topology.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &t2); err != nil {
		t.Fatal(err)
	}
	return t2
}

// Each region of topology.yaml has its pods and its nodes, which say that they are there, and no other has.
func TestEveryRegionHasItsOverlays(t *testing.T) {
	names := map[string]bool{}
	for _, r := range readTopology(t).Regions {
		names[r.Name] = true
	}
	for _, overlays := range []string{root + "/k8s/overlays", root + "/k8s/cockroachdb/overlays"} {
		dirs, err := os.ReadDir(overlays)
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]bool{}
		for _, d := range dirs {
			there[d.Name()] = true
		}
		if !maps.Equal(there, names) {
			t.Errorf("%s has %v, the topology %v", overlays, there, names)
		}
	}
	for region := range names {
		pods := build(t, root+"/k8s/overlays/"+region)
		nodes := build(t, root+"/k8s/cockroachdb/overlays/"+region)
		if got := settings(workload(t, pods, "Deployment"), pods)["STOCKYARD_REGION"]; got != region {
			t.Errorf("pods of %s say that they are in %q", region, got)
		}
		node := workload(t, nodes, "StatefulSet")
		set := settings(node, nodes)
		if set["REGION"] != region || !slices.Contains(node.Command, "--locality=region=$(REGION),zone=$(ZONE)") {
			t.Errorf("nodes of %s are started in %q with %q", region, set["REGION"], node.Command)
		}
		certificate := find(nodes, "Certificate", "cockroachdb-node")
		for other := range names {
			if domain := other + ".cockroachdb.stockyard.svc.clusterset.local"; !strings.Contains(set["JOIN"], "."+domain) || !slices.Contains(certificate.Spec.DNSNames, "*."+domain) {
				t.Errorf("nodes of %s don't look for those of %s, or their certificate isn't good there", region, other)
			}
		}
	}
}

func workload(t *testing.T, objects []*Object, kind string) Container {
	t.Helper()
	i := slices.IndexFunc(objects, func(o *Object) bool { return o.Kind == kind })
	if i < 0 {
		t.Fatalf("there is no %s", kind)
	}
	return objects[i].Spec.Template.Spec.Containers[0]
}

// Settings are ones that the binary has, and are mounted where they point.
func TestSettingsAreStockyards(t *testing.T) {
	known := map[string]bool{}
	sources, err := filepath.Glob(root + "/service/config/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, names := range regexp.MustCompile(`env:"([A-Z_,]+)"`).FindAllStringSubmatch(string(text), -1) {
			for _, name := range strings.Split(names[1], ",") {
				known[name] = true
			}
		}
	}
	for _, dir := range []string{"overlays/us-east1", "migrate"} {
		for _, o := range build(t, root+"/k8s/"+dir) {
			for _, c := range o.Spec.Template.Spec.Containers {
				for name := range settings(c, build(t, root+"/k8s/"+dir)) {
					if !known[name] && name != "GOMEMLIMIT" {
						t.Errorf("%s: nothing reads %s", o, name)
					}
				}
			}
		}
	}
}

// The gateway lets in every gRPC service that there is.
func TestEveryServiceHasARoute(t *testing.T) {
	route := find(build(t, root+"/k8s/overlays/us-east1"), "GRPCRoute", "stockyard")
	var routed []string
	for _, rule := range route.Spec.Rules {
		for _, match := range rule.Matches {
			routed = append(routed, match.Method.Service)
		}
	}
	protos, err := filepath.Glob(root + "/service/grpcapi/proto/stockyard/v1/*_service.proto")
	if err != nil || len(protos) == 0 {
		t.Fatal(protos, err)
	}
	for _, file := range protos {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, service := range regexp.MustCompile(`(?m)^service (\w+)`).FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(routed, "stockyard.v1."+service[1]) {
				t.Errorf("k8s/gateway/routes.yaml has no stockyard.v1.%s", service[1])
			}
		}
	}
}
