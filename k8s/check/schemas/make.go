//go:build ignore

// Makes the schemas anew: `go run schemas/make.go` in k8s/check, after a version below or a list of
// kinds has changed. They are those that Kubernetes and the makers of each resource publish, without
// descriptions, and made strict: a field that a schema doesn't know is an error.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// kubernetes are the modules that hold OpenAPI documents, and the kinds that the manifests use.
const (
	kubernetesModule = "sigs.k8s.io/kubectl-validate@v0.0.4"
	kubernetesFiles  = "pkg/openapiclient/builtins/1.30"
)

var kubernetesKinds = map[string][]string{
	"api/v1":                    {"Namespace", "Service", "ServiceAccount", "ConfigMap", "Secret"},
	"apis/apps/v1":              {"Deployment", "StatefulSet"},
	"apis/batch/v1":             {"Job", "CronJob"},
	"apis/autoscaling/v2":       {"HorizontalPodAutoscaler"},
	"apis/policy/v1":            {"PodDisruptionBudget"},
	"apis/networking.k8s.io/v1": {"NetworkPolicy", "Ingress"},
}

var customModules = map[string][]string{
	"github.com/cert-manager/cert-manager@v1.21.2": {"deploy/crds/cert-manager.io_certificates.yaml", "deploy/crds/cert-manager.io_issuers.yaml"},
	"sigs.k8s.io/gateway-api@v1.6.3": {
		"config/crd/standard/gateway.networking.k8s.io_gateways.yaml", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
		"config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml", "config/crd/standard/gateway.networking.k8s.io_backendtlspolicies.yaml",
	},
	"github.com/prometheus-operator/prometheus-operator@v0.85.0": {
		"example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml", "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
	},
	"sigs.k8s.io/mcs-api@v0.5.2": {"config/crd/multicluster.x-k8s.io_serviceexports.yaml"},
}

type object = map[string]any

func main() {
	all := object{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": object{}, "kinds": object{}}
	defs, kinds := all["$defs"].(object), all["kinds"].(object)
	builtin(defs, kinds)
	for _, module := range slices.Sorted(maps.Keys(customModules)) {
		dir := download(module)
		for _, file := range customModules[module] {
			custom(filepath.Join(dir, file), defs, kinds)
		}
	}
	text, err := json.Marshal(all)
	check(err)
	check(os.WriteFile("schemas/schemas.json", append(text, '\n'), 0o644))
	fmt.Println(len(kinds), "kinds,", len(text), "bytes")
}

func builtin(defs, kinds object) {
	dir := filepath.Join(download(kubernetesModule), kubernetesFiles)
	for _, group := range slices.Sorted(maps.Keys(kubernetesKinds)) {
		raw, err := os.ReadFile(filepath.Join(dir, group+".json"))
		check(err)
		var document struct {
			Components struct{ Schemas map[string]object }
		}
		check(json.Unmarshal(raw, &document))
		for name, schema := range document.Components.Schemas {
			for _, gvk := range list(schema["x-kubernetes-group-version-kind"]) {
				kind := gvk.(object)["kind"].(string)
				if slices.Contains(kubernetesKinds[group], kind) && strings.HasSuffix(name, "."+kind) {
					kinds[key(gvk.(object)["group"], gvk.(object)["version"], kind)] = name
					include(name, document.Components.Schemas, defs)
				}
			}
		}
	}
}

// include takes a schema over with all that it refers to.
func include(name string, from map[string]object, defs object) {
	if defs[name] != nil {
		return
	}
	schema := strict(from[name]).(object)
	defs[name] = schema
	walk(schema, func(ref string) { include(ref, from, defs) })
}

func walk(v any, found func(string)) {
	switch v := v.(type) {
	case object:
		for k, e := range v {
			if ref, is := e.(string); k == "$ref" && is {
				found(strings.TrimPrefix(ref, "#/$defs/"))
			}
			walk(e, found)
		}
	case []any:
		for _, e := range v {
			walk(e, found)
		}
	}
}

func custom(file string, defs, kinds object) {
	raw, err := os.ReadFile(file)
	check(err)
	var crd struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Served bool
				Schema struct{ OpenAPIV3Schema object }
			}
		}
	}
	check(yaml.Unmarshal(raw, &crd))
	for _, version := range crd.Spec.Versions {
		if !version.Served || strings.Contains(version.Name, "alpha") {
			continue
		}
		k := key(crd.Spec.Group, version.Name, crd.Spec.Names.Kind)
		defs[k] = strict(version.Schema.OpenAPIV3Schema)
		kinds[k] = k
	}
}

// strict leaves out what only people read, and lets an object have no other fields than those it names.
func strict(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for k, e := range v {
			switch {
			case k == "properties":
				properties := object{}
				for name, schema := range e.(object) {
					properties[name] = strict(schema)
				}
				out[k] = properties
			case k == "description" || k == "default" || k == "example" || strings.HasPrefix(k, "x-kubernetes-"):
			case k == "$ref":
				out[k] = strings.Replace(e.(string), "#/components/schemas/", "#/$defs/", 1)
			default:
				out[k] = strict(e)
			}
		}
		_, open := v["additionalProperties"]
		if _, named := v["properties"]; named && !open && v["x-kubernetes-preserve-unknown-fields"] != true {
			out["additionalProperties"] = false
		}
		if v["x-kubernetes-int-or-string"] == true {
			delete(out, "type")
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = strict(e)
		}
		return out
	}
	return v
}

func key(group, version, kind any) string {
	return strings.TrimPrefix(fmt.Sprintf("%s/%s/%s", group, version, kind), "/")
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func download(module string) string {
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	check(err)
	var info struct{ Dir string }
	check(json.Unmarshal(out, &info))
	return info.Dir
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
